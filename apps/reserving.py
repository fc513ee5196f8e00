"""What a place takes of the quota of its project and tenant, from what is declared for it.

Counted are the limits of each service, or what it reserves where it has no limit, for each instance that is declared
to run, and once more for those that an update starts before it ends the old ones: so there is always room to update.
A service that says nothing counts with a fixed share. Storage and routes are held as long as something is deployed,
also while it is stopped: its data and its addresses stay.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from apps.models import AppEnvironment
from apps.selectors.state import wanted_instances
from apps.specification import Specification, stored
from apps.specification.service import Service
from operations.models import Operation
from tenants.quota import claiming, counting
from tenants.quota.claiming import Where
from tenants.quota.counting import Held
from tenants.quota.resources import Resource

UNSAID_MILLICORES = 100
UNSAID_BYTES = 128 << 20
VOLUME_BYTES = 1 << 30  # a volume has no size yet


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


def needs_of(spec: Specification, instances: Mapping[str, int]) -> dict[str, int]:
    """By resource, for so many instances of each service."""
    total = dict.fromkeys(Resource.values, 0)
    for name, service in spec.services.items():
        count, each = instances.get(name, 0), each_of(service)
        running = count + surge_of(service, count)
        total[Resource.CPU] += each.cpu * running
        total[Resource.MEMORY] += each.memory * running
        total[Resource.INSTANCES] += count
        total[Resource.ROUTES] += len(service.published_ports)
    total[Resource.STORAGE] = VOLUME_BYTES * len(spec.volumes)
    return {name: amount for name, amount in total.items() if amount}


def planned(spec: Specification) -> dict[str, int]:
    """Of a new release, with the numbers of instances that it says itself."""
    return needs_of(spec, {name: service.deploy.replicas for name, service in spec.services.items()})


def declared(place: AppEnvironment) -> dict[str, int]:
    """Of what is declared here now; nothing where nothing is deployed."""
    if place.release is None:
        return {}
    return needs_of(stored(place.release.specification), wanted_instances(place))


def take(place: AppEnvironment) -> None:
    """Hold what is declared now, and what was held before until the change is over. Raises Conflict."""
    claiming.widen(place.pk, where_of(place), declared(place))


def give_back(place: AppEnvironment) -> None:
    """The change is over: hold what is declared, no more."""
    claiming.settle(place.pk, where_of(place), declared(place))


def _held(tenant: uuid.UUID) -> Iterator[Held]:
    """What every place of a tenant has to hold; of one that is just being changed, at least that."""
    rows = AppEnvironment.objects.filter(tenant_id=tenant, release__isnull=False).select_related("release")
    busy = set(
        Operation.objects.filter(tenant_id=tenant, state__in=Operation.ACTIVE, target__startswith="place:").values_list(
            "target", flat=True
        )
    )
    for place in rows.iterator(chunk_size=500):
        yield Held(place.pk, place.project_id, declared(place), changing=f"place:{place.pk}" in busy)


counting.register("places", _held)
