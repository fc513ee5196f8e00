"""Clusters and hosts as an operator reads them: how they are, since when, why, and how full."""

import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.models import AppEnvironment, ObservedInstance
from apps.selectors.reasons import Told, failure_sentence
from backends.models import Cluster, Host
from core.status import Status

STALE_AFTER = timedelta(seconds=60)
COMMAND = re.compile(r"apt-get install [a-z0-9 .+-]*[a-z0-9]|modprobe [a-z0-9_]+")
UP = "./berth up"


@dataclass(frozen=True)
class HostLine:
    host: Host
    status: Status
    word: str
    stale: bool


@dataclass(frozen=True)
class ClusterLine:
    """`commands`: what to type where no engine could be had. Sums are over its hosts: millicores and bytes."""

    cluster: Cluster
    status: Status
    word: str
    told: Told
    since: datetime | None
    stale: bool
    hosts: list[HostLine]
    instances: int
    apps: int
    commands: list[str]

    @property
    def cpu(self) -> int:
        return sum(line.host.cpu_millicores for line in self.hosts)

    @property
    def cpu_reserved(self) -> int:
        return sum(line.host.cpu_reserved for line in self.hosts)

    @property
    def memory(self) -> int:
        return sum(line.host.memory_bytes for line in self.hosts)

    @property
    def memory_reserved(self) -> int:
        return sum(line.host.memory_reserved for line in self.hosts)

    @property
    def well(self) -> bool:
        return self.status is Status.READY


def cluster_lines(clusters: list[Cluster]) -> list[ClusterLine]:
    """`clusters` come with their hosts. Two more queries, however many there are."""
    instances = _instances_by_cluster()
    apps = _apps_by_cluster()
    return [_line(cluster, instances.get(cluster.pk, 0), apps.get(cluster.pk, 0)) for cluster in clusters]


def _instances_by_cluster() -> dict[uuid.UUID, int]:
    rows = ObservedInstance.objects.filter(wanted=True).values_list("place__environment__cluster")
    return dict(rows.annotate(count=Count("pk")).order_by())


def _apps_by_cluster() -> dict[uuid.UUID, int]:
    rows = AppEnvironment.objects.filter(release__isnull=False).values_list("environment__cluster")
    return dict(rows.annotate(count=Count("pk")).order_by())


def _line(cluster: Cluster, instances: int, apps: int) -> ClusterLine:
    status, word = _status(cluster)
    stale = cluster.seen_at is None or timezone.now() - cluster.seen_at > STALE_AFTER
    hosts = [_host(host, stale) for host in cluster.hosts.all()]
    return ClusterLine(
        cluster=cluster,
        status=status,
        word=word,
        told=_told(cluster),
        since=cluster.away_since,
        stale=stale,
        hosts=sorted(hosts, key=lambda line: (line.status is Status.READY, line.host.name)),
        instances=instances,
        apps=apps,
        commands=[*dict.fromkeys(COMMAND.findall(cluster.note)), UP] if not cluster.address else [],
    )


def _status(cluster: Cluster) -> tuple[Status, str]:
    if not cluster.address:
        return Status.UNREACHABLE, _("has no engine")
    if cluster.state == Cluster.State.AWAY:
        return Status.SILENT, ""
    return (Status.READY, "") if cluster.state == Cluster.State.READY else (Status.UNKNOWN, _("not seen yet"))


def _told(cluster: Cluster) -> Told:
    """Why it is not well and what to do; empty where it is."""
    if not cluster.address:
        return Told(cluster.note or _("No engine was found on this machine."))
    return failure_sentence(cluster.reason)


def _host(host: Host, stale: bool) -> HostLine:
    if stale:
        return HostLine(host, Status.UNKNOWN, "", True)
    if not host.ready:
        return HostLine(host, Status.UNREACHABLE, host.said, False)
    return HostLine(host, Status.READY if host.schedulable else Status.CORDONED, host.said, False)
