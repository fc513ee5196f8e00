"""People, roles and an engine, all of them real: a right of two hours from being asked for until it ends."""

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from launcher.identity import dev as identity
from launcher.paths import State
from tests.e2e.portal import Portal
from tests.engine import LiveEngine

pytestmark = pytest.mark.e2e
SLOW = 90_000  # milliseconds; a real engine on a busy machine
CLOSED_SECONDS = 2.0
PROD = "/t/acme/p/shop/apps/hello/console/?environment=prod"


class People:
    """Those of Keystone by name, each in a browser of their own."""

    def __init__(self, portal: Portal, passwords: dict[str, str], chromium: Browser, undo: ExitStack) -> None:
        self._portal, self._passwords, self._chromium, self._undo = portal, passwords, chromium, undo

    def __call__(self, name: str) -> Page:
        size = {"width": 1440, "height": 900}
        context = self._chromium.new_context(base_url=self._portal.url, viewport=size, locale="en-GB")
        self._undo.callback(context.close)
        context.set_default_timeout(30_000)
        page = context.new_page()
        page.goto("/accounts/sign-in/")
        page.get_by_label("Organization").fill(identity.ACCOUNTS[name][0])
        page.get_by_label("User name").fill(name)
        page.get_by_label("Password").fill(self._passwords[name])
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", name=f"Hello, {name}").wait_for()
        return page


@pytest.fixture(scope="module")
def passwords() -> dict[str, str]:
    """Filled by the Keystone that the portal stands beside."""
    return {}


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory, engine: LiveEngine, passwords: dict[str, str]) -> Iterator[Portal]:
    """As `./berth up --keystone dev` makes it."""
    made = Portal.prepared(tmp_path_factory.mktemp("portal"), engine)
    state = State(made.state)
    state.prepare()
    with ExitStack() as undo:
        server, seeded = identity.start(state, Path(os.environ["BERTH_TEST_KEYSTONE"]))
        undo.callback(server.destroy)
        passwords |= seeded.passwords
        undo.callback(made.stop)
        made.start()
        yield made


@pytest.fixture
def enter(portal: Portal, passwords: dict[str, str], chromium: Browser) -> Iterator[Callable[[str], Page]]:
    with ExitStack() as undo:
        yield People(portal, passwords, chromium, undo)


def make_shop(owner: Page) -> None:
    owner.goto("/t/acme/projects/new/")
    owner.get_by_label("Name").first.fill("shop")
    owner.get_by_role("button", name="Make the project").click()
    owner.wait_for_url("**/p/shop/**")


def deploy_to_prod(owner: Page) -> None:
    owner.goto("/t/acme/p/shop/deploy/?environment=prod")
    owner.get_by_text("berth/hello:1", exact=True).click()
    expect(owner.locator(".preflight")).to_contain_text("5 of 5 pass")
    owner.get_by_role("button", name="Deploy to prod").click()
    owner.wait_for_url(re.compile(r"/deployments/\d+/$"))
    expect(owner.get_by_text("Done.", exact=True)).to_be_visible(timeout=SLOW)


def test_a_console_in_production_for_two_hours(enter: Callable[[str], Page]) -> None:
    owner, developer = enter("owner"), enter("developer")
    make_shop(owner)
    deploy_to_prod(owner)

    developer.goto(PROD)
    developer.get_by_role("link", name=re.compile("Ask for")).click()
    developer.get_by_label("Why").fill("INC-2107")
    developer.get_by_role("button", name="Ask for it").click()

    owner.goto("/requests/")
    owner.get_by_role("button", name="Approve").click()
    expect(owner.locator("main")).to_contain_text("Nothing waits for you")

    developer.goto(PROD)
    developer.get_by_role("button", name="Open console").click()
    dialog = developer.get_by_role("dialog", name=re.compile("Why do you need"))
    dialog.get_by_label("Reason").fill("INC-2107, slow checkout")
    dialog.get_by_role("button", name="Open console").click()
    state = developer.locator("[data-console-state]")
    expect(state).to_have_text("connected", timeout=SLOW)
    developer.keyboard.type("echo al''pha\n")
    expect(developer.locator(".console-screen:not([hidden]) .xterm-rows")).to_contain_text("alpha")

    owner.goto("/t/acme/members/")
    owner.get_by_role("link", name="developer", exact=True).first.click()
    owner.get_by_role("button", name=re.compile("^End .* on .*shop.* now$")).click()
    ended = time.monotonic()
    expect(state).to_have_text("ended", timeout=CLOSED_SECONDS * 1000)
    assert time.monotonic() - ended < CLOSED_SECONDS
    developer.goto(PROD)
    expect(developer.get_by_role("button", name="Open console")).to_have_count(0)

    auditor = enter("auditor")
    auditor.goto("/t/acme/audit/?action=console.open")
    auditor.locator("tbody a").first.click()
    expect(auditor.get_by_role("dialog")).to_contain_text("INC-2107, slow checkout")
