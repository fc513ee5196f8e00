"""The page of metrics in a browser, on a real engine: live lines, words, a table, and an engine that goes away."""

import json
import re
import urllib.request
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.browser import sign_in
from tests.e2e.portal import Portal, until

pytestmark = pytest.mark.e2e
P = "/api/v1/tenants/demo/projects/shop"
METRICS = f"{P}/apps/busy/environments/dev/metrics"
PAGE = "/t/demo/p/shop/apps/busy/metrics/?environment=dev&range=15m"
LOOP = "while :; do :; done"
SPEC = {
    "services": {
        "web": {
            "image": "berth/hello:1",
            "entrypoint": ["sh", "-c", LOOP],
            "healthcheck": {"disable": True},
            "stop_grace_period": "1s",
            "deploy": {"replicas": 1, "resources": {"limits": {"cpus": "0.03", "memory": "32M"}}},
        }
    }
}
SECONDS = 120.0


class Busy:
    """An app whose one instance wants more CPU than it may have."""

    def __init__(self, portal: Portal) -> None:
        self.portal, self.token = portal, portal.token()

    def ask(self, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"{self.portal.url}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def cpu(self) -> list[int]:
        told = self.ask(METRICS)
        return [value for one in told["series"] for value in one["cpu_millicores"] if value is not None]


@pytest.fixture(scope="module")
def busy(portal: Portal) -> Busy:
    made = Busy(portal)
    made.ask(f"{P}/apps", {"name": "busy", "environment": "dev", "spec": SPEC})
    until(lambda: len(made.cpu()) >= 2, seconds=SECONDS, said=lambda: made.ask(METRICS))
    return made


def test_a_burning_instance_shows_its_limit(busy: Busy) -> None:
    """It takes all it may have, which is so little that a busy machine can give it."""
    until(lambda: max(busy.cpu()) > 20, seconds=SECONDS, said=busy.cpu)
    assert max(busy.cpu()) < 50
    told = busy.ask(METRICS)
    assert told["limits"] == [{"service": "web", "cpu_millicores": 30, "memory_bytes": 32 << 20}]
    assert all(0 < value < 32 << 20 for one in told["series"] for value in one["memory_bytes"] if value is not None)
    assert [mark["text"] for mark in told["marks"] if mark["kind"] == "release"] == ["owner deployed release 1"]


def latest(page: Page) -> str:
    """The time of the newest value: it goes on though the values themselves, at their limit, may stay."""
    page.locator('[data-chart="cpu"] [data-chart-place]').press("End")
    return page.locator('[data-chart="cpu"] [data-chart-said] b').first.inner_text()


@pytest.mark.both
def test_the_page_is_alive(page: Page, portal: Portal, busy: Busy) -> None:
    sign_in(page, portal)
    page.goto(PAGE)
    expect(page.locator(".uplot canvas")).to_have_count(4)
    expect(page.locator("[data-metrics-state]")).to_have_text("live")
    now = page.locator('[data-chart="cpu"] [data-chart-now]')
    expect(now).to_contain_text("cores")
    shown: set[str] = set()
    until(lambda: shown.add(latest(page)) or len(shown) > 2, seconds=SECONDS, said=lambda: shown)
    expect(page.locator("#metrics-said .said")).to_contain_text("of 0.03 cores")
    expect(page.get_by_role("table")).to_contain_text("web 1")


def test_values_are_read_by_pointer_and_by_keys(page: Page, portal: Portal, busy: Busy) -> None:
    sign_in(page, portal)
    page.goto(PAGE)
    figure = page.locator('[data-chart="cpu"]')
    chart, said = figure.locator("[data-chart-place]"), figure.locator("[data-chart-said]")
    expect(said).to_contain_text("web 1")
    chart.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    expect(said.locator("b").first).to_contain_text(":")
    before = said.locator("b").first.inner_text()
    page.keyboard.press("ArrowLeft")
    expect(said.locator("b").first).not_to_have_text(before)
    page.keyboard.press("Escape")
    box = chart.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] - 40, box["y"] + 60)
    expect(said.locator("b").first).to_contain_text(":")


def test_nothing_is_lost_without_scripts(page: Page, portal: Portal, busy: Busy) -> None:
    sign_in(page, portal)
    assert page.context.browser is not None
    plain = page.context.browser.new_context(base_url=portal.url, java_script_enabled=False)
    plain.add_cookies(page.context.cookies())
    still = plain.new_page()
    still.goto(f"{PAGE}&table=memory")
    expect(still.locator("#metrics-said .said")).to_contain_text("of 0.03 cores")
    expect(still.get_by_role("table")).to_contain_text(re.compile("[KM]B"))
    expect(still.locator("main noscript > p")).to_be_visible()
    expect(still.locator("main noscript > p")).to_contain_text("Charts need JavaScript")
    plain.close()


def test_the_page_is_for_everyone(page: Page, portal: Portal, busy: Busy) -> None:
    sign_in(page, portal)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.goto(PAGE)
        expect(page.locator(".uplot canvas")).to_have_count(4)
        found = Axe().run(page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found] == []


def test_a_phone_shows_it_whole(page: Page, portal: Portal, busy: Busy) -> None:
    sign_in(page, portal)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(PAGE)
    expect(page.locator(".uplot canvas")).to_have_count(4)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
