"""The app page on a real engine: its drawing follows a scaling, and a crash behind a full count shows."""

import json
import urllib.request
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import sign_in
from tests.e2e.portal import Portal, until

pytestmark = pytest.mark.e2e
SLOW = 120_000  # milliseconds; a real engine on a busy machine
P = "/api/v1/tenants/demo/projects/shop"
FALLS = "echo working; sleep 20; echo 'fatal: lost the queue' >&2; exit 3"
SPEC = {
    "services": {
        "web": {"image": "berth/hello:1", "ports": ["8080"], "depends_on": ["worker"]},
        "worker": {
            "image": "berth/hello:1",
            "command": ["sh", "-c", FALLS],
            "healthcheck": {"test": ["CMD", "true"]},
            "volumes": ["uploads:/uploads"],
        },
    },
    "volumes": {"uploads": None},
}


def call(portal: Portal, token: str, path: str, sent: Any = None) -> Any:
    request = urllib.request.Request(f"{portal.url}{path}", method="POST" if sent is not None else "GET")
    request.add_header("Authorization", f"Bearer {token}")
    data = None
    if sent is not None:
        request.add_header("Content-Type", "application/json")
        data = json.dumps(sent).encode()
    with urllib.request.urlopen(request, data, timeout=30) as answer:
        return json.loads(answer.read() or b"null")


@pytest.fixture
def shown(portal: Portal, page: Page) -> str:
    """The address of an app with two services that runs."""
    token = portal.token()
    call(portal, token, f"{P}/apps", {"name": "drawn"})
    started = call(portal, token, f"{P}/apps/drawn/deployments", {"environment": "dev", "spec": SPEC})
    until(lambda: call(portal, token, f"/api/v1/operations/{started['id']}")["state"] == "succeeded", seconds=120)
    sign_in(page, portal)
    return "/t/demo/p/shop/apps/drawn/?environment=dev"


def test_the_drawing_follows_and_a_crash_is_told(page: Page, shown: str) -> None:
    page.goto(shown)
    drawing = page.locator("svg.topology")
    web = drawing.get_by_role("link", name="Service web, 1 of 1")
    expect(web).to_be_visible()
    expect(drawing.get_by_role("link", name="Route ")).to_be_visible()
    expect(drawing.get_by_role("img", name="Volume uploads")).to_be_visible()

    page.get_by_role("button", name="Scale").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Service").select_option("web")
    dialog.get_by_label("Instances").fill("3")
    dialog.get_by_role("button", name="Scale").click()
    page.goto(shown)
    expect(drawing.get_by_role("link", name="Service web, 3 of 3")).to_be_visible(timeout=SLOW)

    latest = page.locator("[aria-labelledby='latest']")
    expect(latest.get_by_text("worker 1 ended by itself").first).to_be_visible(timeout=SLOW)
    latest.get_by_role("link", name="last lines kept").first.click(timeout=SLOW)
    expect(page.get_by_text("fatal: lost the queue").first).to_be_visible(timeout=SLOW)


def test_on_a_phone_the_drawing_is_a_list(page: Page, portal: Portal) -> None:
    sign_in(page, portal)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/t/demo/p/shop/apps/drawn/?environment=dev")
    expect(page.locator("svg.topology")).to_be_hidden()
    services = page.get_by_role("list", name="Services")
    expect(services.get_by_text("needs worker")).to_be_visible()
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide == 0
