"""Keep how an instance ended, with its last lines, before the engine forgets it."""

import asyncio
from typing import Any

from apps.models import AppEnvironment, InstanceEnd
from backends.contract import Driver, DriverError, InstanceState, InstanceStatus, LogQuery, ServiceStatus
from core.clock import database_now

LINES = 200
LINE_LIMIT = 2000
MOST_INSTANCES = 3
SECONDS = 10.0


def keep(place: AppEnvironment, status: ServiceStatus, driver: Driver) -> None:
    """Write an `InstanceEnd` for the failed instances, the latest first. Twice is once."""
    failed = [instance for instance in status.instances if instance.state == InstanceState.FAILED]
    for instance in failed[:MOST_INSTANCES]:
        _keep_one(place, instance, driver)


def _keep_one(place: AppEnvironment, instance: InstanceStatus, driver: Driver) -> None:
    InstanceEnd.objects.get_or_create(
        place=place,
        engine_id=instance.id,
        defaults={
            "tenant_id": place.tenant_id,
            "project_id": place.project_id,
            "deployment": place.deployments.order_by("-number").first(),
            "service": instance.ref.service,
            "number": instance.number,
            "reason": instance.reason.as_json() if instance.reason else None,
            "exit_code": instance.exit_code,
            "last_lines": last_lines(driver, instance),
            "ended_at": instance.changed_at or database_now(),
        },
    )


def last_lines(driver: Driver, instance: InstanceStatus) -> list[dict[str, Any]]:
    """At most 200 lines; none where the engine does not have them any more."""
    query = LogQuery(services=(instance.ref,), instance=instance.id, tail=LINES)

    async def read() -> list[dict[str, Any]]:
        lines = []
        async for line in driver.logs(query):
            text = line.text[:LINE_LIMIT].decode(errors="replace").replace("\0", "\ufffd")
            lines.append({"at_ns": line.at_ns, "stream": line.stream, "text": text})
        return lines

    try:
        return asyncio.run(asyncio.wait_for(read(), SECONDS))
    except (DriverError, TimeoutError):
        return []
