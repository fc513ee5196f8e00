"""Following logs: each instance has its own connection, and those that come later are found."""

import asyncio
from asyncio import Queue, Task
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from backends.contract import DriverError, LogLine
from backends.merging import Window

_LOOK_SECONDS = 1.0
_QUIET_SECONDS = 3.0  # between looks once nothing has changed for a while
_BATCHES = 32

Batch = list[LogLine] | DriverError | None  # None: there will be nothing more


class Spot(Protocol):
    """An instance whose log can be read."""

    @property
    def id(self) -> str: ...

    @property
    def alive(self) -> bool: ...


One = TypeVar("One", bound=Spot)


@dataclass(frozen=True)
class Follow(Generic[One]):
    """`look` finds the instances; `read` gives the lines of one until its log ends, and is told whether it was there
    from the start. `instance`: only this one is followed, and the following ends with it."""

    look: Callable[[], Awaitable[Sequence[One]]]
    read: Callable[[One, bool], AsyncGenerator[list[LogLine], None]]
    instance: str | None = None


async def followed(asked: Follow[One], *, first: set[str], done: set[str]) -> AsyncGenerator[LogLine, None]:
    """`first`: instances whose past was read before; `done`: those of which all is read."""
    scout = Scout(asked, first=first, done=done)
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


class Scout(Generic[One]):
    """Looks for instances once a second and reads each until its log ends."""

    def __init__(self, asked: Follow[One], *, first: set[str], done: set[str]) -> None:
        self.found: Queue[Batch] = Queue(_BATCHES)
        self._asked = asked
        self._done = done
        self._first = first
        self._reading: dict[str, Task[None]] = {}
        self._news = asyncio.Event()  # a log has ended: its instance is gone, or its engine is

    async def look(self) -> None:
        wait = _LOOK_SECONDS
        try:
            while await self._go_on():
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

    async def _go_on(self) -> bool:
        for spot in await self._asked.look():
            reading = self._reading.get(spot.id)
            if spot.id in self._done or (reading and not reading.done()):
                continue
            if reading and not spot.alive:
                self._done.add(spot.id)
                continue
            self._reading[spot.id] = asyncio.create_task(self._read(spot))
        return self._asked.instance is None or self._asked.instance not in self._done

    async def _read(self, spot: One) -> None:
        try:
            async for batch in self._asked.read(spot, spot.id in self._first):
                await self.found.put(batch)
        except DriverError as error:
            await self.found.put(error)
        finally:
            self._news.set()
