"""Following logs: each instance has its own connection, and those that come later are found."""

import asyncio
import heapq
from asyncio import Queue, Task
from collections.abc import AsyncGenerator

from backends.contract import DriverError, LogLine, LogQuery
from backends.swarm.places import Map, Place
from backends.swarm.source import Resume, Source
from backends.swarm.wire import Wire

WINDOW_SECONDS = 0.05  # lines wait this long for older ones of other instances
_LOOK_SECONDS = 1.0
_QUIET_SECONDS = 3.0  # between looks once nothing has changed for a while
_BATCHES = 32

Batch = list[LogLine] | DriverError | None  # None: there will be nothing more


async def followed(
    wire: Wire, query: LogQuery, resumes: dict[str, Resume], *, done: set[str]
) -> AsyncGenerator[LogLine, None]:
    """From where `resumes` stands; `done` are instances of which all is read. Ends only with a named instance."""
    scout = Scout(wire, query, resumes, done=done)
    looking = asyncio.create_task(scout.look())
    order = Window()
    try:
        while True:
            try:
                async with asyncio.timeout(order.wait_seconds()):
                    batch = await scout.found.get()
            except TimeoutError:
                batch = []
            if isinstance(batch, DriverError):
                raise batch
            order.add(batch or [])
            for line in order.ripe(all_of_them=batch is None):
                yield line
            if batch is None:
                return
    finally:
        await scout.stop(looking)


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


class Scout:
    """Looks for instances once a second and reads each until its log ends."""

    def __init__(self, wire: Wire, query: LogQuery, resumes: dict[str, Resume], *, done: set[str]) -> None:
        self.found: Queue[Batch] = Queue(_BATCHES)
        self._wire = wire
        self._query = query
        self._resumes = resumes
        self._done = done
        self._first = set(resumes)
        self._reading: dict[str, Task[None]] = {}
        self._news = asyncio.Event()  # a log has ended: its instance is gone, or its engine is

    async def look(self) -> None:
        where = Map(self._wire)
        wait = _LOOK_SECONDS
        try:
            while await self._go_on(where):
                wait = await self._rest(wait)
            await self.found.put(None)
        except DriverError as error:
            await self.found.put(error)

    async def _rest(self, seconds: float) -> float:
        """Until the next look; gives back how long to rest after that one. Many quiet streams then ask little."""
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return min(_QUIET_SECONDS, seconds * 1.2)
        self._news.clear()
        await asyncio.sleep(_LOOK_SECONDS / 4)
        return _LOOK_SECONDS

    async def stop(self, looking: Task[None]) -> None:
        tasks = [looking, *self._reading.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _go_on(self, where: Map) -> bool:
        for place in await self._places(where):
            reading = self._reading.get(place.id)
            if place.id in self._done or (reading and not reading.done()):
                continue
            if reading and not place.run.alive:
                self._done.add(place.id)
                continue
            self._reading[place.id] = asyncio.create_task(self._read(place))
        return self._query.instance is None or self._query.instance not in self._done

    async def _places(self, where: Map) -> list[Place]:
        if self._query.instance is not None:
            return [await where.of_instance(self._query.instance)]
        return [place for ref in self._query.services for place in await where.of_service(ref)]

    async def _read(self, place: Place) -> None:
        resume = self._resumes.setdefault(place.id, Resume())
        query = self._query
        if place.id not in self._first:  # it came later: all of it is news
            query = LogQuery(services=query.services, instance=query.instance, since=query.since, follow=True)
        try:
            async for batch in Source(self._wire, place, query, resume, follow=True).batches():
                await self.found.put(batch)
        except DriverError as error:
            await self.found.put(error)
        finally:
            self._news.set()
