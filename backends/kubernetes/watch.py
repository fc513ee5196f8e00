"""The engine's own news, as notices about our services, instances and hosts."""

import asyncio
from asyncio import Queue
from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from backends.contract import DriverError, EngineNotice
from backends.failing import away
from backends.kubernetes import kinds, names
from backends.kubernetes.observe import Run, condition, runs
from backends.kubernetes.wire import Wire

Raw = Mapping[str, Any]

_KINDS = {"Pod": names.OURS, "Deployment": names.OURS, "StatefulSet": names.OURS, "Node": None}
_WAITING = 1000  # notices nobody has taken yet


async def notices(wire: Wire) -> AsyncGenerator[EngineNotice, None]:
    """Ends when the engine closes a connection; whoever listens comes again."""
    queue: Queue[EngineNotice | DriverError | None] = Queue(_WAITING)
    reader = Reader()

    async def follow(kind: str) -> None:
        try:
            async for event in _events(wire, kind):
                if (notice := reader.notice(kind, event)) is not None:
                    await queue.put(notice)
            await queue.put(None)
        except DriverError as error:
            await queue.put(error)

    tasks = [asyncio.create_task(follow(kind)) for kind in _KINDS]
    try:
        while (heard := await queue.get()) is not None:
            if isinstance(heard, DriverError):
                raise heard
            yield heard
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _events(wire: Wire, kind: str) -> AsyncGenerator[Raw, None]:
    """From now on. A server that has forgotten where we stood ends it, as one that closes the connection."""
    path, asked = kinds.path(kind), {"labelSelector": _KINDS[kind]}
    listed = await wire.get(path, limit=1, **asked)
    version = listed["metadata"]["resourceVersion"]
    rest = b""
    async with wire.stream(path, watch=True, allowWatchBookmarks=True, resourceVersion=version, **asked) as stream:
        while piece := await stream.read():
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                event: Raw = orjson.loads(line)
                if event["type"] == "ERROR":
                    raise away(str(event["object"].get("message", "")))
                if event["type"] != "BOOKMARK":
                    yield event


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
    if kind == "Pod":
        run = _run(thing)
        return (run.instance.id, run.instance.state, run.instance.wanted, run.instance.reason) if run else None
    status = thing.get("status") or {}
    return thing["metadata"].get("generation"), status.get("readyReplicas"), status.get("updatedReplicas")
