"""The log of one instance as the engine sends it, cut into lines."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any

from backends.contract import LogLine, LogQuery, Reason, ReasonCode
from backends.failing import gone, slow
from backends.merging import Resume
from backends.stamps import Clock
from backends.swarm.errors import RefusedError
from backends.swarm.frames import NAMES, Splitter
from backends.swarm.places import Place
from backends.swarm.wire import Stream, Wire
from backends.words import sentence

READ_SECONDS = 30.0
OVERLAP = 2000  # newest lines that a resumed reading begins with: the engine reads a whole log to find a time in it
LINE_LIMIT = 1024 * 1024  # the engine cuts lines at 16 KB; they are put together again up to here


class Source:
    def __init__(self, wire: Wire, place: Place, query: LogQuery, resume: Resume, *, follow: bool = False) -> None:
        self._wire = wire
        self._place = place
        self._query = query
        self._resume = resume
        self._before_ns, self._skip = resume.at_ns, resume.lines
        self._follow = follow
        self._joined = False
        self._until_ns = int(query.until.timestamp() * 1e9) if query.until else None

    async def batches(self) -> AsyncGenerator[list[LogLine], None]:
        """Lines in the order of the engine; none of an instance whose container is gone."""
        if not self._place.local and not self._place.host_up:
            yield [self._lost()]
            return
        try:
            if self._follow and self._resume.at_ns:
                async with aclosing(self._newest()) as batches:
                    async for batch in batches:
                        yield batch
            if not self._joined:
                async with aclosing(self._read(self._asked())) as batches:
                    async for batch in batches:
                        yield batch
        except RefusedError as error:
            if error.status not in {404, 409}:
                raise

    async def _newest(self) -> AsyncGenerator[list[LogLine], None]:
        """From the newest lines on, if they reach back to where the reading stopped; else nothing."""
        asked = {"stdout": True, "stderr": True, "timestamps": True, "follow": True, "tail": OVERLAP}
        async with aclosing(self._read(asked, joins=True)) as batches:
            async for batch in batches:
                yield batch

    async def _read(self, asked: dict[str, Any], *, joins: bool = False) -> AsyncGenerator[list[LogLine], None]:
        """With `joins` it ends at once where the first line is not older than what was read before."""
        async with self._wire.stream(path_of(self._place), **asked) as stream:
            cut = Lines(self._place)
            while piece := await self._piece(stream):
                lines = cut.of(piece)
                if joins and lines and not self._joined:
                    self._joined = lines[0].at_ns < self._before_ns
                    if not self._joined:
                        return
                if batch := self._fresh(lines):
                    yield batch
            if batch := self._fresh(cut.rest()):
                yield batch

    async def _piece(self, stream: Stream) -> bytes:
        try:
            async with asyncio.timeout(None if self._follow else READ_SECONDS):
                return await stream.read()
        except TimeoutError as error:
            raise slow() from error

    def _asked(self) -> dict[str, Any]:
        query, resume = self._query, self._resume
        asked: dict[str, Any] = {"stdout": True, "stderr": True, "timestamps": True, "follow": self._follow}
        if resume.at_ns:
            return asked | {"since": f"{resume.at_ns // 10**9}.{resume.at_ns % 10**9:09d}"}
        # what follows a look that found nothing must not be cut at `tail` again, unless nothing past is wanted at all
        tail = query.tail if query.tail == 0 or not self._follow else None
        return asked | {"since": second(query.since), "until": second(query.until), "tail": tail}

    def _fresh(self, batch: list[LogLine]) -> list[LogLine]:
        """Without what was read before, and noted."""
        kept = []
        for line in batch:
            if line.at_ns < self._before_ns:
                continue
            if line.at_ns == self._before_ns and self._skip:
                self._skip -= 1
            elif self._until_ns is None or line.at_ns <= self._until_ns:
                kept.append(line)
        for line in kept:
            self._resume.note(line.at_ns)
        return kept

    def _lost(self) -> LogLine:
        instance = self._place.run.instance
        text = sentence(Reason(ReasonCode.HOST_LOST, {"host": self._place.host}))
        return LogLine(time.time_ns(), instance.ref.service, instance.number, instance.id, "berth", text.encode())


class Lines:
    """Frames of one instance to lines, those put together again that the engine cut."""

    def __init__(self, place: Place) -> None:
        instance = place.run.instance
        self._about = (instance.ref.service, instance.number, instance.id)
        self._splitter = Splitter()
        self._clock = Clock()
        self._open: dict[int, tuple[int, bytes]] = {}

    def of(self, piece: bytes) -> list[LogLine]:
        made = []
        service, number, instance = self._about
        for kind, payload in self._splitter.frames(piece):
            at_ns, start = self._clock.nanoseconds(payload)
            text = payload[start:]
            if kind in self._open:
                at_ns, before = self._open.pop(kind)
                text = before + text
            if text[-1:] == b"\n":
                text = text[:-1]
            elif len(text) < LINE_LIMIT:
                self._open[kind] = (at_ns, text)
                continue
            made.append(LogLine(at_ns, service, number, instance, NAMES.get(kind, "stdout"), text))
        return made

    def rest(self) -> list[LogLine]:
        service, number, instance = self._about
        left, self._open = self._open, {}
        return [
            LogLine(at_ns, service, number, instance, NAMES.get(kind, "stdout"), text)
            for kind, (at_ns, text) in left.items()
        ]


class PlainText:
    """Frames to the bytes an app wrote; a line the engine cut keeps only its first time stamp."""

    def __init__(self, *, timestamps: bool) -> None:
        self._splitter = Splitter()
        self._timestamps = timestamps
        self._open: dict[int, bool] = {}

    def of(self, piece: bytes) -> bytes:
        frames = self._splitter.frames(piece)
        return b"".join(self._stamped(frames) if self._timestamps else [text for _, text in frames])

    def _stamped(self, frames: Sequence[tuple[int, bytes]]) -> list[bytes]:
        texts = []
        for kind, text in frames:
            texts.append(text.partition(b" ")[2] if self._open.get(kind) else text)
            self._open[kind] = text[-1:] != b"\n"
        return texts


def path_of(place: Place) -> str:
    """A container's own log where its engine is ours to ask; else what the manager can get of it."""
    if place.local:
        return f"/containers/{place.container}/logs"
    if place.run.container is None:
        raise gone()
    return f"/tasks/{place.id}/logs"


def second(moment: datetime | None) -> str | None:
    """For `since` and `until`."""
    return None if moment is None else f"{moment.timestamp():.6f}"
