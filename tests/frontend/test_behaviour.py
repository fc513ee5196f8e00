"""The scripts in a real browser: parts that wait for the feed, forms, sheets, theme, keys."""

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.http import HttpRequest
from django.template.loader import render_to_string
from playwright.sync_api import Browser, Page, Route, WebSocketRoute, expect

from console.styleguide import sample_context
from tests.frontend.answered import HOME, STATIC, Answer, until_held
from tests.frontend.samples import frame

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 1024, 390])
def test_the_style_guide_is_accessible_fits_and_breaks_no_policy(
    page: Page, answers: dict[str, Answer], said: list[str], page_request: HttpRequest, theme: str, width: int
) -> None:
    html = render_to_string("styleguide.html", sample_context() | {"frame": frame(theme=theme)}, page_request)
    answers["/"] = lambda: html
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(HOME, wait_until="networkidle")
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert said == []


def test_a_part_is_fetched_again_when_its_socket_rings(page: Page, answers: dict[str, Answer], draw: Any) -> None:
    state = {"word": "1 of 3", "fetched": 0}
    live = (
        '{% live "op" fragment="/part/" socket="/ws/v1/operations/7" seq=4 %}{% fresh %}<p id="word">{{ word }}</p>'
        '<details><summary>More</summary>text</details><input id="typed">{% endlive %}'
    )
    sockets: list[WebSocketRoute] = []
    page.route_web_socket(re.compile("/ws/v1/operations/7"), lambda socket: sockets.append(socket))

    def part() -> str:
        state["fetched"] += 1
        return str(draw(live, word=state["word"]))

    answers["/"] = answers["/part/"] = part
    page.goto(HOME, wait_until="networkidle")
    expect(page.locator("#word")).to_have_text("1 of 3")
    assert [socket.url for socket in sockets] == ["ws://berth.test/ws/v1/operations/7?last_seq=4"]
    page.locator("details").evaluate("part => { part.open = true; }")
    page.locator("#typed").fill("half a word")
    state["word"] = "3 of 3"
    sockets[0].send('{"seq": 9}')
    expect(page.locator("#word")).to_have_text("3 of 3")
    expect(page.locator("details")).to_have_attribute("open", "")
    assert page.locator("#typed").input_value() == "half a word", "a new fragment must not take what is being typed"
    expect(page.locator("#typed")).to_be_focused()


@pytest.mark.parametrize(("typed", "shown"), [("", "later"), ("mi", "mine later")])
def test_what_is_suggested_where_somebody_types_is_typed_over(
    typed: str, shown: str, page: Page, answers: dict[str, Answer], draw: Any
) -> None:
    def form(value: str) -> str:
        button = '<button hx-post="/more/" hx-target="#form" hx-select="#form" hx-swap="outerMorph">More</button>'
        return str(draw(f'<form id="form"><input id="name" type="text" value="{value}">{button}</form>'))

    answers["/"] = lambda: form("")
    held: list[Route] = []
    page.route("**/more/", lambda route: held.append(route))  # noqa: PLW0108  a plain function is asked for
    page.goto(HOME, wait_until="networkidle")
    page.get_by_role("button", name="More").click()
    until_held(page, held, 1)
    page.locator("#name").focus()
    page.keyboard.type(typed)
    held[0].fulfill(body=form("hello"), content_type="text/html")
    expect(page.locator("#name")).to_have_attribute("value", "hello")
    expect(page.locator("#name")).to_have_value(typed or "hello")
    page.keyboard.type("ne later" if typed else "later")
    expect(page.locator("#name")).to_have_value(shown)


def test_a_lost_socket_says_so_and_comes_back_where_it_was(page: Page, answers: dict[str, Answer], draw: Any) -> None:
    sockets: list[WebSocketRoute] = []
    page.route_web_socket(re.compile("/ws/"), lambda socket: sockets.append(socket))
    page.add_init_script("Math.random = () => 0;")  # the shortest wait
    html = draw('{% live "op" fragment="/" socket="/ws/x" seq=1 %}{% fresh %}{% endlive %}')
    answers["/"] = lambda: html
    page.goto(HOME, wait_until="networkidle")
    page.evaluate("""
        const mark = document.querySelector("#op [data-fresh]");
        const body = document.body;
        const keep = () => { body.dataset.told = `${body.dataset.told ?? ""}|${mark.className}: ${mark.textContent}`; };
        new MutationObserver(keep).observe(mark, { childList: true, characterData: true, subtree: true });
    """)
    with page.expect_request(f"{HOME}/"):
        sockets[0].send('{"seq": 12}')
    sockets[0].close(code=1011)
    told = re.compile(r"^\|fresh is-retry: connection lost, trying again in 1 s.*\|fresh: live$")
    expect(page.locator("body")).to_have_attribute("data-told", told)
    assert sockets[1].url.endswith("last_seq=12")


def test_a_socket_that_may_not_listen_any_more_stays_silent(page: Page, answers: dict[str, Answer], draw: Any) -> None:
    sockets: list[WebSocketRoute] = []
    page.route_web_socket(re.compile("/ws/"), lambda socket: sockets.append(socket))
    html = draw('{% live "op" fragment="/" socket="/ws/x" %}{% fresh %}<b class="num">3</b>{% endlive %}')
    answers["/"] = lambda: html
    page.goto(HOME, wait_until="networkidle")
    sockets[0].close(code=4403)
    expect(page.locator("#op")).to_have_class(re.compile("is-unfresh"))
    expect(page.locator("#op [data-fresh]")).to_have_class(re.compile("is-stale"))
    assert len(sockets) == 1


def test_without_a_socket_time_passes_and_the_end_stops_it(page: Page, answers: dict[str, Answer], draw: Any) -> None:
    state = {"left": 2}

    def part() -> str:
        state["left"] -= 1
        every = 'every="1"' if state["left"] > 0 else ""
        return str(draw(f'{{% live "op" fragment="/part/" {every} %}}<p id="left">{state["left"]}</p>{{% endlive %}}'))

    answers["/"] = answers["/part/"] = part
    page.goto(HOME, wait_until="networkidle")
    expect(page.locator("#left")).to_have_text("0")
    page.wait_for_timeout(1500)
    expect(page.locator("#left")).to_have_text("0")


@pytest.mark.parametrize("answer", [(401, "no"), (404, "gone"), (200, "<main>Sign in</main>")])
def test_an_ended_session_leaves_the_last_numbers_and_calls_them_old(
    page: Page, answers: dict[str, Answer], draw: Any, answer: tuple[int, str]
) -> None:
    html = draw('{% live "op" fragment="/part/" every=1 %}{% fresh %}<p id="n">3</p>{% endlive %}')
    answers["/"] = lambda: html
    answers["/part/"] = lambda: answer
    page.goto(HOME, wait_until="networkidle")
    expect(page.locator("#op [data-fresh]")).to_have_class(re.compile("is-stale"))
    expect(page.locator("#n")).to_have_text("3")


SHEET = (
    '{% sheet "Deploy" back="/" action="/send/" %}<input id="first" autofocus>{% slot "foot" %}'
    '{% button "Send" submit=True %}{% endslot %}{% endsheet %}'
)


def test_a_sheet_opens_over_its_page_with_its_address_and_gives_the_focus_back(
    page: Page, answers: dict[str, Answer], draw: Any, said: list[str]
) -> None:
    link = '<a id="opener" href="/deploy/" data-sheet>Deploy</a>'
    answers["/"] = lambda: draw(link)
    answers["/deploy/"] = lambda: draw(link, sheet=SHEET)
    page.goto(f"{HOME}/", wait_until="networkidle")
    page.click("#opener")
    expect(page.locator("#first")).to_be_focused()
    assert page.url == f"{HOME}/deploy/"
    assert page.evaluate("document.querySelector('.frame').inert")
    page.keyboard.press("Escape")
    expect(page.locator(".side-sheet")).to_have_count(0)
    assert page.url == f"{HOME}/"
    expect(page.locator("#opener")).to_be_focused()
    page.go_forward()
    expect(page.locator(".side-sheet")).to_have_count(1)
    assert said == []


def test_what_was_typed_in_a_sheet_is_not_lost_unasked(page: Page, answers: dict[str, Answer], draw: Any) -> None:
    link = '<a id="opener" href="/deploy/" data-sheet>Deploy</a>'
    answers["/"] = lambda: draw(link)
    answers["/deploy/"] = lambda: draw(link, sheet=SHEET)
    page.goto(f"{HOME}/", wait_until="networkidle")
    page.click("#opener")
    page.locator("#first").press_sequentially("x")
    asked: list[str] = []
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.keyboard.press("Escape")
    expect(page.locator(".side-sheet")).to_have_count(1)
    assert asked == ["What you changed here is not saved. Leave it?"]


def test_a_dialog_waits_for_the_name(page: Page, answers: dict[str, Answer], draw: Any) -> None:
    sent: list[str] = []
    html = draw(
        '{% button "Delete" opens="ask" %}'
        '{% dialog "Delete shop?" "/gone/" "Delete shop" "ask" name="shop" %}Gone.{% enddialog %}'
    )
    answers["/"] = lambda: html
    answers["/gone/"] = lambda: sent.append("sent") or "done"
    page.goto(HOME, wait_until="networkidle")
    page.click("text=Delete >> nth=0")
    page.locator("#ask-name").fill("sho")
    page.locator("#ask-name").press("Enter")
    assert sent == []
    page.locator("#ask-name").fill("shop")
    page.locator("#ask [type=submit]").click()
    page.wait_for_url("**/gone/")
    assert sent == ["sent"]


def test_keys_act_outside_fields_only(page: Page, answers: dict[str, Answer], draw: Any) -> None:
    names = ("one", "two")
    rows = "".join(
        f'{{% row %}}{{% cell %}}<a class="thing" href="/{name}">{name}</a>{{% endcell %}}{{% endrow %}}'
        for name in names
    )
    html = draw(f'<input id="typed">{{% list "Rows" %}}{{% col "Name" %}}{rows}{{% endlist %}}')
    answers["/"] = answers["/theme/"] = answers["/layout-dashboard/"] = lambda: html
    page.goto(HOME, wait_until="networkidle")
    page.locator("#typed").press("t")
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "light"
    assert page.locator("#typed").input_value() == "t"
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("t")
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
    assert "theme=dark" in page.evaluate("document.cookie")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("text=two")).to_be_focused()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("o")
    page.wait_for_url("**/layout-dashboard/")


def test_a_refused_request_is_told_and_changes_nothing(
    page: Page, answers: dict[str, Answer], draw: Any, page_request: HttpRequest
) -> None:
    html = draw('<button id="go" hx-post="/deed/" hx-target="#there">Go</button><p id="there">as it was</p>')
    problem = {
        "status": 409,
        "title": "A deployment runs already",
        "detail": "Wait for it.",
        "hint": "",
        "code": "conflict",
    }
    refused = render_to_string("door/problem.html", {"problem": problem, "frame": frame()}, page_request)
    answers["/"] = lambda: html
    answers["/deed/"] = lambda: (409, refused)
    page.goto(HOME, wait_until="networkidle")
    with page.expect_request("**/deed/") as asked:
        page.click("#go")
    assert asked.value.headers.get("x-csrftoken")
    expect(page.locator("#toasts .notice")).to_contain_text("A deployment runs already")
    expect(page.locator("#there")).to_have_text("as it was")


def test_a_form_with_errors_comes_back_in_place(page: Page, answers: dict[str, Answer], draw: Any) -> None:
    html = draw(
        '<form id="f" hx-post="/deed/" hx-swap="outerMorph"><input id="typed" name="a"><button>Go</button></form>'
    )
    answers["/"] = lambda: html
    answers["/deed/"] = lambda: (
        422,
        '<form id="f" hx-post="/deed/"><div data-problems tabindex="-1">One thing</div></form>',
    )
    page.goto(HOME, wait_until="networkidle")
    page.click("#f button")
    expect(page.locator("[data-problems]")).to_be_focused()


def test_the_page_is_whole_without_scripts(
    chromium: Browser, answers: dict[str, Answer], page: Page, draw: Any
) -> None:
    html = draw('{% dialog "Delete?" "/x/" "Delete" "ask" %}Gone.{% enddialog %}', sheet=SHEET)
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 390, "height": 800})
    context.route("**/static/vendor/berth.css", lambda route: route.fulfill(path=STATIC / "vendor/berth.css"))
    context.route(f"{HOME}/", lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8"))
    plain = context.new_page()
    plain.goto(f"{HOME}/")
    expect(plain.locator(".side-sheet")).to_be_visible()
    expect(plain.locator("button.find")).to_be_hidden()
    expect(plain.locator("a.find")).to_be_visible()
    expect(plain.locator(".side-sheet a[href='/']").first).to_be_visible()
    context.close()
