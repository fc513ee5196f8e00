"""The engine's own news, as notices about our services, instances and hosts.

Each kind of thing has a stream of its own, and all that it tells is kept in a store that looks read. It is asked to end
after some minutes, and goes on where it stood; so does one that broke off, by whoever comes again. At first, every ten
minutes and where the engine has forgotten what came after, everything is listed; the last is told, too, as a notice of
nothing in particular: whoever hears it looks at everything.
"""

import asyncio
import random
from asyncio import Queue
from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from backends.contract import DriverError, EngineNotice
from backends.failing import NO_ENGINE, away
from backends.kubernetes import kinds, names, pages
from backends.kubernetes.errors import RefusedError, refused
from backends.kubernetes.observe import Run, condition, runs
from backends.kubernetes.store import FULL_PASS_SECONDS, SELECTORS, Store
from backends.kubernetes.trimming import Trimmed
from backends.kubernetes.wire import Stream, Wire

Raw = Mapping[str, Any]
Heard = Queue[EngineNotice | DriverError]

LASTS_SECONDS = (300, 600)  # a stream, drawn anew for each: not all of them are to end at once
SILENCE_SECONDS = 150.0  # the engine says where it stands about once a minute, so whoever says nothing is not there
REST_SECONDS = (0.1, 0.5)  # between a stream and the next
_SPARE = frozenset({"Service"})  # who may list but not watch them does without: looks ask for them
_WAITING = 1000  # notices nobody has taken yet
_GONE, _FORBIDDEN = 410, 403
_NOT_YET = "Too large resource version"  # it comes from before a backup of the engine was restored


class ForgottenError(Exception):
    """The engine does not know any more what came after where we stood."""


async def notices(wire: Wire, store: Store) -> AsyncGenerator[EngineNotice, None]:
    """Until it is closed, or the engine is away. `store` is kept by whoever listens, and begins empty."""
    queue: Heard = Queue(_WAITING)
    reader = Reader()
    tasks = [asyncio.create_task(_follow(wire, kind, store, reader, queue)) for kind in SELECTORS]
    try:
        while True:
            heard = await queue.get()
            if isinstance(heard, DriverError):
                raise heard
            yield heard
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _follow(wire: Wire, kind: str, store: Store, reader: "Reader", queue: Heard) -> None:
    """One stream after the other, until the engine is away."""
    try:
        while True:
            rest = random.uniform(*REST_SECONDS)  # noqa: S311  not a secret
            try:
                if store.version(kind) and not store.due(kind):
                    await _list(wire, kind, store)
                    await queue.put(EngineNotice(datetime.now(UTC), "service"))
                async for event in _events(wire, kind, store):
                    if (notice := reader.notice(kind, event)) is not None:
                        await queue.put(notice)
            except ForgottenError:
                await queue.put(EngineNotice(datetime.now(UTC), "service"))
            except DriverError as error:
                if not _may_not(kind, error):
                    await queue.put(error)
                    return
                store.broke(kind)
                rest = FULL_PASS_SECONDS
            await asyncio.sleep(rest)
    finally:
        store.broke(kind)


def _may_not(kind: str, error: DriverError) -> bool:
    return kind in _SPARE and isinstance(error, RefusedError) and error.status == _FORBIDDEN


async def _events(wire: Wire, kind: str, store: Store) -> AsyncGenerator[Raw, None]:
    """From where it stood, else from now on, until the server ends it or says nothing any more."""
    path, asked = kinds.path(kind), {"labelSelector": SELECTORS[kind]}
    try:
        if not store.version(kind):
            await _list(wire, kind, store)
        lasts = random.randint(*LASTS_SECONDS)  # noqa: S311  not a secret
        lasts = max(1, min(lasts, round(store.due(kind))))
        more = {"watch": True, "allowWatchBookmarks": True, "timeoutSeconds": lasts}
        async with wire.stream(path, **more, resourceVersion=store.version(kind), **asked) as stream:
            store.opened(kind)
            async for event in _told(stream):
                _keep(store, kind, event)
                if event["type"] != "BOOKMARK":
                    yield event
    except RefusedError as error:
        if error.status == _GONE or _NOT_YET in error.said:
            store.forget(kind)
            raise ForgottenError from error
        raise


async def _list(wire: Wire, kind: str, store: Store) -> None:
    """Everything, page by page; the watch goes on from the state that all the pages are of."""
    found: dict[str, Trimmed] = {}
    more: str | None = ""
    while more is not None:
        told = await wire.read(kinds.path(kind), **pages.asked(more, SELECTORS[kind]))
        page = pages.page_of(kind, told)
        found |= page.things
        more = page.more or None
    store.fill(kind, found, page.version)


def _keep(store: Store, kind: str, event: Raw) -> None:
    try:
        store.note(kind, event)
    except (KeyError, TypeError, AttributeError) as error:
        raise away(NO_ENGINE) from error


async def _told(stream: Stream) -> AsyncGenerator[Raw, None]:
    rest = b""
    while piece := await _piece(stream):
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield _event(line)


async def _piece(stream: Stream) -> bytes:
    try:
        async with asyncio.timeout(SILENCE_SECONDS):
            return await stream.read()
    except TimeoutError:
        return b""


def _event(line: bytes) -> Raw:
    try:
        event: Raw = orjson.loads(line)
        if event["type"] != "ERROR":
            return event
        status = event["object"]
        raise _refusal(int(status.get("code") or 0), orjson.dumps(status))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise away(NO_ENGINE) from error


def _refusal(status: int, body: bytes) -> RefusedError:
    """Of a stream: whatever it is, whoever listens comes again."""
    said = refused(status, body)
    return RefusedError(away(said.said).reason, status=status, why=said.why, said=said.said, permanent=False)


class Reader:
    """Remembers what was told last of each, so that only what matters to people rings."""

    def __init__(self) -> None:
        self._told: dict[str, object] = {}

    def notice(self, kind: str, event: Raw) -> EngineNotice | None:
        thing: Raw = event["object"]
        uid, removed = str(thing["metadata"].get("uid", "")), event["type"] == "DELETED"
        seen = None if removed else _shown(kind, thing)
        if not removed and self._told.get(uid) == seen:
            return None
        self._told[uid] = seen
        if removed:
            self._told.pop(uid, None)
        now = datetime.now(UTC)
        if kind == "Node":
            return EngineNotice(now, "host")
        ref = names.ref_of(thing)
        if ref is None:
            return None
        if kind != "Pod":
            return EngineNotice(now, "service", ref=ref)
        run = _run(thing)
        reason = run.instance.reason if run and not removed else None
        return EngineNotice(now, "instance", ref=ref, instance=run.instance.id if run else None, reason=reason)


def _run(pod: Raw) -> Run | None:
    return next(iter(runs([pod], hosts={}, ports={})), None)


def _shown(kind: str, thing: Raw) -> object:
    if kind == "Node":
        return condition(thing, "Ready").get("status"), thing["spec"].get("unschedulable")
    if kind == "Service":  # by which ports of their hosts instances are reached
        return [one.get("nodePort") for one in thing["spec"].get("ports") or ()]
    if kind == "Pod":
        run = _run(thing)
        return (run.instance.id, run.instance.state, run.instance.wanted, run.instance.reason) if run else None
    status = thing.get("status") or {}
    return thing["metadata"].get("generation"), status.get("readyReplicas"), status.get("updatedReplicas")
