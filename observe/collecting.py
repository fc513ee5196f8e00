"""The collector: every ten seconds it reads what all instances use, each cluster for itself."""

import asyncio
import contextlib
import logging
import time
import uuid

from asgiref.sync import sync_to_async
from django.db import DatabaseError, close_old_connections

from apps.models import ObservedInstance
from apps.observing import watched_clusters
from backends.contract import DriverError, UsageCount
from backends.models import Cluster
from backends.registry import driver_for
from observe.keeping import Book
from observe.points import FINE

log = logging.getLogger(__name__)
LONGEST_SECONDS = 9.0  # a reading that takes longer is given up: the next one is due


class Collector:
    """`run` blocks until `stop`. A cluster that is away or slow holds up none of the others."""

    def __init__(self) -> None:
        self._stopped = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._books: dict[tuple[uuid.UUID, int], Book] = {}

    def run(self) -> None:
        asyncio.run(self._run())

    def stop(self) -> None:
        if self._loop is not None and self._loop.is_running():
            self._loop.call_soon_threadsafe(self._stopped.set)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        while not await self._stop_before(FINE.step - time.time() % FINE.step):
            try:
                await self.collect(round(time.time()) // FINE.step * FINE.step)
            except DatabaseError:
                log.exception("which clusters there are cannot be read just now")

    async def _stop_before(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopped.wait()
        return self._stopped.is_set()

    async def collect(self, at: int) -> None:
        """One reading of everything, for the step that begins at `at` (seconds since 1970)."""
        clusters = await _clusters()
        wanted = {(cluster.pk, cluster.version): cluster for cluster in clusters}
        self._books = {key: self._books.get(key) or Book(cluster) for key, cluster in wanted.items()}
        reads = [self._read(wanted[key], book, at) for key, book in self._books.items()]
        for failed in await asyncio.gather(*reads, return_exceptions=True):
            if failed is not None:
                log.error("usage of a cluster was not collected", exc_info=failed)

    async def _read(self, cluster: Cluster, book: Book, at: int) -> None:
        try:
            running = await _instances(book)
            counts = await _counts(cluster, running)
            await _take(book, at, running, counts)
        except (DriverError, TimeoutError) as error:
            log.info("no usage of cluster %s: %s", cluster.name, error)  # a gap stays a gap
        except DatabaseError:
            log.exception("usage of cluster %s was not kept", cluster.name)


async def _counts(cluster: Cluster, running: list[ObservedInstance]) -> list[UsageCount]:
    if not running:
        return []
    async with asyncio.timeout(LONGEST_SECONDS):
        return await driver_for(cluster).usage([row.engine_id for row in running])


@sync_to_async
def _clusters() -> list[Cluster]:
    close_old_connections()
    return [cluster for cluster in watched_clusters() if cluster.state == Cluster.State.READY]


@sync_to_async(thread_sensitive=False)
def _instances(book: Book) -> list[ObservedInstance]:
    close_old_connections()
    return book.instances()


@sync_to_async(thread_sensitive=False)
def _take(book: Book, at: int, running: list[ObservedInstance], counts: list[UsageCount]) -> int:
    close_old_connections()
    return book.take(at, running, counts)
