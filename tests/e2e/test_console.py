"""The console page in a real browser: open, type, resize, reload, search, several at once, exit, and who may not."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.console.programs import Program
from tests.e2e.browser import sign_in
from tests.e2e.portal import Portal, until
from tests.faults.caller import Caller, spec

pytestmark = pytest.mark.e2e
CONSOLE = "/t/demo/p/shop/apps/inside/console/?environment={}"
SLOW = 60_000


@pytest.fixture(scope="module")
def program(portal: Portal) -> Program:
    """App `inside` runs in dev and in prod."""
    caller = Caller(portal.url, portal.token())
    assert caller.ended(caller.deploy("inside", spec=spec(instances=2)))["state"] == "succeeded"
    sent = {"environment": "prod", "spec": spec()}
    answer = caller.post("/api/v1/tenants/demo/projects/shop/apps/inside/deployments", sent)
    assert caller.ended(answer.json)["state"] == "succeeded"
    found = Program(caller, "inside")
    until(lambda: caller.read(found.place)["running"] == 2, seconds=60)
    return found


@pytest.fixture
def console(page: Page, portal: Portal, program: Program) -> Iterator[Page]:
    """The page of dev with one console open, and its prompt there."""
    sign_in(page, portal)
    page.goto(CONSOLE.format("dev"))
    page.get_by_role("button", name="Open console").click()
    expect(page.locator("[data-console-state]")).to_have_text("connected", timeout=SLOW)
    expect(shown(page)).to_contain_text("$", timeout=SLOW)
    yield page
    for one in program.caller.read(f"{program.place}/consoles")["results"]:
        program.caller.send("DELETE", f"{program.place}/consoles/{one['id']}")


def shown(page: Page) -> Locator:
    return page.locator(".console-screen:not([hidden]) .xterm-rows")


def type_(page: Page, text: str) -> None:
    page.keyboard.type(text)
    page.keyboard.press("Enter")


@pytest.mark.both
def test_type_and_see_then_resize(console: Page) -> None:
    type_(console, "echo al''pha; stty size")
    expect(shown(console)).to_contain_text("alpha")
    size = console.locator("[data-console-size]").inner_text()
    columns, rows = re.findall(r"\d+", size)
    expect(shown(console)).to_contain_text(f"{rows} {columns}")
    console.set_viewport_size({"width": 1024, "height": 700})
    expect(console.locator("[data-console-size]")).not_to_have_text(size)
    columns, rows = re.findall(r"\d+", console.locator("[data-console-size]").inner_text())
    type_(console, "clear; stty size")
    expect(shown(console)).to_contain_text(f"{rows} {columns}")
    console.get_by_role("button", name="Larger text").click()
    expect(console.locator("[data-console-size]")).not_to_have_text(f"{columns} × {rows}")


def test_a_reload_brings_it_back(console: Page) -> None:
    type_(console, "here=still; echo be''fore")
    expect(shown(console)).to_contain_text("before")
    console.reload()
    expect(console.locator("[data-console-state]")).to_have_text("connected", timeout=SLOW)
    expect(shown(console)).to_contain_text("before")
    console.locator(".console-screen:not([hidden])").click()
    type_(console, 'echo "$here"-there')
    expect(shown(console)).to_contain_text("still-there")


def test_search_links_and_titles(console: Page) -> None:
    title = console.title()
    type_(console, r"printf '\033]0;evil\007\033]52;c;ZXZpbA==\007'; seq 101 130; echo http://example.com/x")
    expect(shown(console)).to_contain_text("http://example.com/x")
    console.keyboard.press("Control+Shift+F")
    console.keyboard.type("11")
    expect(console.locator("[data-console-found]")).to_have_text(re.compile(r"\d+ of 1\d"))
    console.keyboard.press("Enter")
    console.keyboard.press("Escape")
    expect(console.locator("[data-console-search]")).to_be_hidden()
    type_(console, "echo fo''cus")
    expect(shown(console)).to_contain_text("focus")
    assert console.title() == title


def test_the_keys_of_the_site_are_the_terminals_and_there_is_a_way_out(console: Page) -> None:
    for key in ("?", "/", "t", "d", "j"):
        console.keyboard.type(key)
    console.keyboard.press("Control+K")
    assert console.locator("dialog[open]").count() == 0
    expect(shown(console)).to_contain_text("?/tdj")
    console.keyboard.press("Control+Shift+Period")
    expect(console.get_by_role("tab", name=re.compile("web 1"))).to_be_focused()


def test_several_at_once_and_the_end_of_one(console: Page) -> None:
    type_(console, "who=first")
    console.get_by_label("Instance").select_option(index=1)
    console.get_by_role("button", name="Open console").click()
    expect(console.get_by_role("tab")).to_have_count(2)
    expect(console.locator("[data-console-state]")).to_have_text("connected", timeout=SLOW)
    expect(shown(console)).to_contain_text("$", timeout=SLOW)
    type_(console, 'echo "[$who]"; exit 4')
    expect(console.get_by_text("The shell ended with exit code 4.")).to_be_visible()
    expect(shown(console)).to_contain_text("[]")
    console.get_by_role("button", name="Close the tab").click()
    console.get_by_role("tab", name=re.compile("web 1")).click()
    console.locator(".console-screen:not([hidden])").click()
    type_(console, 'echo "[$who]"')
    expect(shown(console)).to_contain_text("[first]")
    console.get_by_role("button", name="End session").click()
    expect(console.locator("[data-console-state]")).to_have_text("ended")


def test_production_asks_why_and_the_audit_knows(page: Page, portal: Portal, program: Program) -> None:
    sign_in(page, portal)
    page.goto(CONSOLE.format("prod"))
    page.get_by_role("button", name="Open console").click()
    dialog = page.get_by_role("dialog", name=re.compile("Why do you need"))
    dialog.get_by_label("Reason").fill("INC-2107, slow checkout")
    dialog.get_by_role("button", name="Open console").click()
    expect(page.locator("[data-console-state]")).to_have_text("connected", timeout=SLOW)
    expect(page.get_by_text("Reason given: INC-2107, slow checkout.")).to_be_visible()
    page.get_by_role("button", name="End session").click()
    expect(page.locator("[data-console-state]")).to_have_text("ended")
    entries = program.caller.read("/api/v1/tenants/demo/audit?action=console.open")["results"]
    assert entries[0]["detail"]["reason"] == "INC-2107, slow checkout"


def test_a_lost_session_closes_it_within_two_seconds(console: Page) -> None:
    console.evaluate("""async () => {
        const csrf = JSON.parse(document.body.getAttribute('hx-headers:inherited'))['X-CSRFToken'];
        await fetch('/accounts/sign-out/', {method: 'POST', headers: {'X-CSRFToken': csrf}, redirect: 'manual'});
    }""")
    console.wait_for_url("**/accounts/sign-in/**", timeout=2_500)  # the page itself is sent to the door, too


def test_it_says_what_it_needs_without_scripts(chromium: Browser, portal: Portal, program: Program) -> None:
    context = chromium.new_context(base_url=portal.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/accounts/sign-in/")
    page.get_by_label("User name").fill("owner")
    page.get_by_label("Password").fill(portal.password)
    page.get_by_role("button", name="Sign in").click()
    page.goto(CONSOLE.format("dev"))
    instead = page.locator("main noscript > *")
    expect(instead.first).to_be_visible()
    expect(instead.first).to_contain_text("A console needs JavaScript")
    expect(instead.first).to_contain_text("/environments/dev/consoles")
    context.close()
