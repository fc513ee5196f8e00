"""From counts to kept points: one `Book` per cluster turns readings into rates and writes them in few statements."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db import transaction

from apps.models import ObservedInstance
from apps.observing import Usage, note_usage
from backends.contract import InstanceState, UsageCount
from backends.models import Cluster
from observe.admitting import admit
from observe.models import UsageChunk, UsageSeries
from observe.points import COARSE, FINE, TIERS, Chunk, Point, Tier, together

MEASURED = (InstanceState.STARTING, InstanceState.RUNNING, InstanceState.STOPPING)
LONGEST_GAP_NS = 25_000_000_000  # over a longer time a rate would claim to know what nobody saw
BATCH = 500


@dataclass
class Line:
    """An instance whose usage is kept, in the memory of the collector."""

    series: uuid.UUID
    instance: uuid.UUID  # of its ObservedInstance
    chunks: dict[Tier, Chunk] = field(default_factory=dict)
    last: UsageCount | None = None
    minute: int = 0
    of_minute: list[Point] = field(default_factory=list)
    unwritten: list[Chunk] = field(default_factory=list)  # minutes wait until they are full

    def take(self, at: int, count: UsageCount) -> Point:
        point = rate(self.last, count)
        self.last = count
        self._put(FINE, at, point)
        if at // COARSE.step != self.minute:
            self.minute, self.of_minute = at // COARSE.step, []
        self.of_minute.append(point)
        self._put(COARSE, at, together(self.of_minute))
        return point

    def _put(self, tier: Tier, at: int, point: Point) -> None:
        chunk = self.chunks.get(tier)
        if chunk is None or not chunk.holds(at):
            chunk = self.chunks[tier] = Chunk(tier, at)
        chunk.put(at, point)
        if chunk not in self.unwritten:
            self.unwritten.append(chunk)

    def ripe(self, at: int) -> list[Chunk]:
        """What is to be written now: fine points at once, minutes when they are over."""
        over = at % COARSE.step == COARSE.step - FINE.step
        now = [chunk for chunk in self.unwritten if over or chunk.tier is FINE or not chunk.holds(at)]
        self.unwritten = [chunk for chunk in self.unwritten if chunk not in now]
        return now


def rate(before: UsageCount | None, now: UsageCount) -> Point:
    """What was used between two readings; only memory where there is nothing to compare with."""
    passed = now.at_ns - before.at_ns if before else 0
    if before is None or not 0 < passed <= LONGEST_GAP_NS or now.cpu_ns < before.cpu_ns:
        return Point(memory=now.memory_bytes)
    cpu = round(1000 * (now.cpu_ns - before.cpu_ns) / passed)
    seconds = passed / 1e9
    return Point(
        cpu=cpu,
        cpu_peak=cpu,
        memory=now.memory_bytes,
        received=round(max(0, now.network_in_bytes - before.network_in_bytes) / seconds),
        sent=round(max(0, now.network_out_bytes - before.network_out_bytes) / seconds),
    )


class Book:
    """All lines of one cluster. Not safe for several threads at once."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._lines: dict[str, Line] = {}
        self._closed_for: set[str] | None = None  # the instances that ran when ends were last looked for

    def instances(self) -> list[ObservedInstance]:
        """What runs on the cluster by what the observer saw last."""
        rows = ObservedInstance.objects.filter(place__environment__cluster=self._cluster, state__in=MEASURED)
        return list(
            rows.only("id", "tenant_id", "project_id", "place_id", "service", "number", "engine_id", "started_at")
        )

    def take(self, at: int, running: Sequence[ObservedInstance], counts: Iterable[UsageCount]) -> int:
        """Keep the readings of one moment (seconds since 1970, a multiple of ten). Answers how many were kept."""
        self._open([row for row in running if row.engine_id not in self._lines], at)
        moment = datetime.fromtimestamp(at, tz=UTC)
        used, chunks = [], []
        for count in counts:
            line = self._lines.get(count.instance)
            if line is None:
                continue
            point = line.take(at, count)
            used.append(Usage(line.instance, moment, point.cpu, point.memory))
            chunks += [_row(line, chunk) for chunk in line.ripe(at)]
        gone = self._forget({row.engine_id for row in running})
        chunks += [_row(line, chunk) for line in gone for chunk in line.unwritten]
        with transaction.atomic():
            _write(chunks)
            note_usage(used)
        self._close({row.engine_id for row in running}, moment)
        return len(used)

    def _open(self, rows: Sequence[ObservedInstance], at: int) -> None:
        if not rows:
            return
        series = admit(rows)
        chunks = _stored([one.pk for one in series.values()], at)
        for row in rows:
            if (one := series.get((row.place_id, row.engine_id))) is not None:
                self._lines[row.engine_id] = Line(one.pk, row.pk, chunks.get(one.pk, {}))

    def _forget(self, running: set[str]) -> list[Line]:
        return [self._lines.pop(name) for name in self._lines.keys() - running]

    def _close(self, running: set[str], moment: datetime) -> None:
        """Series of instances that run no more end; looked for when something has changed, and at the start."""
        if running == self._closed_for:
            return
        self._closed_for = running
        open_ones = UsageSeries.objects.filter(place__environment__cluster=self._cluster, ended_at=None)
        for series in [one for one in open_ones if one.engine_id not in running]:
            close(series, moment)


def close(series: UsageSeries, moment: datetime) -> None:
    row = ObservedInstance.objects.filter(place_id=series.place_id, engine_id=series.engine_id).first()
    series.ended_at = moment
    if row is not None:
        series.failed = row.state == InstanceState.FAILED
        series.reason, series.exit_code = row.reason, row.exit_code
    series.save(update_fields=["ended_at", "failed", "reason", "exit_code"])


def _stored(series: Sequence[uuid.UUID], at: int) -> Mapping[uuid.UUID, dict[Tier, Chunk]]:
    """The chunks that were being filled when a collector stopped a moment ago."""
    found: dict[uuid.UUID, dict[Tier, Chunk]] = {}
    for tier in TIERS:
        rows = UsageChunk.objects.filter(series__in=series, step=tier.step, starts=tier.starts(at))
        for pk, points in rows.values_list("series_id", "points"):
            found.setdefault(pk, {})[tier] = Chunk(tier, at, bytes(points))
    return found


def _row(line: Line, chunk: Chunk) -> UsageChunk:
    return UsageChunk(
        series_id=line.series,
        step=chunk.tier.step,
        slot=chunk.tier.slot(chunk.starts),
        starts=chunk.starts,
        points=chunk.packed(),
    )


def _write(chunks: list[UsageChunk]) -> None:
    UsageChunk.objects.bulk_create(
        chunks,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["series", "step", "slot"],
        update_fields=["starts", "points"],
    )
