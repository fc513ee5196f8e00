"""The first story, as a person does it: deploy, read, ship a second version, go back, and find it all in the audit."""

import re
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import sign_in
from tests.e2e.grounds import Ground
from tests.e2e.portal import Portal, until
from tests.faults.caller import SHOP, Caller

pytestmark = pytest.mark.e2e
SLOW = 90_000  # milliseconds; a real engine on a busy machine


def choose_and_deploy(page: Page, image: str, *, instances: int | None = None) -> None:
    page.get_by_text(image, exact=True).click()
    if instances is not None:
        expect(page.get_by_label("Name of the app")).not_to_have_value("")  # what the image tells has arrived
        page.get_by_text("Instances and ports", exact=True).click()
        page.get_by_label("Instances", exact=True).fill(str(instances))
    page.get_by_role("button", name="Deploy to dev").click()
    page.wait_for_url(re.compile(r"/deployments/\d+/$"))


def answers(page: Page) -> list[str]:
    """What the app says at each address that its page shows."""
    page.goto("/t/demo/p/shop/apps/hello/?environment=dev")
    links = page.locator("[aria-labelledby='instances'] a[href^='http://10.']")
    addresses = [links.nth(i).get_attribute("href") or "" for i in range(links.count())]
    return [urllib.request.urlopen(address, timeout=30).read().decode() for address in addresses]


def agreed(portal: Portal, ground: Ground) -> str:
    """The one digest that the engine's own tool sees three instances of, once it is the one that Berth names."""
    caller = Caller(portal.url, portal.token())
    number = caller.read(f"{SHOP}/apps/hello/environments/dev")["release_number"]
    (image,) = caller.read(f"{SHOP}/apps/hello/releases/{number}")["images"]
    until(lambda: ground.running() == [image["digest"]] * 3, seconds=90, said=lambda: (image, ground.running()))
    return str(image["digest"])


@pytest.mark.both
def test_the_story(page: Page, portal: Portal, ground: Ground, tmp_path: Path) -> None:
    sign_in(page, portal)

    page.get_by_role("link", name="Choose an image").click()
    expect(page.get_by_role("dialog", name="Deploy")).to_be_visible()
    choose_and_deploy(page, "berth/hello:1", instances=3)
    expect(page.locator(".instance-grid .is-ok")).to_have_count(3, timeout=SLOW)
    expect(page.get_by_text("Done.", exact=True)).to_be_visible(timeout=SLOW)
    first = answers(page)
    assert len(first) == 3
    old = agreed(portal, ground)

    page.get_by_role("link", name="Logs", exact=True).click()
    expect(page.locator(".log-line").first).to_be_visible(timeout=SLOW)
    assert "/" in page.locator("[data-logs]").inner_text()
    page.locator("summary", has_text="Download").click()
    with page.expect_download() as started:
        page.get_by_role("link", name="These lines as text").click()
    saved = tmp_path / "log"
    started.value.save_as(saved)
    assert saved.stat().st_size > 0

    page.goto("/t/demo/p/shop/deploy/?app=hello&environment=dev")
    choose_and_deploy(page, "berth/hello:2")
    expect(page.get_by_text("Done.", exact=True)).to_be_visible(timeout=SLOW)
    second = answers(page)
    assert len(second) == 3
    assert set(second).isdisjoint(first)
    assert agreed(portal, ground) != old

    page.goto("/t/demo/p/shop/apps/hello/releases/?environment=dev")
    page.get_by_role("button", name=re.compile("Roll back to 1")).click()
    confirm = page.get_by_role("dialog").get_by_role("button", name=re.compile("Roll back"))
    if confirm.is_visible():
        confirm.click()
    page.wait_for_url(re.compile(r"/deployments/\d+/$"))
    expect(page.get_by_text("Done.", exact=True)).to_be_visible(timeout=SLOW)
    assert len(answers(page)) == 3
    assert agreed(portal, ground) == old

    page.goto("/t/demo/audit/")
    said = page.locator("main").inner_text()
    for words in ("create app", "roll back", "sign in", "hello in dev"):
        assert words in said
    assert "all in order" in portal.manage("verify_audit")


def test_a_release_that_cannot_run_says_why_and_the_old_one_serves(page: Page, portal: Portal) -> None:
    sign_in(page, portal)
    page.goto("/t/demo/p/shop/deploy/?environment=dev")
    page.get_by_text("berth/hello:1", exact=True).click()
    page.get_by_label("Name of the app").fill("fragile")
    page.get_by_role("button", name="Deploy to dev").click()
    page.wait_for_url(re.compile(r"/deployments/\d+/$"))
    expect(page.get_by_text("Done.", exact=True)).to_be_visible(timeout=SLOW)
    page.goto("/t/demo/p/shop/deploy/?app=fragile&environment=dev")
    choose_and_deploy(page, "berth/hello:crash")
    expect(page.locator(".page-head .state.is-bad")).to_be_visible(timeout=SLOW)
    expect(page.locator(".log-line").first).to_be_visible()
    page.goto("/t/demo/p/shop/apps/fragile/?environment=dev")
    expect(page.locator(".page-head")).to_contain_text("release 1")
    expect(page.locator(".page-head .state.is-ok")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1024, 1440])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_no_page_scrolls_sideways_or_complains(
    page: Page, portal: Portal, width: int, theme: str, language: str
) -> None:
    sign_in(page, portal)
    page.context.add_cookies(
        [{"name": name, "value": text, "url": portal.url} for name, text in (("theme", theme), ("language", language))]
    )
    page.set_viewport_size({"width": width, "height": 900})
    for path in (
        "/",
        "/t/demo/p/shop/",
        "/t/demo/p/shop/deploy/",
        "/t/demo/p/shop/activity/",
        "/t/demo/audit/",
        "/clusters/",
    ):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert page.locator("html").get_attribute("data-bs-theme") == theme


def test_it_can_be_read_without_scripts(page: Page, portal: Portal) -> None:
    plain = page.context.browser
    assert plain is not None
    context = plain.new_context(base_url=portal.url, java_script_enabled=False)
    try:
        reader = context.new_page()
        sign_in(reader, portal)
        for path in ("/t/demo/p/shop/", "/t/demo/p/shop/deploy/", "/t/demo/audit/", "/clusters/"):
            answer = reader.goto(path)
            assert answer is not None
            assert answer.status == 200
            assert reader.locator("main").inner_text().strip()
    finally:
        context.close()
