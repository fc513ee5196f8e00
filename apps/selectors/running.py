"""What runs of an app in one environment, line by line: its instances and its services."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from apps.models import AppEnvironment, ObservedInstance, ObservedService, ReleaseImage
from apps.selectors.reasons import Told, failure_sentence
from apps.selectors.state import instance_status, instance_word, wanted_instances, when_last_seen
from apps.specification import Specification
from core.status import Kind, Status
from core.wording import number

LEAVING = (Status.STOPPING, Status.RUNNING)
USAGE_OLD_AFTER = timedelta(seconds=60)


@dataclass(frozen=True)
class Usage:
    """What an instance used of late: thousandths of a core, and bytes. `old`: nobody has measured for a minute.

    `limit`: thousandths of a core that it may use; None without a limit.
    """

    cpu: int
    memory: int
    at: datetime
    old: bool
    limit: int | None = None

    @property
    def share(self) -> str:
        """Its CPU in percent of its limit, or of one core without one."""
        return number(share_of(self.cpu, self.limit), places=0)


@dataclass(frozen=True)
class InstanceLine:
    """One row of the instances table. `addresses`: (target port, "host:port") outside. `up`: how long it has run.

    `today`: how often its number crashed since midnight. `stale`: nobody can tell how it is now.
    """

    id: uuid.UUID
    service: str
    number: int
    status: Status
    word: str
    host: str
    addresses: list[tuple[int, str]]
    restarts: int
    up: timedelta | None
    told: Told
    usage: Usage | None = None
    today: int = 0
    stale: bool = False

    @property
    def name(self) -> str:
        return f"{self.service} {self.number}"

    @property
    def answers(self) -> list[tuple[str, str]]:
        """(address, link) of each port that can be reached from outside."""
        return [(address, f"http://{address}") for _port, address in self.addresses]

    @property
    def anchor(self) -> str:
        return f"{self.service}-{self.number}"

    @property
    def shown_status(self) -> Status:
        """One that runs but crashed today is no calm one; what nobody sees is not known."""
        if self.stale:
            return Status.UNKNOWN
        return Status.RESTARTS if self.today and self.status is Status.RUNNING else self.status

    @property
    def shown_word(self) -> str:
        return when_last_seen(self.word or self.status.word) if self.stale else self.word

    @property
    def starts(self) -> int:
        return max(self.restarts, self.today) + 1


@dataclass(frozen=True)
class ServiceFacts:
    """What a service is made of and how it does. Memory in bytes, CPU in thousandths of a core; None: no limit."""

    name: str
    image: str
    digest: str
    ports: str
    check: bool
    cpu: int | None
    memory: int | None
    wanted: int
    running: int
    told: Told
    reason: Mapping[str, Any] | None = None

    @property
    def whole(self) -> bool:
        return self.running >= self.wanted and not self.told.sentence


def share_of(cpu: int, limit: int | None, count: int = 1) -> float:
    """Percent that `count` instances together use of what they may, or of one core each."""
    return 100 * cpu / ((limit or 1000) * count)


def instance_lines(
    rows: Iterable[ObservedInstance],
    today: Mapping[tuple[str, int], int] | None = None,
    limits: Mapping[str, int | None] | None = None,
    *,
    stale: bool = False,
) -> list[InstanceLine]:
    """One line a number: the instance that is meant to run there, else one that is still on its way out.

    `today`: how often each (service, number) crashed since midnight. `limits`: thousandths of a core by service.
    `stale`: nobody has looked of late, so the rows tell how they were.
    """
    shown = [row for row in rows if row.wanted or instance_status(row) in LEAVING]
    by_number = {(row.service, row.number): row for row in sorted(shown, key=lambda row: row.wanted)}
    return [
        _line(row, (today or {}).get(key, 0), (limits or {}).get(row.service), stale=stale)
        for key, row in sorted(by_number.items())
    ]


def _line(row: ObservedInstance, today: int, limit: int | None, *, stale: bool) -> InstanceLine:
    status = instance_status(row)
    runs = status.kind in (Kind.OK, Kind.BUSY)
    return InstanceLine(
        id=row.pk,
        service=row.service,
        number=row.number,
        status=status,
        word=instance_word(row),
        host=row.host.name if row.host else "",
        addresses=[(int(port), str(address)) for port, address in row.addresses] if runs else [],
        restarts=row.restarts,
        up=timezone.now() - row.started_at if runs and row.started_at else None,
        told=failure_sentence(row.reason),
        usage=_usage(row, limit) if runs else None,
        today=today,
        stale=stale,
    )


def _usage(row: ObservedInstance, limit: int | None) -> Usage | None:
    if row.usage_at is None or row.cpu_millicores is None:
        return None
    old = timezone.now() - row.usage_at > USAGE_OLD_AFTER
    return Usage(row.cpu_millicores, row.memory_bytes or 0, row.usage_at, old, limit)


def service_facts(
    place: AppEnvironment, specification: Specification | None, seen: Sequence[ObservedService]
) -> list[ServiceFacts]:
    """One query. `specification`: that of the place's release; None where it has none."""
    if specification is None or place.release is None:
        return []
    digests = dict(ReleaseImage.objects.filter(release=place.release).values_list("service", "digest"))
    wanted, observed = wanted_instances(place), {row.service: row for row in seen}
    return [
        _facts(name, specification, digests.get(name, ""), wanted.get(name, 0), observed.get(name))
        for name in specification.services
    ]


def _facts(
    name: str, specification: Specification, digest: str, wanted: int, seen: ObservedService | None
) -> ServiceFacts:
    service = specification.services[name]
    limits = service.deploy.resources.limits
    return ServiceFacts(
        name=name,
        image=str(service.image),
        digest=digest,
        ports=", ".join(port.short() for port in service.published_ports),
        check=service.healthcheck is not None or service.x_berth.health is not None,
        cpu=limits.cpus,
        memory=limits.memory,
        wanted=wanted,
        running=seen.running if seen else 0,
        told=failure_sentence(seen.reason if seen else None),
        reason=seen.reason if seen else None,
    )
