"""The followers: they keep what instances write, where a cluster forgets an instance's log with the instance.

Each instance has a stream of its own, and what comes is packed at once and written every few seconds, all together. Of
one that writes more than may wait for that, what comes meanwhile is left out, with a word about it.
"""

import asyncio
import contextlib
import logging
import time
import uuid
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

from asgiref.sync import sync_to_async
from django.db import DatabaseError, close_old_connections

from apps.kept_logs import keeping
from apps.kept_logs.cutting import Intake, Mark, Packed
from apps.models import KeptChunk, KeptLog, ObservedInstance
from apps.observing import watched_clusters
from backends.contract import Driver, DriverError, InstanceState, ReasonCode
from backends.models import Cluster
from backends.registry import capabilities_of, driver_for

log = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
WRITE_SECONDS = 5.0
PIECE = 256 * 1024  # bytes of lines that are packed together
MOST_WAITING = 2 << 20  # packed bytes of one instance that wait to be written
MOST_FOLLOWED = 1000
MOST_OF_A_TENANT = 200
BEGUN = (
    InstanceState.STARTING,
    InstanceState.RUNNING,
    InstanceState.STOPPING,
    InstanceState.FAILED,
    InstanceState.ENDED,
)
OVER = (InstanceState.FAILED, InstanceState.ENDED)


class Followers:
    """`run` blocks until `stop`; an engine that is away holds up none of the others."""

    def __init__(self) -> None:
        self._stopped = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._following: dict[str, Follower] = {}
        self._over: set[str] = set()  # all of it was read

    def run(self) -> None:
        asyncio.run(self._run())

    def stop(self) -> None:
        if self._loop is not None and self._loop.is_running():
            self._loop.call_soon_threadsafe(self._stopped.set)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        written = time.monotonic()
        try:
            while not self._stopped.is_set():
                with contextlib.suppress(DatabaseError):  # it is tried again
                    await self.look()
                    if time.monotonic() - written >= WRITE_SECONDS or any(one.full for one in self._following.values()):
                        await self.write()
                        written = time.monotonic()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._stopped.wait()
        finally:
            await self.close()

    async def look(self) -> None:
        """Begin with what is new, and let go of what is over once all of it was read and written."""
        rows = await _instances()
        there = {row.engine_id: row for row in rows}
        self._over &= there.keys()
        fresh = [row for key, row in there.items() if key not in self._following and key not in self._over]
        if fresh:
            await self._begin(fresh)
        for key in [key for key, one in self._following.items() if one.done and not one.waiting]:
            one = self._following.pop(key)
            one.tell()
            row = there.get(key)
            if one.gone or row is None or row.state in OVER:
                await _end(one.log)
                self._over.add(key)

    async def _begin(self, rows: list[ObservedInstance]) -> None:
        admitted = _admitted(rows, self._following.values())
        for row, kept in await _logs(admitted):
            if kept.ended_at is not None:
                self._over.add(row.engine_id)
                continue
            cluster = row.place.environment.cluster
            self._following[row.engine_id] = Follower(kept, driver_for(cluster))

    async def write(self) -> None:
        """What has come since; whoever waits for room goes on."""
        taken = [(one, pieces) for one in self._following.values() if (pieces := one.take())]
        if not taken:
            return
        kept = await _keep([(one.log, pieces) for one, pieces in taken])
        for one, _pieces in taken:
            if one.log.pk not in kept:  # another process follows it as well: it goes on where that one stands
                one.drop()

    async def close(self) -> None:
        for one in self._following.values():
            one.stop()
        await asyncio.gather(*(one.task for one in self._following.values()), return_exceptions=True)
        with contextlib.suppress(DatabaseError):
            await self.write()
        self._following.clear()


class Follower:
    """Of one instance, from where its kept log ends."""

    def __init__(self, kept: KeptLog, driver: Driver) -> None:
        self.log = kept
        self.gone = False
        self._driver = driver
        self._mark = Mark(kept.last_ns, kept.last_lines)
        self._intake = Intake(self._mark)
        self._packed: list[Packed] = []
        self._room = asyncio.Event()
        self._room.set()
        self.task = asyncio.create_task(self._run())

    @property
    def done(self) -> bool:
        return self.task.done()

    @property
    def waiting(self) -> bool:
        return bool(self._packed) or self._intake.size > 0

    @property
    def full(self) -> bool:
        return sum(len(one.content) for one in self._packed) >= MOST_WAITING

    def stop(self) -> None:
        self.task.cancel()

    def drop(self) -> None:
        """What it has read: another has kept it."""
        self.stop()
        self.take()

    def tell(self) -> None:
        """Of a bug; what an engine does wrong is no news here."""
        if not self.task.cancelled() and (error := self.task.exception()) is not None:
            log.error("the log of an instance was not followed", exc_info=error)

    def take(self) -> list[Packed]:
        self._pack()
        pieces, self._packed = self._packed, []
        self._room.set()
        return pieces

    def _pack(self) -> None:
        if (piece := self._intake.take()) is not None:
            self._packed.append(piece)

    async def _run(self) -> None:
        try:
            while await self._read():
                await self._room.wait()
                self._skip()
        except DriverError as error:
            self.gone = error.reason.code == ReasonCode.INSTANCE_GONE

    async def _read(self) -> bool:
        """Until its log ends, or (True) more waits to be written than may. It is never made to wait meanwhile: an
        engine that begins a new file leaves out what a slow reader has not had of the old one, and tells nobody.
        """
        since = datetime.fromtimestamp(self._mark.at_ns // 10**9, UTC) if self._mark.at_ns else None
        async with contextlib.aclosing(self._driver.log_bytes(self.log.engine_id, since=since, follow=True)) as pieces:
            async for piece in pieces:
                self._intake.add(piece, lost=KeptChunk.Lost.ENGINE)
                if self._intake.size >= PIECE:
                    self._pack()
                    if self.full:
                        self._room.clear()
                        return True
        return False

    def _skip(self) -> None:
        """To now: whatever comes first then, something is missing before it."""
        self._mark.at_ns, self._mark.lines = time.time_ns(), 0
        self._intake = Intake(self._mark, lost=KeptChunk.Lost.FAST)


def _admitted(rows: list[ObservedInstance], following: Iterable[Follower]) -> list[ObservedInstance]:
    """As many as there may be, of each tenant and of all."""
    held: Counter[uuid.UUID] = Counter(one.log.tenant_id for one in following)
    room = MOST_FOLLOWED - held.total()
    chosen: list[ObservedInstance] = []
    for row in rows:
        if len(chosen) < room and held[row.tenant_id] < MOST_OF_A_TENANT:
            held[row.tenant_id] += 1
            chosen.append(row)
    return chosen


@sync_to_async
def _instances() -> list[ObservedInstance]:
    close_old_connections()
    ready = [one for one in watched_clusters() if one.state == Cluster.State.READY]
    forgetful = [one.pk for one in ready if not capabilities_of(one).keeps_logs]
    if not forgetful:
        return []
    rows = ObservedInstance.objects.filter(place__environment__cluster__in=forgetful, state__in=BEGUN)
    return list(rows.select_related("place__environment__cluster").order_by("-started_at", "engine_id"))


@sync_to_async
def _logs(rows: list[ObservedInstance]) -> list[tuple[ObservedInstance, KeptLog]]:
    close_old_connections()
    held = keeping.logs_of(rows)
    return [(row, held[row.engine_id]) for row in rows]


@sync_to_async
def _keep(pieces: list[tuple[KeptLog, list[Packed]]]) -> set[uuid.UUID]:
    close_old_connections()
    return keeping.keep(pieces)


@sync_to_async
def _end(kept: KeptLog) -> None:
    close_old_connections()
    keeping.end(kept)
