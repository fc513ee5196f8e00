"""Logs as people read them: kept lines and those the cluster still has, each once; a word where some are missing."""

import time
from collections import deque
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from asgiref.sync import sync_to_async
from django.db.models import Min
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.kept_logs.cutting import Cut, Mark, Past, unpacked
from apps.models import AppEnvironment, KeptChunk, KeptLog
from backends.contract import Driver, DriverError, LogLine, LogQuery, ReasonCode
from backends.merging import merged
from backends.models import Cluster
from core.connections import let_go

BERTH = "berth"  # the stream of lines that are none of the app's
AGAIN = timedelta(
    seconds=60
)  # before the newest line: what follows is asked for from there, for clocks of hosts differ
BILLION = 1_000_000_000
FRESH = timedelta(seconds=60)  # a cluster that was away when last looked at is not asked again
_BATCH = 500  # lines of a cluster that are compared with kept ones at a time
ALONE = False  # in a thread of its own: a stream outlives the request that began it
_CHUNKS = 8  # in memory at a time, of each instance


class Source(Protocol):
    """Where logs come from: a cluster, or a cluster and what was kept of it."""

    def logs(self, query: LogQuery) -> AsyncGenerator[LogLine, None]: ...

    def log_bytes(
        self, instance: str, *, timestamps: bool = True, since: datetime | None = None, until: datetime | None = None
    ) -> AsyncGenerator[bytes, None]: ...


def source_of(place: AppEnvironment, driver: Driver) -> Source:
    return driver if driver.capabilities().keeps_logs else Both(place, driver)


@dataclass(frozen=True)
class Held:
    """A log of which there are lines, from the first to the last."""

    log: KeptLog
    first_ns: int


class Both:
    """`asks`: the cluster, too. `away`: once lines were read without it, why, in words."""

    def __init__(self, place: AppEnvironment, driver: Driver, *, asks: bool = True) -> None:
        self._place, self._driver, self._asks = place, driver, asks
        self.away = ""

    def kept_alone(self) -> "Both":
        """The same without the cluster."""
        return Both(self._place, self._driver, asks=False)

    async def logs(self, query: LogQuery) -> AsyncGenerator[LogLine, None]:
        """As a driver's. Errors: INSTANCE_GONE where nothing was kept of it either."""
        seen: dict[str, Mark] = {}
        if query.tail != 0:
            async with aclosing(self._past(replace(query, follow=False), seen)) as past:
                async for line in past:
                    yield line
        if query.follow:
            async with aclosing(self._live(query, seen)) as live:
                async for line in live:
                    yield line

    async def _past(self, query: LogQuery, seen: dict[str, Mark]) -> AsyncGenerator[LogLine, None]:
        held = await self._held(query)
        sources = [self._kept(one, query) for one in held]
        whole = merged([*sources, self._engine(query, {one.log.engine_id: one for one in held})])
        async with aclosing(whole):
            if query.tail is None:
                async for line in whole:
                    _note(seen, line)
                    yield line
                return
            newest: dict[str, deque[LogLine]] = {}
            async for line in whole:
                _note(seen, line)
                newest.setdefault(line.instance, deque(maxlen=query.tail)).append(line)
        together = sorted((line for some in newest.values() for line in some), key=lambda line: line.at_ns)
        for line in together[-query.newest :] if query.newest else together:
            yield line

    async def _live(self, query: LogQuery, seen: dict[str, Mark]) -> AsyncGenerator[LogLine, None]:
        last = max((mark.at_ns for mark in seen.values()), default=0)
        since = datetime.fromtimestamp(last // BILLION, UTC) - AGAIN if last else query.since
        asked = query if query.tail == 0 else replace(query, tail=None, newest=None, since=since)
        past = {instance: Past(mark) for instance, mark in seen.items()}
        try:
            async with aclosing(self._driver.logs(asked)) as lines:
                async for line in lines:
                    if line.instance not in past or past[line.instance].fresh(line.at_ns):
                        yield line
        except DriverError as error:
            if not (_gone(error) and query.instance in seen):
                raise

    async def _engine(self, query: LogQuery, held: dict[str, Held]) -> AsyncGenerator[list[LogLine], None]:
        """What it has beside what is kept; where it is away, a word of that."""
        log = next((one.log for one in held.values()), None)
        if log is not None and self._silent:
            yield [self._notice(log)]
            return
        try:
            async with aclosing(self._others(query, held)) as batches:
                async for batch in batches:
                    yield batch
        except DriverError as error:
            if log is not None and _away(error):
                yield [self._notice(log)]
            elif not (_gone(error) and query.instance in held):
                raise

    async def _others(self, query: LogQuery, held: dict[str, Held]) -> AsyncGenerator[list[LogLine], None]:
        past = {name: Past(Mark(one.log.last_ns, one.log.last_lines)) for name, one in held.items()}
        batch: list[LogLine] = []
        async with aclosing(self._driver.logs(query)) as lines:
            async for line in lines:
                known = held.get(line.instance)
                early = known is not None and line.at_ns < known.first_ns
                if known is None or early or past[line.instance].fresh(line.at_ns):
                    batch.append(line)
                if len(batch) == _BATCH:
                    yield batch
                    batch = []
        if batch:
            yield batch

    @property
    def _silent(self) -> bool:
        """Nothing is asked of it: whoever reads need not wait for what is known."""
        cluster = self._place.environment.cluster
        known = cluster.looked_at is not None and cluster.looked_at > timezone.now() - FRESH
        return not self._asks or (cluster.state == Cluster.State.AWAY and known)

    def _notice(self, log: KeptLog) -> LogLine:
        """A line of ours after all others."""
        self.away = self._said()
        at_ns = max(time.time_ns(), log.last_ns)
        return LogLine(at_ns, log.service, log.number, log.engine_id, BERTH, f"[berth] {self.away}".encode())

    def _said(self) -> str:
        cluster = self._place.environment.cluster
        words = {"cluster": cluster.name}
        if cluster.away_since is None:
            return (
                _("The cluster %(cluster)s does not answer. These lines were kept; newer ones may be missing.") % words
            )
        words["since"] = f"{cluster.away_since.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
        return (
            _("The cluster %(cluster)s is away since %(since)s. These lines were kept; newer ones may be missing.")
            % words
        )

    async def _held(self, query: LogQuery) -> list[Held]:
        return await sync_to_async(self._rows, thread_sensitive=ALONE)(query)

    def _rows(self, query: LogQuery) -> list[Held]:
        try:
            rows = self._place.kept_logs.filter(service__in=[ref.service for ref in query.services], last_ns__gt=0)
            if query.instance is not None:
                rows = rows.filter(engine_id=query.instance)
            if query.since is not None:
                rows = rows.filter(last_ns__gte=_ns(query.since))
            with_first = rows.annotate(first_ns=Min("chunks__first_ns")).filter(first_ns__isnull=False)
            return [Held(row, row.first_ns) for row in with_first]
        finally:
            let_go()

    async def _kept(self, held: Held, query: LogQuery) -> AsyncGenerator[list[LogLine], None]:
        log = held.log
        since, until = _ns(query.since), _ns(query.until)
        async for chunk, first in _chunks(held, since=since, until=until, tail=query.tail):
            lines = [
                LogLine(chunk.first_ns, log.service, log.number, log.engine_id, BERTH, word.encode())
                for word in _missing(held, chunk, first=first)
            ]
            for at_ns, line, start in Cut().of(unpacked(bytes(chunk.packed))):
                if (since is None or at_ns >= since) and (until is None or at_ns <= until):
                    lines.append(LogLine(at_ns, log.service, log.number, log.engine_id, "stdout", line[start:]))
            if lines:
                yield lines

    async def log_bytes(
        self, instance: str, *, timestamps: bool = True, since: datetime | None = None, until: datetime | None = None
    ) -> AsyncGenerator[bytes, None]:
        """As a driver's, with a line of ours where something is missing."""
        held = next(iter(await sync_to_async(self._of_instance, thread_sensitive=ALONE)(instance)), None)
        if held is None:
            async for piece in self._driver.log_bytes(instance, timestamps=timestamps, since=since, until=until):
                yield piece
            return
        wanted = _Wanted(timestamps, _ns(since), _ns(until))
        async for chunk, first in _chunks(held, since=wanted.since_ns, until=wanted.until_ns, tail=None):
            words = [wanted.said(chunk.first_ns, word) for word in _missing(held, chunk, first=first)]
            yield b"".join([*words, *wanted.of(Cut().of(unpacked(bytes(chunk.packed))))])
        async for piece in self._rest(held, wanted, until):
            yield piece

    async def _rest(self, held: Held, wanted: "_Wanted", until: datetime | None) -> AsyncGenerator[bytes, None]:
        log = held.log
        if self._silent:
            yield wanted.of_ours(self._notice(log))
            return
        past, cut = Past(Mark(log.last_ns, log.last_lines)), Cut()
        since = datetime.fromtimestamp(log.last_ns // BILLION, UTC)
        try:
            async with aclosing(self._driver.log_bytes(log.engine_id, since=since, until=until)) as pieces:
                async for piece in pieces:
                    yield b"".join(wanted.of(one for one in cut.of(piece) if past.fresh(one[0])))
            yield b"".join(wanted.of(one for one in cut.rest() if past.fresh(one[0])))
        except DriverError as error:
            if _away(error):
                yield wanted.of_ours(self._notice(log))
            elif not _gone(error):
                raise

    def _of_instance(self, instance: str) -> list[Held]:
        try:
            rows = self._place.kept_logs.filter(engine_id=instance, last_ns__gt=0)
            return [Held(row, row.first_ns) for row in rows.annotate(first_ns=Min("chunks__first_ns")) if row.first_ns]
        finally:
            let_go()


@dataclass(frozen=True)
class _Wanted:
    """What of a line goes into a file."""

    timestamps: bool
    since_ns: int | None
    until_ns: int | None

    def of(self, lines: Iterator[tuple[int, bytes, int]]) -> Iterator[bytes]:
        for at_ns, line, start in lines:
            if (self.since_ns is None or at_ns >= self.since_ns) and (self.until_ns is None or at_ns <= self.until_ns):
                yield (line if self.timestamps else line[start:]) + b"\n"

    def said(self, at_ns: int, word: str) -> bytes:
        seconds, rest = divmod(at_ns, BILLION)
        stamp = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z " if self.timestamps else ""
        return f"{stamp}{word}\n".encode()

    def of_ours(self, line: LogLine) -> bytes:
        return self.said(line.at_ns, line.text.decode())


async def _chunks(
    held: Held, *, since: int | None, until: int | None, tail: int | None
) -> AsyncGenerator[tuple[KeptChunk, bool], None]:
    """In order, some at a time; whether each is the log's first. `tail`: no more than hold so many lines at the end."""
    chosen = await sync_to_async(_chosen, thread_sensitive=ALONE)(held, since, until, tail)
    for start in range(0, len(chosen), _CHUNKS):
        for chunk in await sync_to_async(_loaded, thread_sensitive=ALONE)(chosen[start : start + _CHUNKS]):
            yield chunk, chunk.first_ns == held.first_ns


def _chosen(held: Held, since: int | None, until: int | None, tail: int | None) -> list[int]:
    try:
        rows = KeptChunk.objects.filter(log=held.log)
        rows = rows.filter(last_ns__gte=since) if since is not None else rows
        rows = rows.filter(first_ns__lte=until) if until is not None else rows
        chosen, left = [], tail
        for pk, lines in rows.order_by("-first_ns", "-pk").values_list("pk", "lines"):
            chosen.append(pk)
            if left is not None:
                left -= lines
                if left <= 0:
                    break
        return chosen[::-1]
    finally:
        let_go()


def _loaded(keys: Sequence[int]) -> list[KeptChunk]:
    """Those that still are: the oldest may have made room meanwhile."""
    try:
        return sorted(KeptChunk.objects.filter(pk__in=keys), key=lambda chunk: (chunk.first_ns, chunk.pk))
    finally:
        let_go()


def _missing(held: Held, chunk: KeptChunk, *, first: bool) -> Iterator[str]:
    if first and held.log.forgotten:
        yield _("[berth] Older lines of this instance are not kept any more.")
    if chunk.lost == KeptChunk.Lost.ENGINE:
        yield _("[berth] Lines may be missing here: the cluster did not have all of them any more.")
    elif chunk.lost == KeptChunk.Lost.FAST:
        yield _("[berth] Lines are missing here: they came faster than they can be kept.")


def _note(seen: dict[str, Mark], line: LogLine) -> None:
    if line.stream != BERTH:
        seen.setdefault(line.instance, Mark()).note(line.at_ns)


def _ns(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp()) * BILLION + at.microsecond * 1000


def _gone(error: DriverError) -> bool:
    return error.reason.code == ReasonCode.INSTANCE_GONE


def _away(error: DriverError) -> bool:
    return error.reason.code in (ReasonCode.ENGINE_AWAY, ReasonCode.ENGINE_SLOW)
