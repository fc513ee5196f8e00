"""What was used in a place between two moments, read from rows: a line for each instance, aligned in time."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from apps.models import AppEnvironment, ObservedInstance
from apps.specification import stored
from backends.models import Cluster
from observe.models import UsageChunk, UsageOverflow, UsageSeries
from observe.points import COARSE, FINE, Point, Tier, together, unpacked

MOST_LINES = 200
MOST_POINTS = 3000  # of one line
OLD_AFTER = timedelta(seconds=35)  # three readings and a little: older numbers are not of now
STILL_OVER = timedelta(minutes=1)
COLOURS = 6


@dataclass(frozen=True)
class Asked:
    """A stretch of time in steps. `start` and `end` are seconds since 1970, multiples of `step`."""

    start: int
    end: int
    step: int
    service: str = ""

    @property
    def count(self) -> int:
        return (self.end - self.start) // self.step

    @property
    def tier(self) -> Tier:
        return FINE if self.step < COARSE.step else COARSE


def asked(start: datetime, end: datetime, *, step: int | None = None, service: str = "") -> Asked:
    """Rounded to what is kept: minutes where the fine points have gone by then, and no more points than are drawn."""
    kept_since = timezone.now().timestamp() - FINE.kept_seconds - FINE.seconds
    tier = FINE if start.timestamp() >= kept_since and (step is None or step < COARSE.step) else COARSE
    fewest = max((end - start).total_seconds() / MOST_POINTS, step or 0, tier.step)
    rounded = -(-int(fewest) // tier.step) * tier.step
    if rounded >= COARSE.step:
        rounded = -(-rounded // COARSE.step) * COARSE.step
    first = int(start.timestamp()) // rounded * rounded
    return Asked(first, max(first + rounded, int(end.timestamp()) // rounded * rounded + rounded), rounded, service)


@dataclass(frozen=True)
class Limits:
    """Of one instance by the release that is declared: millicores and bytes; None: no limit."""

    cpu: int | None = None
    memory: int | None = None


@dataclass(frozen=True)
class UsageLine:
    """One instance. `points` has one entry for each step; None where nothing is known."""

    series: UsageSeries
    colour: int
    points: list[Point | None]
    instance: uuid.UUID | None = None  # while it is observed

    @property
    def service(self) -> str:
        return self.series.service

    @property
    def name(self) -> str:
        return f"{self.series.service} {self.series.number}"

    @property
    def running(self) -> bool:
        return self.series.ended_at is None

    def values(self, kind: str) -> list[int | None]:
        return [None if point is None else getattr(point, kind) for point in self.points]


@dataclass(frozen=True)
class Left:
    """What the tenant's limit left out, and instances that run without being measured."""

    forgotten: int = 0
    left_out: int = 0
    not_measured: Sequence[str] = ()
    more_lines: int = 0


@dataclass(frozen=True)
class Usage:
    asked: Asked
    lines: list[UsageLine]
    limits: Mapping[str, Limits]
    left: Left
    last_at: datetime | None = None  # of the newest reading of what runs
    away: bool = False  # the engine does not answer
    services: Sequence[str] = field(default_factory=list)

    @property
    def old(self) -> bool:
        """Whether what is newest is not of now."""
        return self.last_at is not None and (self.away or timezone.now() - self.last_at > OLD_AFTER)

    def of(self, service: str) -> list[UsageLine]:
        return [line for line in self.lines if line.service == service]


def usage(place: AppEnvironment, question: Asked) -> Usage:
    """At most six queries, whatever is asked. `place` comes with its release and its environment's cluster."""
    series = _series(place, question)
    observed = {row.engine_id: row for row in place.observed_instances.all()}
    points = _points([one.pk for one in series[:MOST_LINES]], question)
    colours, limits = _colours(series), limits_of(place)
    nothing: list[Point | None] = [None] * question.count
    lines = [
        UsageLine(one, colours[one.service, one.number], points.get(one.pk, nothing), _id(one, observed))
        for one in series[:MOST_LINES]
    ]
    return Usage(
        question,
        lines=lines,
        limits=limits,
        left=_left(place, observed.values(), more_lines=len(series) - len(lines)),
        last_at=max((row.usage_at for row in observed.values() if row.usage_at), default=_last(lines, question)),
        away=place.environment.cluster.state == Cluster.State.AWAY,
        services=sorted({*limits, *(one.service for one in series)}),
    )


def limits_of(place: AppEnvironment) -> dict[str, Limits]:
    if place.release is None:
        return {}
    services = stored(place.release.specification).services
    found = {name: one.deploy.resources.limits for name, one in services.items()}
    return {name: Limits(one.cpus, one.memory) for name, one in found.items()}


def _series(place: AppEnvironment, question: Asked) -> list[UsageSeries]:
    from_ = datetime.fromtimestamp(question.start, tz=UTC)
    to = datetime.fromtimestamp(question.end, tz=UTC)
    rows = UsageSeries.objects.filter(Q(ended_at=None) | Q(ended_at__gte=from_), place=place, created_at__lt=to)
    if question.service:
        rows = rows.filter(service=question.service)
    return list(rows.order_by("service", "number", "-created_at"))


def _colours(series: Iterable[UsageSeries]) -> dict[tuple[str, int], int]:
    """An instance has the colour of its number, and its replacement the same."""
    names = sorted({(one.service, one.number) for one in series})
    return {name: 1 + place % COLOURS for place, name in enumerate(names)}


def _id(series: UsageSeries, observed: Mapping[str, ObservedInstance]) -> uuid.UUID | None:
    row = observed.get(series.engine_id)
    return row.pk if row else None


def _points(series: Sequence[uuid.UUID], question: Asked) -> dict[uuid.UUID, list[Point | None]]:
    tier = question.tier
    rows = UsageChunk.objects.filter(
        series__in=series, step=tier.step, starts__gt=question.start - tier.seconds, starts__lt=question.end
    )
    steps: dict[uuid.UUID, list[list[Point]]] = {}
    for pk, starts, packed in rows.values_list("series_id", "starts", "points"):
        held = steps.setdefault(pk, [[] for _step in range(question.count)])
        for at, point in unpacked(bytes(packed), starts=starts, step=tier.step):
            if question.start <= at < question.end:
                held[(at - question.start) // question.step].append(point)
    return {pk: [together(some) if some else None for some in held] for pk, held in steps.items()}


def _last(lines: Sequence[UsageLine], question: Asked) -> datetime | None:
    """Of the newest point of all lines, when nothing runs any more."""
    places = [place for line in lines for place, point in enumerate(line.points) if point is not None]
    return datetime.fromtimestamp(question.start + max(places) * question.step, tz=UTC) if places else None


def _left(place: AppEnvironment, observed: Iterable[ObservedInstance], *, more_lines: int) -> Left:
    now = timezone.now()
    row = UsageOverflow.objects.filter(tenant_id=place.tenant_id).first()
    lately = row is not None and row.forgotten_at is not None and now - row.forgotten_at < timedelta(days=2)
    still = row is not None and row.left_out_at is not None and now - row.left_out_at < STILL_OVER
    return Left(
        forgotten=row.forgotten if row and lately else 0,
        left_out=row.left_out if row and still else 0,
        not_measured=[f"{one.service} {one.number}" for one in observed if _unmeasured(one, now)],
        more_lines=more_lines,
    )


def _unmeasured(row: ObservedInstance, now: datetime) -> bool:
    """It has run for a minute and nobody has read it: its host is out of reach, or the tenant's limit left it out."""
    began = row.started_at is not None and now - row.started_at > STILL_OVER
    return row.state == "running" and began and row.usage_at is None
