"""The socket of logs: the same lines and filters as over HTTP, no faster than they are read, and only for who may."""

import asyncio
import json
import secrets
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator

from apps.building import ref_of
from apps.models import AppEnvironment, ObservedInstance
from backends.fake import FakeDriver, Mood
from console import log_stream
from console.sockets import Close
from core import seats
from portal.routing import sockets
from tenants.models import Grant, Token
from tests.conftest import Cast

pytestmark = pytest.mark.django_db(transaction=True)
WAIT = 10
HERE = "tenant=acme&project=shop&app=hello&environment=dev"
Open = Callable[..., Any]


@pytest.fixture
def dial(cast: Cast) -> Open:
    """`await dial("developer", "follow=true")`: a socket of a program of that person."""

    def make(name: str, query: str, place: str = HERE) -> Any:
        _token, text = Token.objects.create(getattr(cast, name), name=secrets.token_hex(8))
        headers = [(b"host", b"127.0.0.1"), (b"authorization", f"Bearer {text}".encode())]
        return WebsocketCommunicator(sockets, f"/ws/v1/logs?{place}&{query}", headers=headers)

    return sync_to_async(make)


@pytest.fixture
def spoken(running: AppEnvironment, driver: FakeDriver) -> AppEnvironment:
    """Instance 1 tells of an error in three lines; 2 and 3 say a line each."""
    say(
        driver,
        running,
        1,
        b"ERROR orders did not answer",
        b"  at reserve (checkout.js:118)",
        b"  at route (routes.js:64)",
    )
    say(driver, running, 2, b'{"level":40,"msg":"slow"}')
    say(driver, running, 3, b"\x1b[32mall\x1b[0m is <b>well</b> \xff")
    return running


def say(driver: FakeDriver, place: AppEnvironment, number: int, *lines: bytes) -> None:
    for line in lines:
        driver.say(ref_of(place, "web"), number, line)


async def frame(socket: Any) -> list[dict[str, Any]]:
    text = await socket.receive_from(timeout=WAIT)
    return [json.loads(line) for line in text.splitlines()]


async def begun(socket: Any) -> None:
    """Accepted, and the engine is being read."""
    assert (await socket.connect(timeout=WAIT))[0]
    assert await frame(socket) == []


async def code(socket: Any) -> int:
    """Of the close frame, whatever comes before it."""
    while True:
        message = await socket.receive_output(timeout=WAIT)
        if message["type"] == "websocket.close":
            return int(message["code"])


async def test_lines_with_their_levels_and_what_goes_on(spoken: AppEnvironment, dial: Open) -> None:
    socket = await dial("developer", "tail=3")
    await begun(socket)
    lines = await frame(socket)
    told = {(line["number"], line["text"]): (line["level"], line.get("goes_on", False)) for line in lines}
    assert told[1, "ERROR orders did not answer"] == ("error", False)
    assert told[1, "  at reserve (checkout.js:118)"] == ("error", True)
    assert told[2, '{"level":40,"msg":"slow"}'] == ("warn", False)
    assert told[3, "\x1b[32mall\x1b[0m is <b>well</b> \ufffd"] == ("", False)
    row = await ObservedInstance.objects.aget(place=spoken, number=2)
    assert {line["instance"] for line in lines if line["number"] == 2} == {str(row.pk)}
    assert [line["written_at"] for line in lines] == sorted(line["written_at"] for line in lines)
    assert await code(socket) == Close.DONE


@pytest.mark.parametrize(
    ("query", "texts"),
    [
        ("level=warn", ["ERROR orders", "  at reserve", "  at route", '{"level":40']),
        ("level=warn&number=2", ['{"level":40']),
        ("search=CHECKOUT.JS", ["  at reserve"]),
        ("newest=2", ['{"level":40', "\x1b[32mall"]),
        ("newest=100&until=2001-01-01T00:00:00Z", []),
        ("since=2099-01-01T00:00:00Z", []),
    ],
)
async def test_the_same_filters_as_over_http(spoken: AppEnvironment, dial: Open, query: str, texts: list[str]) -> None:
    socket = await dial("developer", query)
    await begun(socket)
    message = await socket.receive_output(timeout=WAIT)
    found = [json.loads(line)["text"] for line in message.get("text", "").splitlines()]
    assert [text[: len(wanted)] for text, wanted in zip(found, texts, strict=True)] == texts


async def test_it_follows_and_ends_with_its_reader(
    spoken: AppEnvironment, cast: Cast, driver: FakeDriver, dial: Open
) -> None:
    socket = await dial("developer", "follow=true&newest=1")
    await begun(socket)
    assert len(await frame(socket)) == 1
    assert seats.held(cast.developer.pk, kind="log") == 1
    for number in range(3):
        say(driver, spoken, 2, b"line %d" % number)
        assert [line["text"] for line in await frame(socket)] == [f"line {number}"]
        await socket.send_json_to({"ack": 1})
    await socket.disconnect()
    assert seats.held(cast.developer.pk, kind="log") == 0


async def test_no_more_than_eight_frames_run_ahead(
    spoken: AppEnvironment, driver: FakeDriver, dial: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = 0

    async def endless(query: Any) -> Any:
        nonlocal given
        line = spoken_line(driver, spoken)
        while True:
            given += 1
            yield line
            if not given % 50:
                await asyncio.sleep(0)

    monkeypatch.setattr(driver, "logs", endless)
    socket = await dial("developer", "follow=true")
    await begun(socket)
    for _frame in range(log_stream.CREDIT):
        await frame(socket)
    assert await socket.receive_nothing(timeout=0.3)
    before = given
    await socket.send_json_to({"ack": 2})
    await frame(socket)
    await frame(socket)
    assert await socket.receive_nothing(timeout=0.3)
    assert before <= given < before * 3
    await socket.disconnect()


def spoken_line(driver: FakeDriver, place: AppEnvironment) -> Any:
    (first, *_others) = [one for one in driver._services[ref_of(place, "web")].instances if one.lines]
    return first.lines[0]


@pytest.mark.parametrize("said", ['{"ack": 0}', '{"ack": 99}', '{"ack": "1"}', "[]", "ack", "{}"])
async def test_nonsense_ends_it(spoken: AppEnvironment, dial: Open, said: str) -> None:
    socket = await dial("developer", "follow=true")
    await begun(socket)
    await socket.send_to(said)
    assert await code(socket) == Close.BAD


async def test_a_long_line_is_cut_and_says_how_long_it_is(
    spoken: AppEnvironment, driver: FakeDriver, dial: Open
) -> None:
    say(driver, spoken, 1, b"y" * 100_000)
    socket = await dial("developer", "newest=1")
    await begun(socket)
    (line,) = await frame(socket)
    assert len(line["text"]) == log_stream.LONGEST_TEXT
    assert line["bytes"] == 100_000


@pytest.mark.parametrize(
    ("who", "query", "where", "wanted"),
    [
        ("guest", "", HERE, Close.DENIED),
        ("outsider", "", HERE, Close.NOT_FOUND),
        ("developer", "", HERE.replace("hello", "other"), Close.NOT_FOUND),
        ("developer", "", "tenant=acme", Close.BAD),
        ("developer", "service=db", HERE, Close.BAD),
        ("developer", "engine_id=x", HERE, Close.BAD),
        ("developer", "format=text", HERE, Close.BAD),
    ],
)
async def test_who_may_and_what_may_be_asked(
    running: AppEnvironment, dial: Open, who: str, query: str, where: str, wanted: Close
) -> None:
    socket = await dial(who, query, where)
    assert (await socket.connect(timeout=WAIT))[0]
    assert await code(socket) == wanted


async def test_a_right_that_is_lost_ends_it(
    spoken: AppEnvironment, cast: Cast, dial: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.sockets.ASK_AGAIN_SECONDS", 0.05)
    socket = await dial("developer", "follow=true")
    await begun(socket)
    await Grant.objects.filter(user=cast.developer).adelete()
    assert await code(socket) == Close.DENIED
    assert seats.held(cast.developer.pk, kind="log") == 0


async def test_an_engine_that_is_away_may_be_asked_again(
    running: AppEnvironment, driver: FakeDriver, dial: Open
) -> None:
    driver.mood = Mood.AWAY
    socket = await dial("developer", "follow=true")
    assert (await socket.connect(timeout=WAIT))[0]
    message = await socket.receive_output(timeout=WAIT)
    assert message["code"] == Close.AWAY
    assert "does not answer" in message["reason"]


async def test_an_instance_its_engine_forgot_is_gone_for_good(running: AppEnvironment, dial: Open) -> None:
    row = await database_sync_to_async(lambda: ObservedInstance.objects.filter(place=running).first())()
    assert row is not None
    await ObservedInstance.objects.filter(pk=row.pk).aupdate(engine_id="forgotten")
    socket = await dial("developer", f"instance={row.pk}&follow=true")
    assert (await socket.connect(timeout=WAIT))[0]
    assert await code(socket) == Close.NOT_FOUND


async def test_too_many_are_turned_away(
    running: AppEnvironment, cast: Cast, dial: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(seats.LIMITS, "log", seats.Limit(person=1, tenant=5))
    first, second = await dial("developer", "follow=true"), await dial("developer", "follow=true")
    await begun(first)
    assert (await second.connect(timeout=WAIT))[0]
    assert await code(second) == Close.TOO_MANY
    await first.disconnect()
    assert seats.held(cast.developer.pk, kind="log") == 0
