"""Whose apps run in a cluster, with what they take there."""

from dataclasses import dataclass

from django.db.models import Count, Q, Sum
from django.utils import timezone

from apps.models import Environment, ObservedInstance
from apps.selectors.clusters import STALE_AFTER
from backends.models import Cluster, Host

MOST = 100


@dataclass(frozen=True)
class PlaceThere:
    """CPU in thousandths of a core, memory in bytes, of what was measured within a minute; None: nothing was."""

    tenant: str
    project: str
    app: str
    environment: Environment
    instances: int
    running: int
    cpu: int | None
    memory: int | None


def places_there(cluster: Cluster, host: Host | None = None) -> list[PlaceThere]:
    """The largest first, at most a hundred; one query. With a host only what is on that."""
    fresh = Q(usage_at__gte=timezone.now() - STALE_AFTER)
    there = Q(host=host) if host else Q(place__environment__cluster=cluster)
    rows = ObservedInstance.objects.filter(there, wanted=True).values_list(
        "tenant__name",
        "project__name",
        "place__app__name",
        "place__environment__name",
        "place__environment__stage",
        "place__environment__protected",
    )
    sums = rows.annotate(
        count=Count("pk"),
        running=Count("pk", filter=Q(state="running")),
        cpu=Sum("cpu_millicores", filter=fresh),
        memory=Sum("memory_bytes", filter=fresh),
    )
    return [
        PlaceThere(tenant, project, app, Environment(name=name, stage=stage, protected=protected), *numbers)
        for tenant, project, app, name, stage, protected, *numbers in sums.order_by("-count", "tenant__name")[:MOST]
    ]
