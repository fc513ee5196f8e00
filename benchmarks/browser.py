"""A Chromium that somebody is signed in with."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, StorageState, sync_playwright

from benchmarks.result import Line


def program() -> str | None:
    """Path of Debian's Chromium, or of the one that BERTH_TEST_BROWSER names; None where there is none."""
    return os.environ.get("BERTH_TEST_BROWSER") or shutil.which("chromium")


def without(what: str) -> list[Line]:
    """What stands in the table where there is no browser."""
    return [Line(what, "not measured", cause="there is no Chromium on this machine")]


@contextmanager
def browser(path: str | None, *words: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=[*arguments(), *words])
        try:
            yield opened
        finally:
            opened.close()


def arguments() -> Sequence[str]:
    return "--no-sandbox", "--disable-gpu"


def signed_in(opened: Browser, base: str, *, name: str = "owner", password: str) -> StorageState:
    """Come in by the door, once; gives back the cookies."""
    context = opened.new_context()
    enter(context.new_page(), base, name=name, password=password)
    kept = context.storage_state()
    context.close()
    return kept


def enter(page: Page, base: str, *, name: str = "owner", password: str) -> None:
    page.goto(f"{base}/accounts/sign-in/")
    page.fill("[name=username]", name)
    page.fill("[name=password]", password)
    page.press("[name=password]", "Enter")
    page.wait_for_url(lambda address: "sign-in" not in address)
