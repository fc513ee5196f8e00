"""Every page for everyone: readers, keyboards, both themes, both languages, three widths, calm and high contrast."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from benchmarks.client import Client
from scripts.catalogue import DEV, DOORS, HELLO, SHOP, SIGHTS
from scripts.screenshots import story
from tests.e2e import axe
from tests.e2e.browser import sign_in
from tests.e2e.portal import Portal
from tests.engine import LiveEngine

pytestmark = pytest.mark.e2e
SLOW = 90_000
AS = [("en", "light"), ("zh-hans", "dark")]  # what is wrong in one language is so in both themes, and the other way
ENGLISH_TIMES = re.compile(r"\b(ago|yesterday|in \d|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b")
FOCUSED = """() => {
  const part = document.activeElement;
  const css = getComputedStyle(part), box = part.getBoundingClientRect();
  const around = [part, part.parentElement, part.closest("label, .field, .ask")]
    .filter(Boolean).map((one) => getComputedStyle(one));
  const node = part.querySelector(".node");
  const drawn = node !== null && parseFloat(getComputedStyle(node).strokeWidth) > 2;
  return {
    html: part.outerHTML.slice(0, 120),
    body: part === document.body,
    seen: around.some((one) => one.outlineStyle !== "none" && parseFloat(one.outlineWidth) >= 1) || drawn,
    shown: box.width > 0 && box.height > 0 && css.visibility !== "hidden",
  };
}"""
STOPS = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary")].filter(
  (part) => part.checkVisibility({visibilityProperty: true}) && part.tabIndex >= 0 && !part.disabled).length"""
HEARD_OF_DEPLOY = (
    'dialog "Deploy"',
    'group "Environment"',
    'button "dev" [pressed]',
    'group "Edit as"',
    'link "Close"',
    'heading "Image"',
    'searchbox "Find an image, or type its name"',
    'radiogroup "Image"',
    'radio "berth/hello:1',
    'textbox "Name of the app"',
    'heading "Settings"',
    "Instances and ports",
    "Health check",
    "Resources",
    "Environment variables",
    'button "Deploy to dev"',
)
Look = Callable[..., Any]


@pytest.fixture(scope="module")
def told_portal(tmp_path_factory: pytest.TempPathFactory, engine: LiveEngine) -> Iterator[Portal]:
    """A portal of its own, in which the story of the pictures has happened."""
    made = Portal.prepared(tmp_path_factory.mktemp("everyone"), engine)
    made.start()
    try:
        story(Client(int(made.url.rpartition(":")[2]), token=made.token("everyone")))
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def cookies(chromium: Browser, told_portal: Portal) -> StorageState:
    context = chromium.new_context(base_url=told_portal.url)
    sign_in(context.new_page(), told_portal)
    kept = context.storage_state()
    context.close()
    return kept


@pytest.fixture
def look(chromium: Browser, told_portal: Portal, cookies: StorageState) -> Look:
    """`with look(language="zh-hans", theme="dark", ...) as page`: signed in; complaints of the console fail."""

    @contextmanager
    def opened(*, language: str = "en", theme: str = "light", **more: Any) -> Iterator[Page]:
        more = {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce"} | more
        context = chromium.new_context(base_url=told_portal.url, storage_state=cookies, **more)
        context.set_default_timeout(15_000)
        chosen = {"theme": theme, "language": language}
        context.add_cookies([{"name": key, "value": text, "url": told_portal.url} for key, text in chosen.items()])
        page, complaints = context.new_page(), list[str]()
        page.on("console", lambda said: complaints.append(f"{page.url}: {said.text}") if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        yield page
        context.close()
        complaints = [one for one in complaints if "/nothing/here/" not in one]  # that one is a 404 on purpose
        assert not complaints, complaints

    return opened


@pytest.mark.parametrize(("language", "theme"), AS)
def test_every_page(language: str, theme: str, look: Look) -> None:
    """axe finds nothing, nothing is cut off, nothing scrolls sideways; menus and dialogs too."""
    wrong: list[str] = []
    with look(language=language, theme=theme) as page:
        for sight in SIGHTS:
            answer = page.goto(sight.address)
            assert answer is not None
            assert answer.status == (404 if sight.name == "missing" else 200), (sight, answer.status)
            found = axe.faults(page) + axe.floating_faults(page) + dates(page, language)
            wrong += [f"{sight.name}: {fault}" for fault in found]
        page.goto(SIGHTS[0].address)
        wrong += [f"frame: {fault}" for fault in axe.floating_faults(page, frame=True)]
    assert not wrong, "\n".join(wrong)


def dates(page: Page, language: str) -> list[str]:
    """Times that are said in another language than the page's."""
    if language == "en":
        return []
    said = page.locator("time:visible").all_inner_texts()
    return [f"an English time: {text}" for text in said if ENGLISH_TIMES.search(text)]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_door(language: str, theme: str, chromium: Browser, told_portal: Portal) -> None:
    context = chromium.new_context(base_url=told_portal.url, reduced_motion="reduce")
    chosen = {"theme": theme, "language": language}
    context.add_cookies([{"name": key, "value": text, "url": told_portal.url} for key, text in chosen.items()])
    page = context.new_page()
    for sight in DOORS:
        page.goto(sight.address)
        assert axe.faults(page) == []
    page.get_by_role("textbox").first.fill("nobody")
    page.locator("input[type=password]").fill("nothing at all")
    page.keyboard.press("Enter")
    page.locator(".has-error, .note.is-bad, [role=alert]").first.wait_for()
    assert axe.faults(page) == []
    context.close()


def test_nothing_moves_for_those_who_asked_for_calm(look: Look) -> None:
    """The control: the same parts do move for everybody else."""
    turning = """() => document.querySelectorAll(".state").forEach((part) => part.classList.add("is-busy"))"""
    moving = {}
    for motion in ("reduce", "no-preference"):
        with look(reduced_motion=motion) as page:
            page.goto(HELLO + DEV)
            page.evaluate(turning)
            moving[motion] = page.evaluate(axe.STILL)
    assert moving["reduce"] == []
    assert moving["no-preference"]


def test_states_can_be_told_apart_in_forced_colours(look: Look) -> None:
    """Words and glyphs carry the state, so it stays when the system takes all our colours."""
    with look(forced_colors="active") as page:
        for address in (HELLO + DEV, f"{SHOP}apps/broken/{DEV}", SHOP):
            page.goto(address)
            assert page.evaluate("matchMedia('(forced-colors: active)').matches")
            for part in page.locator(".state:visible").all():
                assert part.inner_text().strip(), part.evaluate("part => part.outerHTML")
                assert part.locator("svg").count() == 1
            for cell in page.locator(".instance-grid .cell:visible").all():
                assert cell.evaluate("cell => getComputedStyle(cell).borderTopStyle") != "none"


def test_the_keyboard_reaches_everything_and_shows_where_it_is(look: Look) -> None:
    with look() as page:
        page.goto(HELLO + DEV)
        page.keyboard.press("Tab")
        skip = page.locator(":focus")
        expect(skip).to_have_text("Skip to content")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        page.goto(HELLO + DEV)  # to begin anew
        wanted = page.evaluate(STOPS)
        reached, invisible = 0, []
        for _press in range(wanted + 20):
            page.keyboard.press("Tab")
            now = page.evaluate(FOCUSED)
            if now["body"]:
                break
            reached += 1
            if not (now["seen"] and now["shown"]):
                invisible.append(now["html"])
        assert not invisible, "\n".join(invisible)
        assert reached >= wanted - 2  # radio buttons of one group are one stop


def test_what_floats_gives_the_focus_back(look: Look) -> None:
    with look() as page:
        page.goto(HELLO + DEV)
        opener = page.get_by_role("button", name=re.compile("^Go to or do"))
        opener.focus()
        page.keyboard.press("Enter")
        expect(page.locator("dialog.palette[open]")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("dialog.palette[open]")).to_have_count(0)
        expect(opener).to_be_focused()
        page.goto(SHOP)
        link = page.locator("main a[data-sheet]").first
        link.focus()
        page.keyboard.press("Enter")
        sheet = page.get_by_role("dialog", name=re.compile("Deploy"))
        expect(sheet).to_be_visible()
        assert page.evaluate("document.querySelector('.side-sheet').contains(document.activeElement)")
        page.keyboard.press("Escape")
        expect(sheet).to_be_hidden()
        expect(link).to_be_focused()


def test_an_operation_opens_beside_the_activity_and_its_address_keeps_it(look: Look) -> None:
    with look() as page:
        page.goto(f"{SHOP}activity/")
        link = page.locator("main a[data-sheet]").first
        link.click()
        sheet = page.get_by_role("dialog", name=re.compile("release"))
        expect(sheet.locator(".step-list")).to_be_visible()
        assert "operation=" in page.url
        assert axe.faults(page) == []
        page.keyboard.press("Escape")
        expect(sheet).to_be_hidden()
        expect(link).to_be_focused()
        page.go_forward()
        expect(sheet).to_be_visible()
        page.reload()
        expect(sheet.locator(".step-list")).to_be_visible()
        page.keyboard.press("[")
        page.wait_for_url(re.compile("operation="))
        page.keyboard.press("Escape")
        page.wait_for_url(re.compile("activity/$"))
        expect(sheet).to_be_hidden()


def press_until(page: Page, key: str, there: str, *, most: int = 120) -> None:
    """Press a key until the focused element matches a selector."""
    stops = []
    for _press in range(most):
        page.keyboard.press(key)
        if page.evaluate("(there) => document.activeElement.matches(there)", there):
            return
        stops.append(page.evaluate("document.activeElement.outerHTML.slice(0, 80)"))
    raise AssertionError(f"{key} never reached {there}, but {stops}")


def test_a_deployment_by_keyboard_alone(look: Look) -> None:
    with look() as page:
        page.goto(SHOP)
        page.keyboard.press("d")
        expect(page.get_by_role("dialog", name=re.compile("Deploy"))).to_be_visible()
        press_until(page, "Tab", "input[name=image]")
        page.keyboard.press("Space")
        press_until(page, "Tab", "input[name=name]")
        page.keyboard.press("Control+a")
        page.keyboard.type("by-keyboard")
        expect(page.locator("#deploy-foot")).to_contain_text("Makes by-keyboard with release 1")
        press_until(page, "Tab", "button[name=go][value=deploy]")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r"/apps/by-keyboard/deployments/1/$"))
        expect(page.get_by_text("Done.", exact=True)).to_be_visible(timeout=SLOW)


def test_what_a_reader_hears_of_the_deploy_panel(look: Look) -> None:
    """docs/guide/accessibility.md tells it in words; these are the names, roles and live parts it stands on."""
    with look() as page:
        page.goto(f"{SHOP}deploy/{DEV}")
        sheet = page.get_by_role("dialog", name=re.compile("Deploy"))
        expect(sheet).to_have_attribute("aria-modal", "true")
        assert page.locator(".frame[inert]").count() == 1, "what lies below is not read"
        heard = sheet.aria_snapshot()
        places = [heard.find(words) for words in HEARD_OF_DEPLOY]
        assert -1 not in places, heard
        assert places == sorted(places), "another order than the guide tells"
        for field in sheet.locator("input:visible, select:visible, textarea:visible").all():
            name = field.evaluate("field => field.labels?.[0]?.innerText || field.getAttribute('aria-label') || ''")
            assert name.strip(), field.evaluate("field => field.outerHTML")
        assert page.locator("#announcer[role=status]").count() == 1
        assert page.locator("#toasts[aria-live=polite]").count() == 1


def test_what_a_reader_hears_of_the_logs(look: Look) -> None:
    with look() as page:
        page.goto(f"{HELLO}logs/{DEV}")
        log = page.get_by_role("log")
        expect(log).to_have_attribute("aria-label", "Lines of hello in dev")
        assert log.get_attribute("tabindex") == "0"
        heard = page.locator("main").aria_snapshot()
        for words in ("heading", "search", "Search in the log", "Pause", "Download", "Range", "Instances"):
            assert words in heard, heard
