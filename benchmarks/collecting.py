"""What keeping usage costs: `python -m benchmarks.inside benchmarks.collecting --instances 1000` prints JSON.

Readings are made up, rows are real: a place of its own in the portal's database, taken away at the end.
"""

import argparse
import asyncio
import json
import time

from django.db.models.functions import Now
from django.utils import timezone

from apps.models import App, AppEnvironment, Environment, ObservedInstance
from backends.contract import UsageCount
from backends.models import Cluster
from backends.registry import driver_for
from observe.keeping import Book
from observe.models import UsageSeries
from observe.points import FINE
from tenants.models import Project, Tenant

TICKS = 18  # three minutes
CALLS = 100


class Fleet(Book):
    """A cluster whose instances are all those of one service."""

    def instances(self) -> list[ObservedInstance]:
        return list(ObservedInstance.objects.filter(service="bench-usage"))


def own_place() -> AppEnvironment:
    """On a cluster without an address, in a project of its own: nobody else looks at it."""
    tenant = Tenant.objects.get(name="demo")
    project, _new = Project.objects.get_or_create(tenant=tenant, name="bench-usage", deleted_at=None)
    whose = {"tenant": project.tenant, "project": project}
    cluster, _new = Cluster.objects.get_or_create(name="bench-usage", defaults={"kind": Cluster.Kind.SWARM})
    app, _new = App.objects.get_or_create(**whose, name="bench-usage", deleted_at=None)
    environment, _new = Environment.objects.get_or_create(
        **whose, name="bench-usage", defaults={"cluster": cluster, "stage": "dev", "position": 99}
    )
    return AppEnvironment.objects.get_or_create(**whose, app=app, environment=environment)[0]


def made(place: AppEnvironment, number: int) -> None:
    rows = [
        ObservedInstance(
            tenant_id=place.tenant_id, project_id=place.project_id, place=place, service="bench-usage", number=one + 1,
            engine_id=f"bench{one}", state="running", wanted=True, started_at=timezone.now(), seen_at=Now(),
        )
        for one in range(number)
    ]  # fmt: skip
    ObservedInstance.objects.bulk_create(rows, batch_size=500)


def keep(cluster: Cluster, number: int) -> dict[str, float]:
    """Seconds of this process for one reading of all, and bytes that an hour of it takes."""
    book, start = Fleet(cluster), int(time.time()) // 60 * 60
    spent = []
    for tick in range(TICKS):
        at = start + tick * FINE.step
        counts = [
            UsageCount(at * 10**9, f"bench{one}", at * 10**8, 64 << 20, at * 1000, at * 2000) for one in range(number)
        ]
        rows = book.instances()
        began, waited = time.process_time(), time.perf_counter()
        book.take(at, rows, counts)
        spent.append((time.process_time() - began, time.perf_counter() - waited))
    steady = spent[1:]
    return {
        "cpu": sum(cpu for cpu, _wall in steady) / len(steady),
        "wall": sum(wall for _cpu, wall in steady) / len(steady),
        "first": spent[0][0],
    }


def read(cluster: Cluster) -> dict[str, float]:
    """Processor seconds of ours for one reading from the real engine."""
    engine_id = ObservedInstance.objects.filter(
        place__environment__cluster=cluster, state="running"
    ).exclude(service="bench-usage").values_list("engine_id", flat=True)[0]  # fmt: skip
    driver = driver_for(cluster)

    async def all_at_once() -> None:
        await driver.usage([engine_id])
        began[:] = [time.process_time(), time.perf_counter()]
        await asyncio.gather(*(driver.usage([engine_id]) for _call in range(CALLS)))

    began: list[float] = []
    asyncio.run(all_at_once())
    return {"call": (time.process_time() - began[0]) / CALLS, "calls_wall": time.perf_counter() - began[1]}


def main(number: int) -> None:
    cluster = Cluster.objects.exclude(address="").get()
    place = own_place()
    try:
        made(place, number)
        told = keep(place.environment.cluster, number)
    finally:
        ObservedInstance.objects.filter(place=place).delete()
        UsageSeries.objects.filter(place=place).delete()
    print(json.dumps(told | read(cluster) | {"instances": number}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--instances", type=int, default=1000)
    main(parser.parse_args().instances)
