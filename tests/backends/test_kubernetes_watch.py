"""What a watch does when its stream ends, breaks off, falls silent or was forgotten: against a server that plays it."""

import asyncio
import json
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from backends.contract import DriverError, EngineNotice, ReasonCode
from backends.kubernetes import store, watch
from backends.kubernetes.access import Access
from backends.kubernetes.kinds import path
from backends.kubernetes.store import Store
from backends.kubernetes.wire import Wire
from tests.backends.raw_kubernetes import REF, ended, pod, spec

SECONDS = 20
PODS = path("Pod")
END, CUT, SILENT = b"", b"cut", b"silent"  # how a stream goes on after what it said


@dataclass
class Played:
    """An API server that says the next of `streams` to each who watches pods; when none is left it stays silent."""

    streams: list[tuple[Any, ...]] = field(default_factory=list)  # each: a status or events, and how it goes on
    version: int = 10
    listed: int = 0
    watched: list[dict[str, str]] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    lists: list[dict[str, str]] = field(default_factory=list)
    forbidden: str = ""  # what may not be watched
    store: Store = field(default_factory=Store)  # of whoever listens

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            parts = urlsplit(head.split(b" ", 2)[1].decode())
            asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
            if "watch" in asked and parts.path == self.forbidden:
                say(writer, {"kind": "Status", "message": "may not", "code": 403}, status=403)
            elif "watch" in asked:
                await self._watch(writer, asked, played=parts.path == PODS)
            else:
                self.listed += parts.path == PODS
                self.lists.append(asked)
                say(writer, {"metadata": {"resourceVersion": str(self.version)}, "items": []})
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # whoever watched has heard enough
        finally:
            writer.close()

    async def _watch(self, writer: StreamWriter, asked: dict[str, str], *, played: bool) -> None:
        if played:
            self.watched.append(asked)
        *said, then = self.streams.pop(0) if played and self.streams else (SILENT,)
        if said and isinstance(said[0], int):
            say(writer, {"kind": "Status", "message": "no", "code": said[0]}, status=said[0])
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        for event in said:
            line = event if isinstance(event, bytes) else json.dumps(event).encode() + b"\n"
            half = len(line) // 2  # an event comes in pieces of any length
            for piece in (line[:half], line[half:]):
                writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                await writer.drain()
        if then == SILENT:
            await self.over.wait()
        if then == CUT:
            writer.transport.abort()
        else:
            writer.write(b"0\r\n\r\n")
            await writer.drain()


def say(writer: StreamWriter, body: dict[str, Any], *, status: int = 200) -> None:
    text = json.dumps(body).encode()
    writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (status, len(text), text))


def event(version: int) -> dict[str, Any]:
    """An instance that has ended with that code."""
    one = pod(spec(), f"{version}", state=ended(version))
    one["metadata"]["resourceVersion"] = str(version)
    return {"type": "ADDED", "object": one}


def bookmark(version: int) -> dict[str, Any]:
    return {"type": "BOOKMARK", "object": {"kind": "Pod", "metadata": {"resourceVersion": str(version)}}}


def error(code: int, said: str) -> dict[str, Any]:
    return {"type": "ERROR", "object": {"kind": "Status", "code": code, "reason": "Expired", "message": said}}


@asynccontextmanager
async def playing(
    *streams: tuple[Any, ...],
) -> AsyncIterator[tuple[Played, Callable[[], AsyncGenerator[EngineNotice]]]]:
    """The server, and what listens to it: each time from where it stood."""
    played = Played(list(streams))
    server = await asyncio.start_server(played.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    wire = Wire(Access(f"http://{host}:{port}"))
    try:
        yield played, lambda: watch.notices(wire, played.store)
    finally:
        played.over.set()
        server.close()


async def heard(notices: AsyncGenerator[EngineNotice], count: int) -> list[EngineNotice]:
    found = []
    async with asyncio.timeout(SECONDS), aclosing(notices):
        async for notice in notices:
            found.append(notice)
            if len(found) == count:
                break
    return found


def asked_from(played: Played) -> list[str]:
    return [asked["resourceVersion"] for asked in played.watched]


async def test_a_stream_that_ended_goes_on_where_it_stood() -> None:
    async with playing((event(11), bookmark(40), END), (event(41), END)) as (played, listen):
        first, second = await heard(listen(), 2)
    assert (first.ref, second.ref) == (REF, REF)
    assert [one.reason and one.reason.params["exit_code"] for one in (first, second)] == [11, 41]
    assert asked_from(played)[:2] == ["10", "40"], "the bookmark counts, and nothing is listed again"
    assert played.listed == 1
    assert all(asked["allowWatchBookmarks"] == "true" for asked in played.watched)


async def test_streams_do_not_all_end_at_once() -> None:
    async with playing(*[(event(number), END) for number in range(11, 19)]) as (played, listen):
        await heard(listen(), 8)
    lasts = [int(asked["timeoutSeconds"]) for asked in played.watched]
    shortest, longest = watch.LASTS_SECONDS
    assert all(shortest <= one <= longest for one in lasts)
    assert len(set(lasts)) > 1


@pytest.mark.parametrize(
    "gone",
    [
        (error(410, "too old resource version: 11 (40)"), END),
        (410, END),
        (error(504, "Timeout: Too large resource version: 11, current: 5"), END),
    ],
    ids=["in the stream", "at once", "a backup was restored"],
)
async def test_what_the_engine_has_forgotten_is_asked_anew_and_everything_is_looked_at(gone: tuple[Any, ...]) -> None:
    async with playing((event(11), END), gone, (event(51), END)) as (played, listen):
        played.version = 10
        notices = listen()
        first = await anext(notices)
        played.version = 50
        second, third = await heard(notices, 2)
    assert first.ref == REF
    assert (second.ref, second.reason) == (None, None), "whoever hears it looks at everything"
    assert third.ref == REF
    assert asked_from(played)[:3] == ["10", "11", "50"]
    assert played.listed == 2


async def test_what_broke_off_is_told_and_the_next_goes_on_where_it_stood() -> None:
    async with playing((event(11), CUT), (event(12), END)) as (played, listen):
        with pytest.raises(DriverError) as broken:
            await heard(listen(), 2)
        (again,) = await heard(listen(), 1)
    assert broken.value.reason.code == ReasonCode.ENGINE_AWAY
    assert again.ref == REF
    assert asked_from(played)[:2] == ["10", "11"]
    assert played.listed == 1


async def test_whoever_says_nothing_any_more_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "SILENCE_SECONDS", 0.2)
    async with playing((bookmark(30), SILENT), (event(31), END)) as (played, listen):
        (notice,) = await heard(listen(), 1)
    assert notice.ref == REF
    assert asked_from(played)[:2] == ["10", "30"]


@pytest.mark.parametrize(
    "said", [b"<html>no engine</html>\n", b"[]\n", b'{"type": "ADDED", "object": {}}\n', b"null\n"]
)
async def test_what_is_no_news_of_an_engine_is_told(said: bytes) -> None:
    async with playing((said, SILENT)) as (_played, listen):
        with pytest.raises(DriverError) as strange:
            await heard(listen(), 1)
    assert strange.value.reason.code == ReasonCode.ENGINE_AWAY


@pytest.mark.parametrize(("code", "told"), [(500, ReasonCode.ENGINE_AWAY), (429, ReasonCode.ENGINE_AWAY)])
async def test_another_error_in_the_stream_ends_it_for_now(code: int, told: ReasonCode) -> None:
    async with playing((event(11), error(code, "etcdserver: request timed out"), END), (event(12), END)) as (
        played,
        listen,
    ):
        with pytest.raises(DriverError) as refused:
            await heard(listen(), 2)
        await heard(listen(), 1)
    assert (refused.value.reason.code, refused.value.permanent) == (told, False)
    assert asked_from(played)[:2] == ["10", "11"]


async def test_everything_is_listed_again_when_its_time_has_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "FULL_PASS_SECONDS", 0.0)
    async with playing((event(11), END), (event(41), END), (event(51), END)) as (played, listen):
        first, again, third = await heard(listen(), 3)
    assert (first.ref, again.ref, third.ref) == (REF, None, REF), "who hears of the second looks at everything"
    assert played.listed >= 2
    assert all(asked["limit"] == "500" for asked in played.lists)


async def test_who_may_not_watch_ways_in_hears_all_else() -> None:
    async with playing((event(11), END), (event(12), SILENT)) as (played, listen):
        played.forbidden = path("Service")
        found = await heard(listen(), 2)
    assert [one.ref for one in found] == [REF, REF]


async def test_what_is_kept_follows_what_is_told_and_ends_with_it() -> None:
    gone = event(12)
    gone["type"] = "DELETED"
    gone["object"]["metadata"]["uid"] = "uid-11"
    async with playing((event(11), event(13), gone, SILENT)) as (played, listen):
        notices = listen()
        for _one in range(3):
            await anext(notices)
        kept = played.store.all("Pod")
        assert kept is not None
        assert [one["metadata"]["uid"] for one in kept] == ["uid-13"]
        await notices.aclose()
    assert played.store.all("Pod") is None, "nobody listens any more: a look asks the engine"
