"""The log of one instance as the API sends it, cut into lines. It mixes what was written to stdout and to stderr."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from backends.contract import LogLine, LogQuery
from backends.failing import slow
from backends.kubernetes import names
from backends.kubernetes.errors import RefusedError
from backends.kubernetes.places import Place
from backends.kubernetes.wire import Stream, Wire
from backends.merging import Resume
from backends.stamps import Clock

READ_SECONDS = 30.0
LINE_LIMIT = 1024 * 1024
_NOT_THERE = {400, 404}  # its container has not begun, or is gone


class Source:
    def __init__(self, wire: Wire, place: Place, query: LogQuery, resume: Resume, *, follow: bool = False) -> None:
        self._wire = wire
        self._place = place
        self._query = query
        self._resume = resume
        self._before_ns, self._skip = resume.at_ns, resume.lines
        self._follow = follow
        self._since_ns = nanoseconds(query.since) or 0
        self._until_ns = nanoseconds(query.until)

    async def batches(self) -> AsyncGenerator[list[LogLine], None]:
        """Lines in the order of the engine; none of an instance whose container has not begun or is gone."""
        cut = Lines(self._place)
        try:
            async with opened(self._wire, self._place, **self._asked()) as stream:
                while piece := await self._piece(stream):
                    if batch := self._fresh(cut.of(piece)):
                        yield batch
                if batch := self._fresh(cut.rest()):
                    yield batch
        except RefusedError as error:
            if error.status not in _NOT_THERE:
                raise

    async def _piece(self, stream: Stream) -> bytes:
        try:
            async with asyncio.timeout(None if self._follow else READ_SECONDS):
                return await stream.read()
        except TimeoutError as error:
            raise slow() from error

    def _asked(self) -> dict[str, Any]:
        asked: dict[str, Any] = {"timestamps": True, "follow": self._follow or None}
        if self._resume.at_ns:
            return asked | {"sinceTime": second(datetime.fromtimestamp(self._resume.at_ns // 10**9, tz=UTC))}
        tail = self._query.tail if self._query.tail == 0 or not self._follow else None
        return asked | {"sinceTime": second(self._query.since), "tailLines": tail}

    def _fresh(self, batch: list[LogLine]) -> list[LogLine]:
        """Without what was read before or was not asked for (the engine's times are whole seconds), and noted."""
        kept = []
        for line in batch:
            if line.at_ns < max(self._before_ns, self._since_ns):
                continue
            if line.at_ns == self._before_ns and self._skip:
                self._skip -= 1
            elif self._until_ns is None or line.at_ns <= self._until_ns:
                kept.append(line)
        for line in kept:
            self._resume.note(line.at_ns)
        return kept


class Lines:
    """Pieces of one instance's log to lines."""

    def __init__(self, place: Place) -> None:
        instance = place.run.instance
        self._about = (instance.ref.service, instance.number, instance.id)
        self._clock = Clock()
        self._rest = b""
        self._going_on = 0  # the time of a line that was cut for its length

    def of(self, piece: bytes) -> list[LogLine]:
        """Where the engine has lost a container's log it says so in a line without a time, which is none of the app."""
        *whole, self._rest = (self._rest + piece).split(b"\n")
        found = [line for raw in whole if (line := self._line(raw)) is not None]
        if len(self._rest) >= LINE_LIMIT:
            found += self.rest()
            self._going_on = found[-1].at_ns if found else 0
        return found

    def rest(self) -> list[LogLine]:
        left, self._rest = self._rest, b""
        line = self._line(left) if left else None
        return [line] if line is not None else []

    def _line(self, raw: bytes) -> LogLine | None:
        before, self._going_on = self._going_on, 0
        at_ns, start = (before, 0) if before else self._clock.nanoseconds(raw)
        return LogLine(at_ns, *self._about, "stdout", raw[start:]) if at_ns else None


@asynccontextmanager
async def opened(wire: Wire, place: Place, **asked: Any) -> AsyncIterator[Stream]:
    """Its log, not that of the start after it: of a pod that goes on the engine sends what is written now, and tells
    of the next start only a moment after it began."""
    async with _log(wire, place, **asked) as stream:
        if not await _gone_on(wire, place):
            yield stream
            return
    async with _log(wire, replace(place, newest=False), **asked) as stream:
        yield stream


def _log(wire: Wire, place: Place, **asked: Any) -> AbstractAsyncContextManager[Stream]:
    which = {"container": names.CONTAINER, "previous": None if place.newest else True}
    return wire.stream(f"{place.path}/log", **which, **asked)


async def _gone_on(wire: Wire, place: Place) -> bool:
    """Whether the engine has begun the next start, though it told that this one has ended and nothing came after it.

    Then it is the one before; else that is none, or one whose last line is older than this start. After its second
    end one is begun anew only when it has waited, which is told in time, or had run for minutes.
    """
    if not place.newest or place.alive:
        return False
    try:
        async with _log(wire, replace(place, newest=False), tailLines=1, timestamps=True) as stream:
            last = Lines(place).of(await stream.read() + b"\n")
    except RefusedError as error:
        if error.status not in _NOT_THERE:
            raise
        return False
    began = nanoseconds(place.run.instance.started_at) or 0  # in whole seconds
    return place.start == 0 or bool(last and last[-1].at_ns >= began + 10**9)


def nanoseconds(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp() * 1e9)


def second(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
