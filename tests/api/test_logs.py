"""Logs over HTTP: which lines, in which form, for whom, and what happens when nobody listens any more."""

import asyncio
import io
import json
import secrets
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient
from rest_framework.test import APIClient

from apps.building import ref_of
from apps.models import AppEnvironment, ObservedInstance
from backends.fake import FakeDriver, Mood
from core import seats
from core.api import streaming
from tenants.models import Token
from tests.conftest import Cast

LOGS = "/api/v1/tenants/acme/projects/shop/apps/hello/environments/dev/logs"
Fetch = Callable[..., tuple[Any, bytes]]


@pytest.fixture
def fetch(cast: Cast) -> Fetch:
    """Read a whole stream as a person by token: (response, body)."""

    def read(name: str, path: str, **headers: str) -> tuple[Any, bytes]:
        _token, text = Token.objects.create(getattr(cast, name), name=secrets.token_hex(8))

        async def ask() -> tuple[Any, bytes]:
            response = await AsyncClient().get(path, headers={"Authorization": f"Bearer {text}"} | headers)
            if not response.streaming:
                return response, response.content
            return response, b"".join([piece async for piece in response])

        return async_to_sync(ask)()

    return read


@pytest.fixture
def spoken(running: AppEnvironment, driver: FakeDriver) -> AppEnvironment:
    """Each of the three instances has said one line of its own."""
    for number in (1, 2, 3):
        driver.say(ref_of(running, "web"), number, f"hello from {number} \xff".encode("latin-1"))
    return running


def test_plain_text_of_all_instances(spoken: AppEnvironment, fetch: Fetch) -> None:
    response, body = fetch("developer", LOGS)
    assert response.status_code == 200
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"] == "private, no-store"
    lines = body.splitlines()
    assert sorted(lines) == lines, "they are in the order of time"
    assert [line.split(b" ", 2)[1:] for line in lines if b"hello from" in line] == [
        [f"web.{number}".encode(), f"hello from {number} \xff".encode("latin-1")] for number in (1, 2, 3)
    ]


def test_json_lines(spoken: AppEnvironment, fetch: Fetch) -> None:
    response, body = fetch("developer", f"{LOGS}?search=FROM%202", Accept="application/x-ndjson")
    assert response["Content-Type"] == "application/x-ndjson"
    (line,) = map(json.loads, body.splitlines())
    row = ObservedInstance.objects.get(place=spoken, number=2)
    assert (line["service"], line["number"], line["instance"]) == ("web", 2, str(row.pk))
    assert line["text"] == "hello from 2 \ufffd"
    assert datetime.fromisoformat(line["written_at"]) <= datetime.now(UTC) + timedelta(seconds=5)
    assert fetch("developer", f"{LOGS}?search=FROM%202&format=ndjson")[1] == body


def test_one_instance_and_the_newest_line(spoken: AppEnvironment, fetch: Fetch) -> None:
    row = ObservedInstance.objects.get(place=spoken, number=3)
    lines = fetch("developer", f"{LOGS}?instance={row.pk}&tail=1")[1].splitlines()
    assert len(lines) == 1
    assert b"hello from 3" in lines[0]
    assert fetch("developer", f"{LOGS}?tail=0")[1] == b""


def test_a_time_span(spoken: AppEnvironment, fetch: Fetch) -> None:
    assert fetch("developer", f"{LOGS}?since=2099-01-01T00:00:00Z")[1] == b""
    assert fetch("developer", f"{LOGS}?until=2001-01-01T00:00:00Z")[1] == b""
    assert b"hello from 1" in fetch("developer", f"{LOGS}?since=2001-01-01T00:00:00Z&until=2099-01-01T00:00:00Z")[1]


@pytest.mark.parametrize("path", [LOGS, f"{LOGS}/download"])
def test_who_may_read(spoken: AppEnvironment, fetch: Fetch, path: str, api: Callable[[str], APIClient]) -> None:
    assert fetch("guest", path)[0].status_code == 403
    assert fetch("guest", path)[0].json()["permission"] == "log.view"
    foreign, body = fetch("outsider", path)
    missing, nothing = fetch("outsider", path.replace("hello", "no-such-app"))
    assert (foreign.status_code, missing.status_code) == (404, 404)
    assert body == nothing
    assert APIClient().get(path).status_code == 401


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("service=db", "service"),
        ("instance=0192f0a0-0000-7000-8000-000000000000", "instance"),
        ("tail=-1", "tail"),
        ("tail=999999999", "tail"),
        ("since=yesterday", "since"),
        ("search=%00", "search"),
        ("lines=5", "lines"),
        ("tail=1&tail=2", "tail"),
    ],
)
def test_wrong_questions(running: AppEnvironment, fetch: Fetch, query: str, field: str) -> None:
    response, _body = fetch("developer", f"{LOGS}?{query}")
    assert response.status_code == 400, response.content
    assert response["Content-Type"] == "application/problem+json"
    assert [problem["field"] for problem in response.json()["errors"]] == [field]


def test_nothing_deployed_has_no_lines(place: AppEnvironment, fetch: Fetch) -> None:
    response, body = fetch("developer", LOGS)
    assert (response.status_code, body) == (200, b"")


def test_an_engine_that_is_away_is_an_answer_of_its_own(
    running: AppEnvironment, driver: FakeDriver, fetch: Fetch
) -> None:
    driver.mood = Mood.AWAY
    for path in (LOGS, f"{LOGS}?follow=true", f"{LOGS}/download"):
        response, _body = fetch("developer", path)
        assert response.status_code == 503, path
        assert response.json()["code"] == "cluster_away"
        assert response["Retry-After"] == "10"


def test_an_instance_that_its_engine_forgot(running: AppEnvironment, fetch: Fetch) -> None:
    row = ObservedInstance.objects.filter(place=running).order_by("number")[0]
    ObservedInstance.objects.filter(pk=row.pk).update(engine_id="forgotten")
    for path in (f"{LOGS}?instance={row.pk}", f"{LOGS}/download?instance={row.pk}"):
        response, _body = fetch("developer", path)
        assert (response.status_code, response.json()["code"]) == (409, "instance_gone")
    archive = zipfile.ZipFile(io.BytesIO(fetch("developer", f"{LOGS}/download")[1]))
    assert len(archive.namelist()) == 3
    assert b"web/1-" in archive.read("left-out.txt")


def test_download_of_one_instance_is_a_file(spoken: AppEnvironment, fetch: Fetch) -> None:
    row = ObservedInstance.objects.get(place=spoken, number=2)
    response, body = fetch("developer", f"{LOGS}/download?instance={row.pk}")
    assert response["Content-Disposition"] == 'attachment; filename="hello-dev-web-2.log"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "hello from 2 \xff".encode("latin-1") in body
    assert b"hello from 1" not in body


def test_download_of_several_keeps_them_apart(spoken: AppEnvironment, fetch: Fetch) -> None:
    response, body = fetch("developer", f"{LOGS}/download")
    assert response["Content-Type"] == "application/zip"
    assert response["Content-Disposition"] == 'attachment; filename="hello-dev-logs.zip"'
    archive = zipfile.ZipFile(io.BytesIO(body))
    assert archive.testzip() is None
    names = sorted(archive.namelist())
    assert [name.rsplit("-", 1)[0] for name in names] == ["web/1", "web/2", "web/3"]
    for number, name in enumerate(names, 1):
        assert f"hello from {number} ".encode() in archive.read(name)


def test_download_with_a_search_holds_only_what_was_found(spoken: AppEnvironment, fetch: Fetch) -> None:
    row = ObservedInstance.objects.get(place=spoken, number=2)
    lines = fetch("developer", f"{LOGS}/download?instance={row.pk}&search=hello%20from")[1].splitlines()
    assert len(lines) == 1


class Listener:
    """Follows a log in a running loop."""

    def __init__(self, text: str) -> None:
        self.text = text

    async def __aenter__(self) -> Any:
        client = AsyncClient()
        self.response = await client.get(f"{LOGS}?follow=true&tail=0", headers={"Authorization": f"Bearer {self.text}"})
        if self.response.streaming:
            self.pieces = aiter(self.response)
            self.coming = asyncio.create_task(anext(self.pieces))
            await asyncio.sleep(0)  # it begins to read
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.response.streaming:
            self.coming.cancel()  # what the server does with its writer when the client hangs up
            await asyncio.wait([self.coming])
            await self.pieces.aclose()

    async def next(self) -> bytes:
        async with asyncio.timeout(5):
            return await self.coming


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.01)


def test_following_gives_what_is_said_later_and_ends_with_the_reader(
    running: AppEnvironment, cast: Cast, driver: FakeDriver
) -> None:
    _token, text = Token.objects.create(cast.developer, name="follow")
    ref = ref_of(running, "web")

    async def follow() -> None:
        async with Listener(text) as listener:
            driver.say(ref, 1, b"later")
            assert (await listener.next()).endswith(b" web.1 later\n")
            assert seats.held(cast.developer.pk, kind="log") == 1
        await until(lambda: seats.held(cast.developer.pk, kind="log") == 0)

    async_to_sync(follow)()


def test_a_person_has_eight_streams_at_most(running: AppEnvironment, cast: Cast) -> None:
    _token, text = Token.objects.create(cast.developer, name="many")

    async def open_many() -> None:
        listeners = [Listener(text) for _each in range(seats.LIMITS["log"].person)]
        for listener in listeners:
            await listener.__aenter__()
        async with Listener(text) as ninth:
            assert ninth.response.status_code == 429
            assert ninth.response.json()["code"] == "too_many_streams"
            assert int(ninth.response["Retry-After"]) > 0
        await listeners[0].__aexit__()
        await until(lambda: seats.held(cast.developer.pk, kind="log") < seats.LIMITS["log"].person)
        async with Listener(text) as tenth:
            assert tenth.response.status_code == 200
        for listener in listeners[1:]:
            await listener.__aexit__()
        await until(lambda: seats.held(cast.developer.pk, kind="log") == 0)

    async_to_sync(open_many)()


def test_a_revoked_token_ends_the_stream(running: AppEnvironment, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "ASK_AGAIN_SECONDS", 0.05)
    token, text = Token.objects.create(cast.developer, name="revoked")

    async def follow() -> None:
        async with Listener(text) as listener:
            await Token.objects.filter(pk=token.pk).adelete()
            with pytest.raises(StopAsyncIteration):
                await listener.next()

    async_to_sync(follow)()


def test_a_stream_nobody_begins_to_read_ends(
    running: AppEnvironment, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "UNREAD_SECONDS", 0.05)
    _token, text = Token.objects.create(cast.developer, name="unread")

    async def ask() -> None:
        await AsyncClient().get(f"{LOGS}?follow=true", headers={"Authorization": f"Bearer {text}"})
        assert seats.held(cast.developer.pk, kind="log") == 1
        await until(lambda: seats.held(cast.developer.pk, kind="log") == 0)

    async_to_sync(ask)()


def test_a_head_request_opens_nothing(running: AppEnvironment, cast: Cast) -> None:
    _token, text = Token.objects.create(cast.developer, name="head")

    async def ask() -> None:
        response = await AsyncClient().head(f"{LOGS}?follow=true", headers={"Authorization": f"Bearer {text}"})
        assert response.status_code == 200
        assert seats.held(cast.developer.pk, kind="log") == 0

    async_to_sync(ask)()


async def test_a_pump_reads_only_a_little_ahead() -> None:
    given = 0

    async def endless() -> Any:
        nonlocal given
        while True:
            given += 1024
            yield b"x" * 1024

    pump = streaming.Pump(endless(), seats.take(None, None, kind="log"))
    await pump.begun(1)
    await until(lambda: given >= streaming.MOST_HELD)
    for _turn in range(100):
        await asyncio.sleep(0)
    assert given <= streaming.MOST_HELD + 1024
    pieces = pump.pieces()
    assert len(await anext(pieces)) == given
    await pieces.aclose()
    await pump.close()
