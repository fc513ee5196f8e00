"""Logs of services: each instance read from its own pod, merged in time order."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from backends.contract import LogLine, LogQuery, Written
from backends.following import Follow, followed
from backends.kubernetes.places import Place, of_instance, of_service
from backends.kubernetes.source import READ_SECONDS, Source, nanoseconds, opened, second
from backends.kubernetes.wire import Wire
from backends.merging import Resume, merged, newest
from backends.stamps import Clock

_PIECE = 64 * 1024


async def lines(wire: Wire, query: LogQuery) -> AsyncGenerator[LogLine, None]:
    """Errors: INSTANCE_GONE for a named instance that is not known, and those of an engine that is away."""
    places = await asked_for(wire, query)
    resumes = {place.id: Resume() for place in places}
    if query.tail != 0:
        sources = [Source(wire, place, query, resumes[place.id]).batches() for place in places]
        async with aclosing(newest(merged(sources), query.newest)) as past:
            async for line in past:
                yield line
    if query.follow:
        done = {place.id for place in places if not place.alive}
        async with aclosing(followed(_follow(wire, query, resumes), first=set(resumes), done=done)) as live:
            async for line in live:
                yield line


def _follow(wire: Wire, query: LogQuery, resumes: dict[str, Resume]) -> Follow[Place]:
    def read(place: Place, first: bool) -> AsyncGenerator[list[LogLine], None]:
        asked = query
        if not first:  # it came later: all of it is news
            asked = LogQuery(services=query.services, instance=query.instance, since=query.since, follow=True)
        return Source(wire, place, asked, resumes.setdefault(place.id, Resume()), follow=True).batches()

    return Follow(lambda: asked_for(wire, query), read, query.instance)


async def asked_for(wire: Wire, query: LogQuery) -> list[Place]:
    """Those of which the engine has lines: of a pod's earlier starts only the last, and none of one yet to begin, for
    which it would send those of the start before it."""
    if query.instance is not None:
        place = await of_instance(wire, query.instance)
        return [place] if place.told else []
    found = await asyncio.gather(*(of_service(wire, ref) for ref in query.services))
    return [place for places in found for place in places if place.told]


async def plain(wire: Wire, instance: str, written: Written) -> AsyncGenerator[bytes, None]:
    """As the app wrote it, in pieces of 64 KB and more; followed, as it comes. Errors: INSTANCE_GONE."""
    place = await of_instance(wire, instance)
    if not place.told:
        return
    asked = {"sinceTime": second(written.since), "timestamps": True, "follow": written.follow or None}
    cut = Cut(timestamps=written.timestamps, since=nanoseconds(written.since), until=nanoseconds(written.until))
    least = 1 if written.follow else _PIECE
    held: list[bytes] = []
    size = 0
    async with opened(wire, place, **asked) as stream:
        while True:
            async with asyncio.timeout(None if written.follow else READ_SECONDS):
                piece = await stream.read()
            found = cut.of(piece) if piece else cut.rest()
            held.append(found)
            size += len(found)
            if size >= least or not piece:
                yield b"".join(held)
                held, size = [], 0
            if not piece:
                return


class Cut:
    """A log with a time before each line to what was asked of it."""

    def __init__(self, *, timestamps: bool, since: int | None, until: int | None) -> None:
        self._timestamps = timestamps
        self._since, self._until = since, until
        self._clock = Clock()
        self._rest = b""

    def of(self, piece: bytes) -> bytes:
        *whole, self._rest = (self._rest + piece).split(b"\n")
        return b"".join([found + b"\n" for line in whole if (found := self._wanted(line)) is not None])

    def rest(self) -> bytes:
        left, self._rest = self._rest, b""
        return (self._wanted(left) or b"") if left else b""

    def _wanted(self, line: bytes) -> bytes | None:
        at_ns, start = self._clock.nanoseconds(line)
        if not at_ns:  # the engine's own word that it has lost the log
            return None
        if (self._since and at_ns < self._since) or (self._until is not None and at_ns > self._until):
            return None
        return line if self._timestamps else line[start:]
