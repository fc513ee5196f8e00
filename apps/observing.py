"""From what an engine shows to the rows that pages read."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from apps import events
from apps.doubting import doubtful
from apps.forging import tell_of_forged
from apps.models import AppEnvironment, ObservedInstance, ObservedService
from backends.contract import Driver, DriverError, HostStatus, InstanceStatus, ServiceStatus, Snapshot
from backends.models import Cluster, Host
from backends.registry import driver_for
from operations.changes import announce

SILENCE = timedelta(seconds=60)  # pages call older numbers old
SILENCE_NOTED_EVERY = timedelta(seconds=15)
SEEN_NOTED_EVERY = timedelta(seconds=10)  # that something is as it was
AT_ONCE = 500  # places in one statement
SHOWN = ("wanted", "running", "revision", "phase", "reason")  # of a service


class Usage(NamedTuple):
    """Of one instance (its row's id) at one moment; None: not known."""

    instance: uuid.UUID
    at: datetime
    cpu_millicores: int | None
    memory_bytes: int | None


def observe(cluster: Cluster) -> bool:
    """One look at a whole cluster. False where its engine is away: the rows keep what was seen last, and since when."""
    try:
        snapshot = _believed(cluster, driver_for(cluster))
    except DriverError as error:
        _note_away(cluster, error)
        return False
    if snapshot is None:
        return True
    tell_of_forged(cluster, snapshot.forged)
    with transaction.atomic():
        hosts = _note_hosts(cluster, snapshot.hosts, snapshot.at)
    _note_services(cluster, snapshot.services, hosts, snapshot.at)
    _note_state(
        cluster,
        Cluster.State.READY,
        reason=None,
        failures=0,
        away_since=None,
        seen_at=snapshot.at,
        looked_at=snapshot.at,
        engine_version=next((host.engine_version for host in snapshot.hosts), ""),
        volumes_grow=snapshot.volumes_grow,
    )
    return True


def _believed(cluster: Cluster, driver: Driver) -> Snapshot | None:
    """What is doubted is asked of the engine itself; None where that, too, is not to be believed yet."""
    snapshot = driver.snapshot()
    if _doubted(cluster, snapshot):
        snapshot = driver.snapshot(fresh=True)
        if _doubted(cluster, snapshot):
            return None
    return snapshot


def _doubted(cluster: Cluster, snapshot: Snapshot) -> bool:
    """Then the rows stay as they are: nothing is greyed, forgotten or repaired for an engine's slip."""
    shown = {service.ref.app for service in snapshot.services}
    known = set(
        AppEnvironment.objects.filter(environment__cluster=cluster, services__isnull=False).values_list(
            "engine_name", flat=True
        )
    )
    return doubtful(cluster, gone=len(known - shown), known=len(known), hosts=len(snapshot.hosts), at=snapshot.at)


def _note_away(cluster: Cluster, error: DriverError) -> None:
    now = timezone.now()
    Cluster.objects.filter(pk=cluster.pk, away_since__isnull=True).update(away_since=now)
    reason, failures = error.reason.as_json(), F("failures") + 1
    _note_state(cluster, Cluster.State.AWAY, reason=reason, failures=failures, looked_at=now)


def _note_state(cluster: Cluster, state: str, **seen: Any) -> None:
    """A cluster that goes or comes back concerns whoever looks at it, and every project that runs something there."""
    with transaction.atomic():
        known = Cluster.objects.filter(pk=cluster.pk)
        same = known.filter(state=state, looked_at__gt=timezone.now() - SILENCE).exists()
        known.update(state=state, **seen)
        if not same:
            _tell_of(cluster)


def tell_of_silence() -> None:
    """Nobody looks at a cluster any more: pages that wait for news would take what is old for what is so now."""
    now = timezone.now()
    for cluster in Cluster.objects.filter(looked_at__range=(now - SILENCE - SILENCE_NOTED_EVERY, now - SILENCE)):
        with transaction.atomic():
            _tell_of(cluster)


def _tell_of(cluster: Cluster) -> None:
    announce("cluster", cluster.pk)
    there = AppEnvironment.objects.filter(environment__cluster=cluster).order_by()
    for tenant, project in there.values_list("tenant_id", "project_id").distinct():
        announce("project", project, tenant=tenant, project=project)


def _note_hosts(cluster: Cluster, hosts: Iterable[HostStatus], at: datetime) -> dict[str, Host]:
    rows = [
        Host(
            cluster=cluster,
            engine_id=host.id,
            name=host.name,
            ready=host.ready,
            schedulable=host.schedulable,
            manager=host.manager,
            address=host.address,
            engine_version=host.engine_version,
            platform=host.platform,
            cpu_millicores=host.cpu_millicores,
            memory_bytes=host.memory_bytes,
            cpu_reserved=host.cpu_reserved,
            memory_reserved=host.memory_reserved,
            labels=dict(host.labels),
            said=host.said[:300],
            seen_at=at,
        )
        for host in hosts
    ]
    own = ("id", "created_at", "cluster_id", "engine_id")
    seen = [name.attname for name in Host._meta.fields if name.attname not in own]
    shown = ["engine_id", *(name for name in seen if name not in ("seen_at", "labels"))]
    before = set(cluster.hosts.values_list(*shown))
    Host.objects.bulk_create(rows, update_conflicts=True, unique_fields=["cluster", "engine_id"], update_fields=seen)
    cluster.hosts.exclude(engine_id__in=[row.engine_id for row in rows]).delete()
    if before != {tuple(getattr(row, name) for name in shown) for row in rows}:
        announce("cluster", cluster.pk)
    return {host.engine_id: host for host in cluster.hosts.all()}


def note_schedulable(cluster: Cluster, host: str, wanted: bool) -> None:
    """What an operation just did with a host (the engine's id), so that pages need not wait for the observer."""
    with transaction.atomic():
        if cluster.hosts.filter(engine_id=host).exclude(schedulable=wanted).update(schedulable=wanted):
            announce("cluster", cluster.pk)


def _note_services(
    cluster: Cluster, services: Iterable[ServiceStatus], hosts: Mapping[str, Host], at: datetime
) -> None:
    """A transaction for each place that changed: a whole cluster in one would keep every other writer waiting."""
    by_app: dict[str, list[ServiceStatus]] = {}
    for service in services:
        by_app.setdefault(service.ref.app, []).append(service)
    places = AppEnvironment.objects.filter(environment__cluster=cluster)
    known = _Known.of(cluster)
    same: list[uuid.UUID] = []
    for place in places.filter(engine_name__in=by_app):
        statuses = by_app[place.engine_name]
        if known.same(place, statuses, hosts, at):
            same.append(place.pk)
            continue
        with transaction.atomic():
            for status in statuses:
                _write(place, status, hosts, at)
            _forget(place, keep={status.ref.service for status in statuses})
    _note_seen([key for key in same if known.seen_at(key) < at - SEEN_NOTED_EVERY], at)
    for place in places.exclude(engine_name__in=by_app).filter(services__isnull=False).distinct():
        with transaction.atomic():
            _forget(place, keep=set())


@dataclass(frozen=True)
class _Known:
    """The rows of a cluster, by place: what need not be written again."""

    services: Mapping[uuid.UUID, list[ObservedService]]
    instances: Mapping[uuid.UUID, dict[str, ObservedInstance]]

    @classmethod
    def of(cls, cluster: Cluster) -> "_Known":
        services: dict[uuid.UUID, list[ObservedService]] = defaultdict(list)
        for service in ObservedService.objects.filter(place__environment__cluster=cluster):
            services[service.place_id].append(service)
        instances: dict[uuid.UUID, dict[str, ObservedInstance]] = defaultdict(dict)
        for row in ObservedInstance.objects.filter(place__environment__cluster=cluster):
            instances[row.place_id][row.engine_id] = row
        return cls(services, instances)

    def same(
        self, place: AppEnvironment, statuses: Sequence[ServiceStatus], hosts: Mapping[str, Host], at: datetime
    ) -> bool:
        told = {one.service: {name: getattr(one, name) for name in SHOWN} for one in self.services.get(place.pk, ())}
        if told != {status.ref.service: _seen(status) for status in statuses}:
            return False
        rows = [_row(place, one, hosts, at, status.instances) for status in statuses for one in status.instances]
        known = self.instances.get(place.pk, {})
        return {row.engine_id: _shown(row) for row in rows} == {key: _shown(row) for key, row in known.items()}

    def seen_at(self, place: uuid.UUID) -> datetime:
        return min(one.seen_at for one in self.services[place])


def _note_seen(places: Sequence[uuid.UUID], at: datetime) -> None:
    """They are as they were."""
    for first in range(0, len(places), AT_ONCE):
        some = places[first : first + AT_ONCE]
        ObservedService.objects.filter(place__in=some).update(seen_at=at)
        ObservedInstance.objects.filter(place__in=some).update(seen_at=at)


def _forget(place: AppEnvironment, *, keep: set[str]) -> None:
    gone = place.services.exclude(service__in=keep)
    if gone.exists():
        gone.delete()
        place.observed_instances.exclude(service__in=keep).delete()
        ring(place)


def note_service(place: AppEnvironment, status: ServiceStatus) -> None:
    """What a running operation just saw; the same rows, so that pages need not wait for the observer."""
    hosts = {host.engine_id: host for host in place.environment.cluster.hosts.all()}
    with transaction.atomic():
        _write(place, status, hosts, timezone.now())


def _write(place: AppEnvironment, status: ServiceStatus, hosts: Mapping[str, Host], at: datetime) -> None:
    seen = _seen(status)
    more = {"seen_at": at, "tenant_id": place.tenant_id, "project_id": place.project_id}
    before = place.services.filter(service=status.ref.service).first()
    ObservedService.objects.update_or_create(place=place, service=status.ref.service, defaults=seen | more)
    changed = _write_instances(place, status, hosts, at)
    if changed or before is None or any(getattr(before, name) != seen[name] for name in SHOWN):
        ring(place)


def _seen(status: ServiceStatus) -> dict[str, Any]:
    return {
        "wanted": status.wanted,
        "running": status.running,
        "revision": status.revision or "",
        "phase": str(status.phase),
        "reason": status.reason.as_json() if status.reason else None,
    }


def _write_instances(place: AppEnvironment, status: ServiceStatus, hosts: Mapping[str, Host], at: datetime) -> bool:
    known = {row.engine_id: row for row in place.observed_instances.filter(service=status.ref.service)}
    fresh = [_row(place, instance, hosts, at, status.instances) for instance in status.instances]
    for row in fresh:
        row.id = known[row.engine_id].id if row.engine_id in known else row.id
    changed = {row.engine_id: _shown(row) for row in fresh} != {key: _shown(row) for key, row in known.items()}
    fields = [
        "state",
        "wanted",
        "revision",
        "host_id",
        "number",
        "started_at",
        "exit_code",
        "reason",
        "addresses",
        "restarts",
        "seen_at",
    ]
    ObservedInstance.objects.bulk_create(
        fresh,
        update_conflicts=True,
        unique_fields=["place", "engine_id"],
        update_fields=[name.removesuffix("_id") for name in fields],
    )
    gone = set(known) - {row.engine_id for row in fresh}
    place.observed_instances.filter(engine_id__in=gone).delete()
    told = events.note_changes(place, status.instances, known, hosts)
    return changed or told


def _shown(row: ObservedInstance) -> tuple[Any, ...]:
    """What a page shows of it."""
    times = (row.started_at, row.exit_code, row.restarts)
    return (row.state, row.wanted, row.revision, row.number, row.host_id, row.reason, row.addresses, *times)


def _row(
    place: AppEnvironment,
    instance: InstanceStatus,
    hosts: Mapping[str, Host],
    at: datetime,
    others: Iterable[InstanceStatus],
) -> ObservedInstance:
    ended = [o for o in others if o.number == instance.number and o.id != instance.id and o.state == "failed"]
    return ObservedInstance(
        tenant_id=place.tenant_id,
        project_id=place.project_id,
        place=place,
        service=instance.ref.service,
        number=instance.number,
        engine_id=instance.id,
        state=str(instance.state),
        wanted=instance.wanted,
        revision=instance.revision,
        host=hosts.get(instance.host or ""),
        started_at=instance.started_at,
        exit_code=instance.exit_code,
        reason=instance.reason.as_json() if instance.reason else None,
        addresses=[list(pair) for pair in instance.addresses],
        restarts=len([o for o in ended if o.revision == instance.revision]) if instance.wanted else 0,
        seen_at=at,
    )


def note_usage(used: Iterable[Usage]) -> None:
    """What instances use by now, every ten seconds: one statement, and no ring, for pages follow numbers themselves."""
    table, key = ObservedInstance._meta.db_table, ObservedInstance._meta.pk
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {table} SET cpu_millicores = %s, memory_bytes = %s, usage_at = %s WHERE id = %s",  # noqa: S608
            [
                (
                    one.cpu_millicores,
                    one.memory_bytes,
                    connection.ops.adapt_datetimefield_value(one.at),
                    key.get_db_prep_value(one.instance, connection),
                )
                for one in used
            ],
        )


def ring(place: AppEnvironment) -> None:
    """Call it in the transaction that changes what is seen of a place."""
    announce("place", place.pk, tenant=place.tenant_id, project=place.project_id)


def watched_clusters() -> list[Cluster]:
    return list(Cluster.objects.exclude(address=""))


def driver_of(cluster_id: uuid.UUID) -> Driver:
    return driver_for(Cluster.objects.get(pk=cluster_id))
