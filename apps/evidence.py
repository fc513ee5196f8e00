"""Keep how an instance ended, with its last lines, before the engine forgets it."""

import asyncio
from datetime import timedelta
from typing import Any

from django.db.models import F, Q
from django.utils import timezone

from apps.building import ref_of
from apps.models import AppEnvironment, InstanceEnd, ObservedInstance, PlaceEvent
from backends.contract import (
    Driver,
    DriverError,
    InstanceState,
    InstanceStatus,
    LogQuery,
    ServiceRef,
    ServiceStatus,
)
from backends.models import Cluster
from core.clock import database_now

LINES = 200
LINE_LIMIT = 2000
MOST_INSTANCES = 3
SECONDS = 10.0
KEPT = timedelta(days=14)
LATE = timedelta(minutes=10)
AGAIN_AFTER = timedelta(minutes=1)
MOST_AT_ONCE = 5
ENDING = (PlaceEvent.Code.CRASHED, PlaceEvent.Code.UNHEALTHY)


def keep(place: AppEnvironment, status: ServiceStatus, driver: Driver) -> None:
    """Write an `InstanceEnd` for the failed instances, the latest first. Twice is once."""
    failed = [instance for instance in status.instances if instance.state == InstanceState.FAILED]
    for instance in failed[:MOST_INSTANCES]:
        _keep_one(place, instance, driver)


def _keep_one(place: AppEnvironment, instance: InstanceStatus, driver: Driver) -> None:
    deployment = place.deployments.order_by("-number").first()
    # a look of the observer may have been faster, and it does not know of deployments
    if InstanceEnd.objects.filter(place=place, engine_id=instance.id, deployment=None).update(deployment=deployment):
        return
    InstanceEnd.objects.get_or_create(
        place=place,
        engine_id=instance.id,
        defaults={
            "tenant_id": place.tenant_id,
            "project_id": place.project_id,
            "deployment": deployment,
            "service": instance.ref.service,
            "number": instance.number,
            "reason": instance.reason.as_json() if instance.reason else None,
            "exit_code": instance.exit_code,
            "last_lines": last_lines(driver, instance.ref, instance.id),
            "ended_at": instance.changed_at or database_now(),
        },
    )


def keep_missing(cluster: Cluster, driver: Driver) -> int:
    """The last lines of what crashed of late on a cluster, of the same trouble once a minute. Answers how many."""
    late = timezone.now() - LATE
    unkept = Q(end__isnull=True) | Q(end__ended_at__lt=F("last_at") - AGAIN_AFTER)
    rows = PlaceEvent.objects.filter(unkept, code__in=ENDING, last_at__gte=late, place__environment__cluster=cluster)
    rows = rows.select_related("place__environment").order_by("-last_at")
    return sum(_keep_of(row, driver) for row in rows[:MOST_AT_ONCE])


def _keep_of(row: PlaceEvent, driver: Driver) -> bool:
    """False where the instance is forgotten already."""
    engine_id = row.instances[-1]
    end = InstanceEnd.objects.filter(place=row.place, engine_id=engine_id).first()
    if end is None and ObservedInstance.objects.filter(place=row.place, engine_id=engine_id).exists():
        end, _made = InstanceEnd.objects.get_or_create(
            place=row.place,
            engine_id=engine_id,
            defaults={
                "tenant_id": row.tenant_id,
                "project_id": row.project_id,
                "service": row.service,
                "number": row.number or 0,
                "reason": row.reason,
                "exit_code": row.exit_code,
                "last_lines": last_lines(driver, ref_of(row.place, row.service), engine_id),
                "ended_at": row.last_at,
            },
        )
    if end is not None:
        PlaceEvent.objects.filter(pk=row.pk).update(end=end)
    return end is not None


def forget_old() -> None:
    """Ends that no deployment tells of, once the events are gone."""
    InstanceEnd.objects.filter(deployment__isnull=True, ended_at__lt=timezone.now() - KEPT).delete()


def last_lines(driver: Driver, ref: ServiceRef, engine_id: str) -> list[dict[str, Any]]:
    """At most 200 lines; none where the engine does not have them any more."""
    query = LogQuery(services=(ref,), instance=engine_id, tail=LINES)

    async def read() -> list[dict[str, Any]]:
        lines = []
        async with asyncio.timeout(SECONDS):
            async for line in driver.logs(query):
                text = line.text[:LINE_LIMIT].decode(errors="replace").replace("\0", "\ufffd")
                lines.append({"at_ns": line.at_ns, "stream": line.stream, "text": text})
        return lines

    try:
        return asyncio.run(read())
    except (DriverError, TimeoutError):
        return []
