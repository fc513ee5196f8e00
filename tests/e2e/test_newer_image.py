"""An image is pushed, chosen in the panel and deployed; a second push is offered where the first one runs."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from launcher.paths import State
from launcher.registry import Berth, PrivateRegistry
from tests.e2e.browser import sign_in
from tests.e2e.portal import Portal, free_port, until
from tests.engine import LiveEngine
from tests.images.real import Clients

pytestmark = pytest.mark.e2e
SLOW = 90_000  # milliseconds; a real engine on a busy machine
WEB = "demo/shop/web"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory, engine: LiveEngine) -> Iterator[Portal]:
    """With a registry that asks it; both answer where the engine reaches them."""
    made = Portal.prepared(tmp_path_factory.mktemp("portal"), engine)
    made.environment["ALLOWED_HOSTS"] = f"127.0.0.1,{engine.machine}"
    state, port = State(made.state), free_port()
    state.prepare()
    registry, address = PrivateRegistry(state), f"http://{engine.machine}:{port}/registry"
    registry.start(engine.machine, Berth(f"{address}/token", f"{address}/events"))
    try:
        made.port, made.also = port, engine.machine
        made.start()
        yield made
    finally:
        made.stop()
        registry.destroy()


@pytest.fixture
def clients(portal: Portal, engine: LiveEngine, tmp_path: Path) -> Clients:
    registry = PrivateRegistry(State(portal.state))
    made = Clients(engine, registry.url.partition("://")[2], tmp_path)
    said = made.login("owner", portal.password)
    assert said.returncode == 0, said.stderr
    return made


def deployed(page: Page) -> None:
    page.get_by_role("button", name="Deploy to dev").click()
    page.wait_for_url(re.compile(r"/deployments/\d+/$"), timeout=SLOW)
    expect(page.get_by_text("Done.", exact=True)).to_be_visible(timeout=SLOW)


def test_a_pushed_image_is_chosen_and_a_newer_one_offered(page: Page, portal: Portal, clients: Clients) -> None:
    said = clients.put(WEB, "1.0", of="berth/hello:1")
    assert said.returncode == 0, said.stderr
    sign_in(page, portal)
    page.goto("/t/demo/p/shop/deploy/?environment=dev")
    pushed = page.get_by_role("radio", name="shop/web:1.0")

    def found() -> bool:
        """The registry tells of a push a moment later: type again until it has."""
        page.get_by_label("Find an image, or type its name").fill("")
        page.get_by_label("Find an image, or type its name").fill("shop/web")
        page.wait_for_load_state("networkidle")
        return pushed.is_visible()

    until(found, seconds=SLOW / 1000)
    pushed.check()
    deployed(page)

    page.goto("/t/demo/p/shop/apps/web/?environment=dev")
    offer = page.get_by_text("shop/web:1.1 is newer than what web runs, 1.0")
    expect(offer).to_have_count(0)
    said = clients.put(WEB, "1.1", of="berth/hello:2")
    assert said.returncode == 0, said.stderr
    expect(offer).to_be_visible(timeout=SLOW)  # the page keeps itself new
    page.get_by_role("link", name="Deploy it").click()
    newer = page.get_by_role("radio", name="shop/web:1.1")
    expect(newer).to_be_checked()
    expect(page.locator(".choice li").filter(has=newer)).to_contain_text("newer")
    deployed(page)
    page.goto("/t/demo/p/shop/apps/web/?environment=dev")
    expect(page.locator("main")).to_contain_text("shop/web:1.1")
    expect(offer).to_have_count(0)
