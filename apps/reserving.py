"""What a place takes of the quota of its project and tenant, from what is declared for it.

Counted are the limits of each service, or what it reserves where it has no limit, for each instance that is declared
to run, and once more for those that an update starts before it ends the old ones: so there is always room to update.
A service that says nothing counts with a fixed share. Storage and routes are held as long as something is deployed,
also while it is stopped: its data and its addresses stay. Of a volume its size counts, and where each instance has
volumes of its own, that of each instance.
"""

import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from apps.models import AppEnvironment
from apps.selectors.state import declared_instances, wanted_instances
from apps.specification import Specification, stored
from apps.specification.service import Service
from backends.contract import Ceiling
from backends.registry import capabilities_of
from operations.models import Operation
from tenants.quota import claiming, counting
from tenants.quota.claiming import Where
from tenants.quota.counting import Held
from tenants.quota.resources import Resource

UNSAID_MILLICORES = 100
UNSAID_BYTES = 128 << 20
TWICE = 2  # what an update replaces counts on the engine until it is gone, and all may be replaced at once


@dataclass(frozen=True)
class Each:
    """Of one instance: thousandths of a core and bytes."""

    cpu: int
    memory: int


def where_of(place: AppEnvironment) -> Where:
    return Where(place.tenant_id, place.project_id)


def each_of(service: Service) -> Each:
    """What one instance counts as."""
    limits, reserved = service.deploy.resources.limits, service.deploy.resources.reservations
    return Each(
        limits.cpus or reserved.cpus or UNSAID_MILLICORES,
        limits.memory or reserved.memory or UNSAID_BYTES,
    )


def surge_of(service: Service, instances: int) -> int:
    """How many instances an update runs besides those that are declared."""
    update = service.deploy.update_config
    order = update.order if update else None
    start_first = order == "start-first" if order else not service.named_volumes
    return min(update.parallelism if update else 1, instances) if start_first else 0


def needs_of(
    spec: Specification, instances: Mapping[str, int], *, keeping: Mapping[str, int] | None = None
) -> dict[str, int]:
    """By resource, for so many instances of each service.

    `keeping`: how many of each have volumes of their own, running or not; None where they share their host's.
    """
    total = dict.fromkeys(Resource.values, 0)
    for name, service in spec.services.items():
        count, each = instances.get(name, 0), each_of(service)
        running = count + surge_of(service, count)
        total[Resource.CPU] += each.cpu * running
        total[Resource.MEMORY] += each.memory * running
        total[Resource.INSTANCES] += count
        total[Resource.ROUTES] += len(service.published_ports)
    total[Resource.STORAGE] = storage_of(spec, keeping)
    return {name: amount for name, amount in total.items() if amount}


def storage_of(spec: Specification, keeping: Mapping[str, int] | None) -> int:
    """What the volumes may hold together, in bytes."""
    if keeping is None:
        return sum(volume.size for volume in spec.volumes.values())
    return sum(
        spec.volumes[volume].size * max(1, keeping.get(name, 1))
        for name, service in spec.services.items()
        for volume in {mount.source for mount in service.named_volumes}
    )


def _keeping(place: AppEnvironment, instances: Mapping[str, int]) -> Mapping[str, int] | None:
    return None if capabilities_of(place.environment.cluster).volumes_shared else instances


def planned(place: AppEnvironment, spec: Specification) -> dict[str, int]:
    """Of a new release, with the numbers of instances that it says itself."""
    instances = {name: service.deploy.replicas for name, service in spec.services.items()}
    return needs_of(spec, instances, keeping=_keeping(place, instances))


def declared(place: AppEnvironment) -> dict[str, int]:
    """Of what is declared here now; nothing where nothing is deployed."""
    if place.release is None:
        return {}
    keeping = _keeping(place, declared_instances(place))
    return needs_of(stored(place.release.specification), wanted_instances(place), keeping=keeping)


def take(place: AppEnvironment) -> None:
    """Hold what is declared now, and what was held before until the change is over. Raises Conflict."""
    claiming.widen(place.pk, where_of(place), declared(place))


def ceiling(place: AppEnvironment) -> Ceiling:
    """The most that its environment may hold on the engine, from what its project and tenant may hold.

    A backstop: it never refuses what was let through here, not while everything is replaced at once, and not what runs
    already under a limit that was lowered since.
    """
    most: dict[str, int] = {}
    for row in claiming.limited(where_of(place)):
        room = TWICE * max(row.whole or 0, row.used)
        most[row.resource] = min(room, most.get(row.resource, room))
    each = {name: room // TWICE for name, room in most.items()}  # no single one can be more than all that is let in
    return Ceiling(
        cpu_millicores=most.get(Resource.CPU),
        memory_bytes=most.get(Resource.MEMORY),
        instances=most.get(Resource.INSTANCES),
        storage_bytes=most.get(Resource.STORAGE),
        each_cpu_millicores=each.get(Resource.CPU),
        each_memory_bytes=each.get(Resource.MEMORY),
        each_storage_bytes=each.get(Resource.STORAGE),
    )


def give_back(place: AppEnvironment) -> None:
    """The change is over: hold what is declared, no more."""
    claiming.settle(place.pk, where_of(place), declared(place))


def _held(tenant: uuid.UUID, holders: Collection[uuid.UUID] | None) -> Iterator[Held]:
    """What every place of a tenant has to hold; of one that is just being changed, at least that."""
    rows = AppEnvironment.objects.filter(tenant_id=tenant, release__isnull=False).select_related(
        "release", "environment__cluster"
    )
    if holders is not None:
        rows = rows.filter(pk__in=holders)
    busy = set(
        Operation.objects.filter(tenant_id=tenant, state__in=Operation.ACTIVE, target__startswith="place:").values_list(
            "target", flat=True
        )
    )
    for place in rows.iterator(chunk_size=500):
        yield Held(place.pk, place.project_id, declared(place), changing=f"place:{place.pk}" in busy)


counting.register("places", _held)
