"""The frame in a real browser: finding and doing by keyboard, places, notices that come by themselves, the account."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e import axe
from tests.e2e.browser import sign_in
from tests.e2e.portal import Portal, until
from tests.engine import LiveEngine

pytestmark = pytest.mark.e2e
SLOW = 90_000  # milliseconds; a real engine on a busy machine
ACCOUNT = ("/accounts/profile/", "/accounts/sessions/", "/accounts/tokens/", "/accounts/password/")
PAGES = ("/", *ACCOUNT, "/accounts/notices/", "/search/?q=hello", "/nowhere/")


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory, engine: LiveEngine) -> Iterator[Portal]:
    """A portal of its own, in which hello runs."""
    made = Portal.prepared(tmp_path_factory.mktemp("frame"), engine)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def portal(lived_in: Portal) -> Portal:
    return lived_in


def deploy(page: Page, name: str) -> None:
    """By keyboard alone: Ctrl K, what is wanted, Enter; then the panel's own button."""
    page.keyboard.press("Control+k")
    palette = page.get_by_role("combobox")
    expect(palette).to_be_focused()
    page.keyboard.type("deploy new shop")
    expect(page.get_by_role("option", name=re.compile("Deploy a new app in Shop"))).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/deploy/"))
    page.get_by_text("berth/hello:1", exact=True).click()
    page.get_by_label("Name of the app").fill(name)
    page.get_by_role("button", name="Deploy to dev").click()
    page.wait_for_url(re.compile(r"/deployments/1/$"))


def test_a_notice_comes_by_itself_and_the_chip_counts(page: Page, portal: Portal) -> None:
    sign_in(page, portal)
    deploy(page, "hello")
    expect(page.locator(".op-chip b")).to_have_text("1")
    page.locator(".op-chip").click()
    expect(page.locator("#running-menu").get_by_role("link", name=re.compile("Deploy release 1"))).to_be_visible()
    page.keyboard.press("Escape")
    bell = page.get_by_role("button", name="Notifications, 1 new")
    expect(bell).to_be_visible(timeout=SLOW)
    bell.click()
    line = page.get_by_role("link", name=re.compile("Release 1 of hello runs in dev"))
    expect(line).to_be_visible()
    line.click()
    page.wait_for_url(re.compile(r"/apps/hello/deployments/1/$"))
    expect(page.get_by_role("button", name="Notifications", exact=True)).to_be_visible()
    expect(page.locator(".op-chip.is-idle")).to_be_visible()


def test_doing_by_keyboard_alone(page: Page, portal: Portal) -> None:
    sign_in(page, portal)
    page.keyboard.press("Control+k")
    page.keyboard.type("restart hello")
    page.keyboard.press("Enter")  # at once: it waits for its own answer
    page.wait_for_url(re.compile(r"/apps/hello/deployments/2/$"))
    page.keyboard.press("Control+k")
    page.keyboard.type("logs hello")
    option = page.get_by_role("option", name=re.compile("Logs of hello in dev"))
    expect(option).to_have_attribute("aria-selected", "true")
    field = page.get_by_role("combobox")
    assert field.get_attribute("aria-activedescendant") == option.get_attribute("id")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/apps/hello/logs/"))
    page.keyboard.press("Control+k")
    page.keyboard.type("theme")
    expect(page.get_by_role("option", name=re.compile("Change the theme"))).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.keyboard.press("Control+k")
    page.keyboard.type("nothing of this kind")
    expect(page.locator("#palette").get_by_text("Nothing fits")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()


def test_the_place_switcher_finds_and_goes(page: Page, portal: Portal) -> None:
    sign_in(page, portal)
    page.get_by_role("button", name=re.compile("Change place|Choose a place")).click()
    expect(page.get_by_label("Find a tenant or project")).to_be_focused()
    page.keyboard.type("sho")
    place = page.locator("#places-found a")
    expect(place).to_have_class(re.compile("is-on"))
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/t/demo/p/shop/$"))


def test_the_profile_survives_and_nothing_flashes(page: Page, portal: Portal, chromium: Browser) -> None:
    sign_in(page, portal)
    page.goto("/accounts/profile/")
    page.get_by_label("Language").select_option("zh-hans")
    page.get_by_label("Theme", exact=True).select_option("dark")
    page.get_by_label("Single keys do something").uncheck()
    page.get_by_role("button", name="Save the profile").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    other = chromium.new_context(base_url=portal.url)
    fresh = other.new_page()
    fresh.goto("/accounts/sign-in/")
    fresh.locator("[name=username]").fill("owner")
    fresh.locator("[name=password]").fill(portal.password)
    fresh.locator("button.is-main").click()
    fresh.wait_for_url(f"{portal.url}/")
    text = fresh.request.get("/").text()
    assert '<html lang="zh-hans" data-bs-theme="dark">' in text
    fresh.keyboard.press("?")
    expect(fresh.locator("#keys")).to_be_hidden()
    other.close()
    with page.expect_navigation():
        page.get_by_role("button", name="English").first.click()
    page.goto("/accounts/profile/")
    page.get_by_label("Theme", exact=True).select_option("auto")
    page.get_by_label("Single keys do something").check()
    with page.expect_navigation():
        page.get_by_role("button", name="Save the profile").click()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()


def test_a_session_that_is_ended_elsewhere_is_out_at_once(page: Page, portal: Portal, chromium: Browser) -> None:
    other = chromium.new_context(base_url=portal.url, user_agent="Mozilla/5.0 (X11; Linux) Firefox/140.0")
    theirs = other.new_page()
    sign_in(theirs, portal)
    sign_in(page, portal)
    page.goto("/accounts/sessions/")
    row = page.get_by_role("row", name=re.compile("Firefox on Linux"))
    row.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("That browser is signed out.")).to_be_visible()
    theirs.wait_for_url(re.compile("/accounts/sign-in/"))
    other.close()


def test_pages_of_what_went_wrong(chromium: Browser, portal: Portal) -> None:
    context = chromium.new_context(base_url=portal.url)
    page = context.new_page()
    sign_in(page, portal)
    page.goto("/t/demo/p/nothing/")
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    page.goto("/t/demo/p/shop/apps/hello/restart/")
    expect(page.get_by_text("used by the button of a page")).to_be_visible()
    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).to_be_visible()
    context.close()


@pytest.mark.parametrize(("language", "theme"), [("en", "dark"), ("zh-hans", "light")])
def test_everybody_can_read_and_use_them(chromium: Browser, portal: Portal, theme: str, language: str) -> None:
    context = chromium.new_context(
        base_url=portal.url, viewport={"width": 1440, "height": 900}, reduced_motion="reduce"
    )
    page = context.new_page()
    sign_in(page, portal)
    chosen = {"theme": theme, "language": language}
    context.add_cookies([{"name": key, "value": text, "url": portal.url} for key, text in chosen.items()])
    wrong = []
    for address in PAGES:
        page.goto(address)
        wrong += [f"{address}: {fault}" for fault in axe.faults(page)]
    page.goto("/")
    page.keyboard.press("Control+k")
    until(lambda: page.locator("#palette [role=option]").count() > 5, seconds=60)
    wrong += [f"palette: {fault}" for fault in axe.violations(page)]
    page.keyboard.press("Escape")
    for name in ("#bell button.tool", ".op-chip", "button.place", "button.person"):
        page.locator(name).first.click()
        wrong += [f"{name}: {fault}" for fault in axe.violations(page)]
        page.keyboard.press("Escape")
    context.close()
    assert not wrong, "\n".join(wrong)
