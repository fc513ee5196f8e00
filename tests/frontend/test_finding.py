"""Ctrl K and the place switcher in a real browser, with answers that come late, in the wrong order, or not at all."""

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.http import HttpRequest
from django.template.loader import render_to_string
from playwright.sync_api import Page, Route, expect

from tests.frontend.answered import HOME, Answer, until_held

pytestmark = pytest.mark.browser
Found = Callable[[str], str]


@pytest.fixture
def found(page_request: HttpRequest) -> Found:
    """The list for a query: two entries named after it; nothing for "none"."""

    def entry(label: str, **more: Any) -> SimpleNamespace:
        return SimpleNamespace(label=label, url=f"/{label.replace(' ', '-')}/", icon="box", tail="acme", **more)

    def make(query: str) -> str:
        word = query or "recent"
        entries = [entry(f"{word} one"), entry(f"{word} two"), entry(f"do {word}", post=True)]
        groups = [] if query == "none" else [SimpleNamespace(key="apps", title="Apps", entries=entries)]
        return render_to_string("portal/_found.html", {"groups": groups}, page_request)

    return make


def query_of(route: Route) -> str:
    return parse_qs(urlsplit(route.request.url).query, keep_blank_values=True)["q"][0]


@pytest.fixture
def opened(page: Page, answers: dict[str, Answer], draw: Any, found: Found) -> Page:
    html = draw()
    answers["/"] = lambda: html
    page.route(
        re.compile(r"/search/\?"), lambda route: route.fulfill(body=found(query_of(route)), content_type="text/html")
    )
    page.goto(HOME, wait_until="networkidle")
    return page


def test_it_opens_finds_and_goes_by_keyboard(opened: Page, answers: dict[str, Answer], draw: Any) -> None:
    html = draw("there")
    answers["/shop-two/"] = lambda: html
    opened.keyboard.press("Control+k")
    field = opened.get_by_role("combobox")
    expect(field).to_be_focused()
    expect(opened.get_by_role("option", name="recent one")).to_have_attribute("aria-selected", "true")
    opened.keyboard.type("shop")
    expect(opened.get_by_role("option", name="shop one")).to_have_attribute("aria-selected", "true")
    expect(opened.locator("#announcer")).to_have_text("3 found")
    opened.keyboard.press("ArrowUp")
    expect(opened.get_by_role("option", name="do shop")).to_have_attribute("aria-selected", "true")
    opened.keyboard.press("ArrowDown")
    opened.keyboard.press("ArrowDown")
    second = opened.get_by_role("option", name="shop two")
    expect(second).to_have_attribute("aria-selected", "true")
    assert field.get_attribute("aria-activedescendant") == second.get_attribute("id")
    opened.keyboard.press("Enter")
    opened.wait_for_url("**/shop-two/")


def test_what_is_done_is_sent_with_the_token(opened: Page, answers: dict[str, Answer], draw: Any) -> None:
    html = draw("done")
    answers["/do-shop/"] = lambda: html
    opened.keyboard.press("Control+k")
    opened.keyboard.type("shop")
    opened.get_by_role("option", name="do shop").wait_for()
    opened.keyboard.press("ArrowUp")
    with opened.expect_request("**/do-shop/") as sent:
        opened.keyboard.press("Enter")
    opened.wait_for_url("**/do-shop/")  # a browser that is closed on its way may never end
    assert sent.value.method == "POST"
    assert "csrfmiddlewaretoken=" in (sent.value.post_data or "")


def test_enter_waits_for_the_list_of_what_was_typed(
    page: Page, answers: dict[str, Answer], draw: Any, found: Found
) -> None:
    html = draw()
    answers["/"] = answers["/shop-one/"] = lambda: html
    held: list[Route] = []
    page.route(re.compile(r"/search/\?q=shop"), lambda route: held.append(route))  # noqa: PLW0108  a plain function is asked for
    page.route(re.compile(r"/search/\?q=&"), lambda route: route.fulfill(body=found(""), content_type="text/html"))
    page.goto(HOME, wait_until="networkidle")
    page.keyboard.press("Control+k")
    page.get_by_role("option", name="recent one").wait_for()
    page.keyboard.type("shop")
    with page.expect_request(re.compile(r"/search/\?q=shop")):
        page.keyboard.press("Enter")
    until_held(page, held, 1)
    assert page.url.rstrip("/") == HOME, "it does not open what was listed for nothing typed"
    for route in held:
        route.fulfill(body=found("shop"), content_type="text/html")
    page.wait_for_url("**/shop-one/")


def test_an_answer_that_is_too_late_is_not_shown(
    page: Page, answers: dict[str, Answer], draw: Any, found: Found
) -> None:
    html = draw()
    answers["/"] = lambda: html
    held: list[Route] = []

    def answer(route: Route) -> None:
        if query_of(route) == "a":
            held.append(route)
        else:
            route.fulfill(body=found(query_of(route)), content_type="text/html")

    page.route(re.compile(r"/search/\?"), answer)
    page.goto(HOME, wait_until="networkidle")
    page.keyboard.press("Control+k")
    with page.expect_request(re.compile(r"/search/\?q=a&")):
        page.keyboard.type("a")
    until_held(page, held, 1)
    page.keyboard.type("b")
    page.get_by_role("option", name="ab one").wait_for()
    with page.expect_response(re.compile(r"/search/\?q=a&")):
        held[0].fulfill(body=found("a"), content_type="text/html")
    expect(page.get_by_role("option", name="ab one")).to_be_visible()
    expect(page.get_by_role("option", name="a one", exact=True)).to_have_count(0)


def test_nothing_found_is_said(opened: Page) -> None:
    opened.keyboard.press("Control+k")
    opened.keyboard.type("none")
    expect(opened.locator("#palette").get_by_text("Nothing fits")).to_be_visible()
    assert opened.locator("[aria-activedescendant]").count() == 0
    opened.keyboard.press("Enter")
    assert opened.url.rstrip("/") == HOME


def test_without_an_answer_the_pages_stay_listed(page: Page, answers: dict[str, Answer], draw: Any) -> None:
    html = draw()
    answers["/"] = lambda: html
    page.route(re.compile(r"/search/\?"), lambda route: route.abort())
    page.goto(HOME, wait_until="networkidle")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option", name="Home")).to_be_visible()


def test_places_are_asked_for_as_one_types(opened: Page, answers: dict[str, Answer], draw: Any) -> None:
    html = draw("there")
    answers["/t/acme/p/far/"] = lambda: html
    fresh = '<div class="found" id="places-found"><ul><li><a href="/t/acme/p/far/">far</a></li></ul></div>'
    opened.route(re.compile("/search/places/"), lambda route: route.fulfill(body=fresh, content_type="text/html"))
    opened.locator("button.place").click()
    expect(opened.get_by_label("Find a tenant or project")).to_be_focused()
    opened.keyboard.type("far")
    expect(opened.locator('#places-found a[href$="/far/"]')).to_have_class(re.compile("is-on"))
    opened.keyboard.press("Enter")
    opened.wait_for_url("**/t/acme/p/far/")
