"""Lines of several instances in the order of time: of what is past, and of what arrives."""

import asyncio
import heapq
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from backends.contract import LogLine

WINDOW_SECONDS = 0.05  # lines wait this long for older ones of other instances


@dataclass
class Resume:
    """How far an instance has been read: the newest time, and how many lines of just that time."""

    at_ns: int = 0
    lines: int = 0

    def note(self, at_ns: int) -> None:
        if at_ns >= self.at_ns:
            self.lines = self.lines + 1 if at_ns == self.at_ns else 1
            self.at_ns = at_ns


async def newest(lines: AsyncGenerator[LogLine, None], most: int | None) -> AsyncGenerator[LogLine, None]:
    """The last `most` of them, or all. Only these are held."""
    kept: deque[LogLine] = deque(maxlen=most)
    async with aclosing(lines):
        async for line in lines:
            if most is None:
                yield line
            else:
                kept.append(line)
    for line in kept:
        yield line


async def merged(sources: Sequence[AsyncGenerator[list[LogLine], None]]) -> AsyncGenerator[LogLine, None]:
    """Of sources each in time order. Only one batch of each is held at a time."""
    try:
        cursors = [Cursor(source) for source in sources]
        await asyncio.gather(*(cursor.turn() for cursor in cursors))
        heap = [(cursor.at_ns, place) for place, cursor in enumerate(cursors) if cursor.batch]
        heapq.heapify(heap)
        while heap:
            _, place = heap[0]
            cursor = cursors[place]
            yield cursor.take()
            if cursor.spent:
                await cursor.turn()
            if cursor.batch:
                heapq.heapreplace(heap, (cursor.at_ns, place))
            else:
                heapq.heappop(heap)
    finally:
        for source in sources:
            await source.aclose()


class Cursor:
    def __init__(self, source: AsyncIterator[list[LogLine]]) -> None:
        self._source = source
        self._next = 0
        self.batch: list[LogLine] = []

    @property
    def at_ns(self) -> int:
        return self.batch[self._next].at_ns

    @property
    def spent(self) -> bool:
        return self._next >= len(self.batch)

    def take(self) -> LogLine:
        self._next += 1
        return self.batch[self._next - 1]

    async def turn(self) -> None:
        """To the next batch; an empty one is the end."""
        self.batch, self._next = await anext(self._source, []), 0


class Window:
    """Puts what arrives at almost the same time into time order."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, float, LogLine]] = []
        self._count = 0

    def add(self, batch: list[LogLine]) -> None:
        now = asyncio.get_running_loop().time()
        for line in batch:
            self._count += 1
            heapq.heappush(self._heap, (line.at_ns, self._count, now, line))

    def wait_seconds(self) -> float | None:
        """Until the oldest is ripe; None: nothing is held."""
        if not self._heap:
            return None
        return max(0.0, self._heap[0][2] + WINDOW_SECONDS - asyncio.get_running_loop().time())

    def ripe(self, *, all_of_them: bool) -> list[LogLine]:
        ripe_at = asyncio.get_running_loop().time() - WINDOW_SECONDS
        lines = []
        while self._heap and (all_of_them or self._heap[0][2] <= ripe_at):
            lines.append(heapq.heappop(self._heap)[3])
        return lines
