"""The observer: one task per cluster that turns the engine's notices into looks, and looks into rows."""

import asyncio
import contextlib
import logging
import random
import uuid
from collections import deque

from asgiref.sync import sync_to_async
from django.db import close_old_connections, transaction

from apps import events, evidence
from apps.observing import driver_of, observe, watched_clusters
from backends.contract import DriverError, EngineNotice
from backends.models import Cluster

log = logging.getLogger(__name__)
SHORTEST_PAUSE = 0.25  # between two looks, however many notices come
LONGEST_PAUSE = 5.0  # a look without any notice: notices may be missed
AWAY_PAUSES = (1.0, 2.0, 5.0, 10.0, 20.0)
CLUSTERS_READ_EVERY = 10.0
MOST_HEARD = 1000  # notices between two looks


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
        tasks: dict[tuple[uuid.UUID, int], asyncio.Task[None]] = {}
        while not self._stopped.is_set():
            wanted = {(cluster.pk, cluster.version): cluster for cluster in await _clusters()}
            for key in [key for key in tasks if key not in wanted or tasks[key].done()]:
                tasks.pop(key).cancel()
            for key, cluster in wanted.items():
                if key not in tasks:
                    tasks[key] = asyncio.create_task(_follow(cluster))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), CLUSTERS_READ_EVERY)
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)


async def _follow(cluster: Cluster) -> None:
    noticed = asyncio.Event()
    heard: deque[EngineNotice] = deque(maxlen=MOST_HEARD)
    ears = asyncio.create_task(_listen(cluster.pk, noticed, heard))
    keeping: asyncio.Task[None] | None = None
    failures = 0
    try:
        while True:
            noticed.clear()
            seen = await _look(cluster, [heard.popleft() for _one in range(len(heard))])
            if seen and (keeping is None or keeping.done()):
                keeping = asyncio.create_task(_keep_ends(cluster))  # beside the looks: an engine may be slow with logs
            failures = 0 if seen else failures + 1
            pause = LONGEST_PAUSE if seen else _away_pause(failures)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(noticed.wait(), pause)
            await asyncio.sleep(SHORTEST_PAUSE)
    finally:
        ears.cancel()
        if keeping is not None:
            keeping.cancel()


def _away_pause(failures: int) -> float:
    return AWAY_PAUSES[min(failures, len(AWAY_PAUSES)) - 1] * random.uniform(0.75, 1.25)  # noqa: S311  not a secret


async def _listen(cluster_id: uuid.UUID, noticed: asyncio.Event, heard: deque[EngineNotice]) -> None:
    """Notices make looks prompt; when they break off, the regular looks go on."""
    while True:
        try:
            driver = await sync_to_async(driver_of)(cluster_id)
            async for notice in driver.watch():
                if notice.reason is not None:
                    heard.append(notice)
                noticed.set()
        except DriverError:
            noticed.set()
        await asyncio.sleep(AWAY_PAUSES[1])


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
