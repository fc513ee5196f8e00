"""Parts of a page that wait for the feed: what concerns them, bursts, a feed that is slow or away, a hidden page."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from tests.frontend.answered import HOME, Answer, until_held

pytestmark = pytest.mark.browser
PART = (
    '{% live "op" fragment="/part/" kinds="place: operation@" of="7" within="p1" %}'
    '{% fresh %}<b id="n">{{ n }}</b>{% endlive %}'
)
FIVE = '{% live "other" fragment="/other/" kinds="cluster" %}{% fresh %}{% endlive %}'


class Stage:
    """One page with one part; counts how often the part was fetched."""

    def __init__(self, page: Page, answers: dict[str, Answer], draw: Callable[..., str]) -> None:
        self.page, self.fetched, self.sockets = page, 0, list[WebSocketRoute]()
        page.set_default_timeout(20_000)  # a busy machine
        page.route_web_socket(re.compile("/ws/v1/feed"), lambda socket: self.sockets.append(socket))
        page.add_init_script("Math.random = () => 0;")  # the shortest wait

        def whole() -> str:
            html = draw(PART + FIVE, n=self.fetched)
            return html.replace("data-words=", 'data-live-feed="/ws/v1/feed" data-live-seq="4" data-words=', 1)

        def part() -> str:
            self.fetched += 1
            return whole()

        answers["/"], answers["/part/"], answers["/other/"] = whole, part, whole

    def open(self) -> WebSocketRoute:
        self.page.goto(HOME, wait_until="networkidle")
        self.page.wait_for_function("document.querySelector('#op [data-fresh]').textContent === 'live'")
        return self.sockets[-1]

    def shows(self, times: int) -> None:
        expect(self.page.locator("#n")).to_have_text(str(times))

    def says(self, words: str) -> None:
        expect(self.page.locator("#op [data-fresh]")).to_have_text(re.compile(words), timeout=10_000)


@pytest.fixture
def stage(page: Page, answers: dict[str, Answer], draw: Any) -> Stage:
    return Stage(page, answers, draw)


def test_one_socket_for_all_parts_and_only_what_concerns_each(stage: Stage) -> None:
    feed = stage.open()
    assert [one.url for one in stage.sockets] == ["ws://berth.test/ws/v1/feed?last_seq=4"]
    feed.send('{"seq": 5, "kind": "hello"}')
    feed.send('{"seq": 6, "kind": "place", "id": "8", "project": "p1"}')
    feed.send('{"seq": 7, "kind": "operation", "id": "o", "project": "p2"}')
    stage.page.wait_for_timeout(400)
    assert stage.fetched == 0
    feed.send('{"seq": 8, "kind": "place", "id": "7", "project": "p1"}')
    stage.shows(1)
    feed.send('{"seq": 9, "kind": "operation", "id": "o", "project": "p1"}')
    stage.shows(2)
    feed.send('{"seq": 10, "kind": "reset"}')
    stage.shows(3)


def test_the_first_of_a_burst_is_answered_at_once_and_the_rest_together(stage: Stage) -> None:
    feed = stage.open()
    held: list[Route] = []
    stage.page.route("**/part/", lambda route: held.append(route))  # noqa: PLW0108  a plain function is asked for
    feed.send('{"seq": 5, "kind": "place", "id": "7"}')
    until_held(stage.page, held, 1)  # what comes before it is asked for is in its answer
    for seq in range(6, 25):
        feed.send(f'{{"seq": {seq}, "kind": "place", "id": "7"}}')
    feed.send('{"kind": "slow"}')
    stage.says("live messages are away")  # so all of them have come
    stage.page.wait_for_timeout(500)
    assert len(held) == 1, "the first is answered at once, the others wait for it"
    held[0].fallback()
    until_held(stage.page, held, 2)
    held[1].fallback()
    stage.shows(2)
    stage.page.wait_for_timeout(500)
    assert len(held) == 2, "one answer for all the others"


def test_a_feed_that_nobody_rings_says_so(stage: Stage) -> None:
    feed = stage.open()
    feed.send('{"kind": "slow"}')
    stage.says("live messages are away, looking every few seconds")
    feed.send('{"seq": 8, "kind": "place", "id": "7"}')
    stage.shows(1)
    stage.says("live messages are away")
    feed.send('{"kind": "prompt"}')
    stage.says("^live$")


def test_without_a_socket_the_page_looks_by_itself_and_says_so(stage: Stage) -> None:
    feed = stage.open()
    feed.send('{"seq": 31, "kind": "hello"}')
    stage.page.evaluate("() => { window.WebSocket = class extends EventTarget { close() {} }; }")  # never opens
    feed.close(code=1012)
    stage.says("connection lost")
    expect(stage.page.locator("#n")).to_have_text("1", timeout=8000)
    stage.says("connection lost")


def test_a_lost_feed_comes_back_where_it_was(stage: Stage) -> None:
    feed = stage.open()
    feed.send('{"seq": 31, "kind": "hello"}')
    feed.close(code=1012)
    stage.says("connection lost")
    stage.says("^live$")
    assert stage.sockets[1].url.endswith("last_seq=31")


def test_a_page_in_the_back_catches_up_when_it_comes_to_the_front(stage: Stage) -> None:
    feed = stage.open()
    turn = """(hidden) => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    stage.page.evaluate(turn, True)
    feed.send('{"seq": 8, "kind": "place", "id": "7"}')
    stage.page.wait_for_timeout(500)
    assert stage.fetched == 0, "nobody looks"
    stage.page.evaluate(turn, False)
    stage.shows(1)
