"""Which instances of a place are measured while somebody looks."""

from dataclasses import dataclass
from uuid import UUID

from asgiref.sync import sync_to_async

from apps.models import AppEnvironment
from backends.contract import Driver
from backends.registry import driver_for
from core.connections import let_go

MOST = 50  # instances of one place; more are in the table, ten seconds later
MEASURED = ("starting", "running", "stopping")


@dataclass(frozen=True)
class Watched:
    """An instance by the id of its row and by the engine's; `cluster` tells its engine."""

    id: UUID
    engine_id: str
    service: str
    cluster: UUID
    driver: Driver


@sync_to_async
def instances_of(place: AppEnvironment, service: str) -> list[Watched]:
    """Those that run by what the observer saw last, at most 50."""
    try:
        rows = place.observed_instances.filter(state__in=MEASURED)
        if service:
            rows = rows.filter(service=service)
        cluster = place.environment.cluster
        cluster.refresh_from_db()
        driver = driver_for(cluster)
        found = rows.order_by("service", "number").values_list("pk", "engine_id", "service")[:MOST]
        return [Watched(pk, engine_id, name, cluster.pk, driver) for pk, engine_id, name in found]
    finally:
        let_go()
