"""A real Chromium, Debian's."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.e2e.portal import Portal

PATIENCE = 40_000  # milliseconds; what comes at once on a machine of one's own comes later on one that is shared
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Not for longer than a module: as long as it lives its event loop runs, and no other can in this thread."""
    words = ["--no-sandbox", "--disable-gpu"]
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=words)
        yield found
        found.close()


@pytest.fixture
def page(chromium: Browser, portal: Portal) -> Iterator[Page]:
    """A page of a fresh person's browser; what its console complains of fails the test."""
    context = chromium.new_context(base_url=portal.url, viewport={"width": 1440, "height": 900}, locale="en-GB")
    context.set_default_timeout(PATIENCE)
    made = context.new_page()
    complaints: list[str] = []
    made.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    made.on("pageerror", lambda error: complaints.append(str(error)))
    yield made
    context.close()
    assert not complaints, complaints


def sign_in(page: Page, portal: Portal) -> None:
    page.goto("/accounts/sign-in/")
    page.get_by_label("User name").fill("owner")
    page.get_by_label("Password").fill(portal.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Hello, owner").wait_for()


def write(page: Page, text: str) -> None:
    """All of the specification anew in its editor, without its own indenting."""
    editor = page.get_by_role("textbox", name="Specification")
    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    page.keyboard.insert_text(text)
