"""The observer: one task per cluster that turns the engine's notices into looks, and looks into rows."""

import asyncio
import contextlib
import logging
import random
import uuid
from collections import deque
from concurrent.futures import ThreadPoolExecutor

from asgiref.sync import sync_to_async
from django.db import close_old_connections, transaction

from apps import events, evidence
from apps.observing import driver_of, observe, watched_clusters
from backends.contract import DriverError, EngineNotice
from backends.models import Cluster

log = logging.getLogger(__name__)
SHORTEST_PAUSE = 0.05  # between two looks, however many notices come; longer where a look takes long
MOST_BUSY = 1.0  # times as long as a look took is the pause after it
ECHOES = (0.1, 0.25, 0.5, 1.0, 2.0)  # looks after a notice: an engine's own books follow its notices a little later
LONGEST_PAUSE = 5.0  # a look without any notice: notices may be missed
AWAY_PAUSES = (1.0, 2.0, 5.0, 10.0, 20.0)
CLUSTERS_READ_EVERY = 10.0
MOST_HEARD = 1000  # notices between two looks
MOST_AT_ONCE = 100  # threads that wait for engines: made only as they are needed


class Observer:
    """`run` blocks until `stop`; a cluster that is away holds up none of the others."""

    def __init__(self) -> None:
        self._stopped = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self) -> None:
        asyncio.run(self._run())

    def stop(self) -> None:
        if self._loop is not None and self._loop.is_running():
            self._loop.call_soon_threadsafe(self._stopped.set)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        # a look blocks a thread until its engine answers: the usual few would all wait for those that are deaf
        self._loop.set_default_executor(ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="berth-look"))
        tasks: dict[tuple[uuid.UUID, int], asyncio.Task[None]] = {}
        while not self._stopped.is_set():
            wanted = {(cluster.pk, cluster.version): cluster for cluster in await _clusters()}
            for key in [key for key in tasks if key not in wanted or tasks[key].done()]:
                tasks.pop(key).cancel()
            for key, cluster in wanted.items():
                if key not in tasks:
                    tasks[key] = asyncio.create_task(_follow(cluster))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLUSTERS_READ_EVERY):
                    await self._stopped.wait()
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)


class Pace:
    """When to look: at once after a notice, a few times more while its echoes come in, and else every five seconds."""

    def __init__(self) -> None:
        self._clock = asyncio.get_running_loop().time
        self._noticed = asyncio.Event()
        self._noticed_at = self._began = self._clock()

    def notice(self) -> None:
        self._noticed_at = self._clock()
        self._noticed.set()

    def begin(self) -> None:
        self._noticed.clear()
        self._began = self._clock()

    async def pause(self, away: float | None) -> None:
        """Until it is time for the next look; `away` seconds where the engine did not answer, unless it speaks."""
        took = self._clock() - self._began
        await asyncio.sleep(max(SHORTEST_PAUSE, took * MOST_BUSY))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._wait() if away is None else away):
                await self._noticed.wait()

    def _wait(self) -> float:
        now = self._clock()
        due = (self._noticed_at + echo for echo in ECHOES)
        return max(0.0, next((at - now for at in due if at > self._began), LONGEST_PAUSE))


async def _follow(cluster: Cluster) -> None:
    pace = Pace()
    heard: deque[EngineNotice] = deque(maxlen=MOST_HEARD)
    ears = asyncio.create_task(_listen(cluster.pk, pace, heard))
    keeping: asyncio.Task[None] | None = None
    failures = 0
    try:
        while True:
            pace.begin()
            if ears.done():  # it met what is no engine's fault, such as a database that was away
                ears = asyncio.create_task(_listen(cluster.pk, pace, heard))
            seen = await _look(cluster, [heard.popleft() for _one in range(len(heard))])
            if seen and (keeping is None or keeping.done()):
                keeping = asyncio.create_task(_keep_ends(cluster))  # beside the looks: an engine may be slow with logs
            failures = 0 if seen else failures + 1
            await pace.pause(None if seen else _away_pause(failures))
    finally:
        ears.cancel()
        if keeping is not None:
            keeping.cancel()


def _away_pause(failures: int) -> float:
    return AWAY_PAUSES[min(failures, len(AWAY_PAUSES)) - 1] * random.uniform(0.75, 1.25)  # noqa: S311  not a secret


async def _listen(cluster_id: uuid.UUID, pace: Pace, heard: deque[EngineNotice]) -> None:
    """Notices make looks prompt; when they break off, the regular looks go on, and whoever listens comes again: later
    and later, and not all at once.
    """
    failures = 0
    while True:
        try:
            driver = await sync_to_async(driver_of)(cluster_id)
            async for notice in driver.watch():
                failures = 0
                if notice.reason is not None:
                    heard.append(notice)
                pace.notice()
        except DriverError:
            pace.notice()
        failures += 1
        await asyncio.sleep(_away_pause(failures))


@sync_to_async
def _clusters() -> list[Cluster]:
    close_old_connections()
    return watched_clusters()


@sync_to_async(thread_sensitive=False)
def _look(cluster: Cluster, heard: list[EngineNotice]) -> bool:
    close_old_connections()
    seen = observe(cluster)
    if heard:
        with transaction.atomic():
            events.note_notices(heard)
    return seen


@sync_to_async(thread_sensitive=False)
def _keep_ends(cluster: Cluster) -> None:
    close_old_connections()
    evidence.keep_missing(cluster, driver_of(cluster.pk))
