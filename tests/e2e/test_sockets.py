"""A page whose connection is cut again and again ends with what is true, and says what it knows meanwhile."""

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import sign_in
from tests.e2e.portal import Portal, until
from tests.faults.caller import Caller, spec
from tests.faults.proxy import FaultProxy

pytestmark = pytest.mark.e2e
APP = "cut"
SLOW = 90_000  # milliseconds; a real engine on a busy machine


@dataclass
class Before(FaultProxy):
    """In front of a portal, for browsers: on a port instead of a path."""

    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _listen(self) -> None:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]

    @contextmanager
    def cutting(self, *, every: float) -> Iterator[None]:
        """Break every socket off, again and again."""
        over = threading.Event()

        def work() -> None:
            while not over.wait(every):
                self.cut("GET /ws/")

        cutter = threading.Thread(target=work)
        cutter.start()
        try:
            yield
        finally:
            over.set()
            cutter.join()


@pytest.fixture
def proxy(portal: Portal, tmp_path: Path) -> Iterator[Before]:
    made = Before(tmp_path / "unused", portal.url)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def page(chromium: Browser, proxy: Before, portal: Portal) -> Iterator[Page]:
    context = chromium.new_context(base_url=proxy.url, viewport={"width": 1440, "height": 900}, locale="en-GB")
    context.set_default_timeout(30_000)
    made = context.new_page()
    sign_in(made, portal)
    yield made
    context.close()


@pytest.fixture
def caller(portal: Portal) -> Caller:
    made = Caller(portal.url, portal.token())
    made.ended(made.deploy(APP, spec=spec()))
    return made


def shown(page: Page) -> str:
    """What the page says of the app, without what grows older by itself."""
    text = page.locator("#app-now").inner_text()
    return re.sub(r"\d+ (s|min)( ago)?|just now|[\d.,]+ ?(%|[KMG]i?B|m\b)|live|connection lost.*", "", text)


def test_a_socket_cut_every_two_seconds_ends_with_the_true_page(page: Page, proxy: Before, caller: Caller) -> None:
    """Fault 17."""
    page.goto(f"/t/demo/p/shop/apps/{APP}/?environment=dev")
    rows = page.locator("[aria-labelledby='instances'] tbody tr")
    expect(rows).to_have_count(1)
    with proxy.cutting(every=2.0):
        for instances in (3, 2, 4):
            path = f"/api/v1/tenants/demo/projects/shop/apps/{APP}/environments/dev/scale"
            accepted = caller.post(path, {"service": "web", "instances": instances})
            assert accepted.status == 202, accepted.body
            caller.ended(accepted.json)
            expect(page.get_by_text(f"{instances} of {instances} instances").first).to_be_visible(timeout=SLOW)
    expect(page.locator("#app-now [data-fresh]").first).to_have_text("live", timeout=SLOW)
    anew = page.context.new_page()

    def the_same() -> bool:  # what was measured just now is in the page that was followed ten seconds later
        anew.goto(page.url)
        return shown(page) == shown(anew)

    until(the_same, seconds=60, said=lambda: f"followed: {shown(page)}\n\nmade anew: {shown(anew)}", every=1)


def test_while_no_socket_opens_the_page_looks_by_itself(page: Page, proxy: Before, caller: Caller) -> None:
    page.goto(f"/t/demo/p/shop/apps/{APP}/?environment=dev")
    mark = page.locator("#app-now [data-fresh]").first
    expect(mark).to_have_text("live")
    with proxy.cutting(every=0.05):
        expect(mark).to_have_text(re.compile("connection lost"), timeout=SLOW)
        path = f"/api/v1/tenants/demo/projects/shop/apps/{APP}/environments/dev/scale"
        caller.ended(caller.post(path, {"service": "web", "instances": 2}).json)
        expect(page.get_by_text("2 of 2 instances").first).to_be_visible(timeout=SLOW)
        expect(mark).to_have_text(re.compile("connection lost"))
    expect(mark).to_have_text("live", timeout=SLOW)


def test_a_restarted_portal_is_found_again(page: Page, proxy: Before, portal: Portal, caller: Caller) -> None:
    codes: list[int] = []
    page.expose_function("ended", lambda code: codes.append(code))
    page.add_init_script("""
        const Real = window.WebSocket;
        window.WebSocket = class extends Real {
            constructor(url) { super(url); this.addEventListener("close", (event) => window.ended(event.code)); }
        };
    """)
    page.goto(f"/t/demo/p/shop/apps/{APP}/?environment=dev")
    mark = page.locator("#app-now [data-fresh]").first
    expect(mark).to_have_text("live")
    portal.stop()
    expect(mark).to_have_text(re.compile("connection lost"), timeout=SLOW)
    portal.start()
    proxy.upstream = portal.url
    expect(mark).to_have_text("live", timeout=SLOW)
    assert codes[0] == 1012, "the portal says that it comes back"
    assert urlsplit(page.url).path == f"/t/demo/p/shop/apps/{APP}/"
