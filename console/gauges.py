"""What instances use at this moment: one stream from the engine for each instance that somebody looks at.

However many look, the engine is asked once; when the last one goes, the stream is closed.
"""

import asyncio
import random
import time
from contextlib import aclosing
from uuid import UUID

from backends.contract import DriverError, ReasonCode, UsageSample
from console.watched import Watched

PAUSES = (1.0, 2.0, 4.0, 8.0)  # before an engine that is away is tried again
SILENT_SECONDS = 5.0  # an engine that says nothing for so long is as good as away
FOR_GOOD = (ReasonCode.INSTANCE_GONE, ReasonCode.HOST_NOT_REACHABLE)
NANO = 1_000_000_000

Numbers = tuple[str, int, int, int, int]  # the instance's id, millicores, bytes of memory, bytes a second in and out


class Gauge:
    """Follows one instance until it is stopped or the instance has gone."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._before: UsageSample | None = None
        self.users = 0
        self.numbers: Numbers | None = None
        self.count = 0  # of readings
        self.read_at = time.monotonic()
        self.away = self.gone = False
        self._task = asyncio.create_task(self._run())

    @property
    def age(self) -> float:
        """Seconds since the last reading, or since it was begun."""
        return time.monotonic() - self.read_at

    @property
    def silent(self) -> bool:
        return not self.gone and (self.away or self.age > SILENT_SECONDS)

    def stop(self) -> None:
        self._task.cancel()

    async def _run(self) -> None:
        failures = 0
        while not self.gone:
            before = self.count
            try:
                await self._follow()
            except DriverError as error:
                self.gone = error.reason.code in FOR_GOOD
                self.away = not self.gone
            failures = 1 if self.count > before else failures + 1
            if not self.gone:
                await asyncio.sleep(PAUSES[min(failures, len(PAUSES)) - 1] * random.uniform(0.8, 1.2))  # noqa: S311

    async def _follow(self) -> None:
        """Until the stream ends, which it also does when the engine is stopped: then the next try tells."""
        self._before = None
        async with aclosing(self._watched.driver.stats(self._watched.engine_id, follow=True)) as samples:
            async for sample in samples:
                self._take(sample)

    def _take(self, now: UsageSample) -> None:
        before, self._before = self._before, now
        passed = (now.at_ns - before.at_ns) / NANO if before else 0.0
        received = sent = 0
        if before is not None and passed > 0:
            received = round(max(0, now.network_in_bytes - before.network_in_bytes) / passed)
            sent = round(max(0, now.network_out_bytes - before.network_out_bytes) / passed)
        self.numbers = (str(self._watched.id), round(now.cpu_millicores), now.memory_bytes, received, sent)
        self.read_at, self.away = time.monotonic(), False
        self.count += 1


class Gauges:
    """All of one process, shared."""

    def __init__(self) -> None:
        self._open: dict[tuple[UUID, str], Gauge] = {}

    def __len__(self) -> int:
        return len(self._open)

    def take(self, watched: Watched) -> Gauge:
        key = (watched.cluster, watched.engine_id)
        gauge = self._open.get(key) or Gauge(watched)
        self._open[key] = gauge
        gauge.users += 1
        return gauge

    def give_back(self, gauge: Gauge) -> None:
        gauge.users -= 1
        if gauge.users == 0:
            gauge.stop()
            self._open = {key: one for key, one in self._open.items() if one is not gauge}
