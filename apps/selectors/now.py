"""How one app runs in one environment at this moment, read from rows: services, instances, the latest operation."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from apps.models import AppEnvironment, ObservedInstance, ObservedService, ReleaseImage
from apps.selectors.reasons import Told, failure_sentence
from apps.selectors.state import (
    PlaceState,
    instance_status,
    instance_word,
    place_state,
    wanted_instances,
)
from apps.specification import Specification, stored
from core.status import Kind, Status
from operations.models import Operation

LEAVING = (Status.STOPPING, Status.RUNNING)


@dataclass(frozen=True)
class InstanceLine:
    """One row of the instances table. `answers`: ("host:port", link) outside. `up`: how long it has run."""

    id: uuid.UUID
    service: str
    number: int
    status: Status
    word: str
    host: str
    answers: list[tuple[str, str]]
    restarts: int
    up: timedelta | None
    told: Told

    @property
    def name(self) -> str:
        return f"{self.service} {self.number}"


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

    @property
    def whole(self) -> bool:
        return self.running >= self.wanted and not self.told.sentence


@dataclass(frozen=True)
class Now:
    state: PlaceState
    operation: Operation | None
    instances: list[InstanceLine]
    services: list[ServiceFacts]
    average_up: timedelta | None
    seen_at: datetime | None
    since: datetime | None


def latest_operation(place: AppEnvironment) -> Operation | None:
    rows = Operation.objects.filter(target=f"place:{place.pk}").select_related("deployment")
    return rows.order_by("-created_at", "-id").first()


def now(place: AppEnvironment) -> Now:
    """At most six queries. `place` comes with its release and its environment's cluster."""
    services = list(place.services.order_by("service"))
    rows = list(place.observed_instances.select_related("host").order_by("service", "number", "-started_at"))
    operation = latest_operation(place)
    lines = instance_lines(rows)
    ups = [line.up for line in lines if line.up is not None]
    return Now(
        state=place_state(place, services, rows, operation),
        operation=operation,
        instances=lines,
        services=service_facts(place, services),
        average_up=sum(ups, timedelta()) / len(ups) if ups else None,
        seen_at=max((service.seen_at for service in services), default=None),
        since=_since(place),
    )


def _since(place: AppEnvironment) -> datetime | None:
    """When the present release began to serve here."""
    if place.release_id is None:
        return None
    put = place.deployments.filter(release=place.release_id, kind__in=("deploy", "rollback"), result="succeeded")
    return put.order_by("-number").values_list("operation__ended_at", flat=True).first()


def instance_lines(rows: Iterable[ObservedInstance]) -> list[InstanceLine]:
    """One line a number: the instance that is meant to run there, else one that is still on its way out."""
    shown = [row for row in rows if row.wanted or instance_status(row) in LEAVING]
    by_number = {(row.service, row.number): row for row in sorted(shown, key=lambda row: row.wanted)}
    return [_line(row) for _key, row in sorted(by_number.items())]


def _line(row: ObservedInstance) -> InstanceLine:
    status = instance_status(row)
    runs = status.kind in (Kind.OK, Kind.BUSY)
    return InstanceLine(
        id=row.pk,
        service=row.service,
        number=row.number,
        status=status,
        word=instance_word(row),
        host=row.host.name if row.host else "",
        answers=[(str(address), f"http://{address}") for _port, address in row.addresses] if runs else [],
        restarts=row.restarts,
        up=timezone.now() - row.started_at if runs and row.started_at else None,
        told=failure_sentence(row.reason),
    )


def service_facts(place: AppEnvironment, seen: Sequence[ObservedService]) -> list[ServiceFacts]:
    if place.release is None:
        return []
    specification = stored(place.release.specification)
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
    )
