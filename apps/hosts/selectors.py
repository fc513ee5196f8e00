"""Hosts as their page and the API tell them: whose instances are there, what is being done, what was done before."""

from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from apps.building import specification_of
from apps.hosts.work import KIND, target_of
from apps.models import AppEnvironment, ObservedInstance, ObservedService
from apps.selectors.clusters import HostLine, cluster_lines
from backends.models import Cluster, Host
from backends.registry import capabilities_of
from core.access import Actor, get_visible, visible
from operations.models import Operation

MOST_BEFORE = 8


@dataclass(frozen=True)
class Touched:
    """How much is on a host at this moment, as last seen. `alone`: services that run one instance only."""

    host: Host
    services: frozenset[tuple[UUID, str]]  # (place, service)
    instances: int
    apps: int
    projects: int
    tenants: int

    @cached_property
    def alone(self) -> int:
        rows = ObservedService.objects.filter(place__in=self.places, wanted=1)
        return len(self.services & set(rows.values_list("place", "service")))

    @cached_property
    def volumes(self) -> int:
        """Services there that keep data in volumes."""
        rows = AppEnvironment.objects.filter(pk__in=self.places, release__isnull=False).select_related("release")
        kept = {(row.pk, name) for row in rows for name in _with_volumes(row)}
        return len(self.services & kept)

    @property
    def volumes_stay(self) -> bool:
        return not capabilities_of(self.host.cluster).volumes_on_networks

    @property
    def moves_single(self) -> bool:
        """Only what is on the host is replaced, not all of a service."""
        return capabilities_of(self.host.cluster).moves_single_instances

    @property
    def places(self) -> set[UUID]:
        return {place for place, _service in self.services}


def _with_volumes(place: AppEnvironment) -> list[str]:
    if place.release is None:
        return []
    return [name for name, one in specification_of(place.release).services.items() if one.named_volumes]


def host_of(actor: Actor, cluster: str, host: UUID) -> Host:
    return get_visible(actor, Host.objects.select_related("cluster"), pk=host, cluster__name=cluster)


def line_of(host: Host) -> HostLine:
    """How it is and how full."""
    (line,) = cluster_lines([Cluster.objects.prefetch_related("hosts").get(pk=host.cluster_id)])
    return next(one for one in line.hosts if one.host.pk == host.pk)


def touched(host: Host) -> Touched:
    rows = list(
        ObservedInstance.objects.filter(host=host, wanted=True).values_list("place", "service", "project", "tenant")
    )
    return Touched(
        host,
        services=frozenset((place, service) for place, service, _project, _tenant in rows),
        instances=len(rows),
        apps=len({place for place, *_rest in rows}),
        projects=len({project for _place, _service, project, _tenant in rows}),
        tenants=len({tenant for *_rest, tenant in rows}),
    )


def under_way(host: Host) -> Operation | None:
    """What is being done with it at this moment."""
    return Operation.objects.filter(target=target_of(host), state__in=Operation.ACTIVE).first()


def before(actor: Actor, host: Host) -> list[Operation]:
    """What was done with it, newest first."""
    rows = visible(actor, Operation.objects.all()).filter(target=target_of(host), kind__startswith=KIND)
    return list(rows.order_by("-id")[:MOST_BEFORE])
