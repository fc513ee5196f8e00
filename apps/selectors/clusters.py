"""Clusters and hosts as an operator reads them: how they are, since when, why, how full, and whose apps are there."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Q, Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.hosts.work import being_emptied
from apps.models import Environment, ObservedInstance
from apps.selectors.reasons import Told, failure_sentence
from backends import words
from backends.models import Cluster, Host
from core.status import Status
from core.wording import number

STALE_AFTER = timedelta(seconds=60)
SHORT_FROM = 0.9  # of CPU or memory, used or set aside
COMMAND = re.compile(r"apt-get install [a-z0-9 .+-]*[a-z0-9]|modprobe [a-z0-9_]+")
UP = "./berth up"


@dataclass(frozen=True)
class Load:
    """An amount in one unit: what our instances use, what is set aside for them, and all there is."""

    used: int = 0
    reserved: int = 0
    whole: int = 0

    def __add__(self, other: "Load") -> "Load":
        return Load(self.used + other.used, self.reserved + other.reserved, self.whole + other.whole)

    @property
    def held(self) -> int:
        """Set aside and not used."""
        return max(self.reserved - self.used, 0)

    @property
    def share(self) -> float:
        return max(self.used, self.reserved) / self.whole if self.whole else 0.0

    @property
    def short(self) -> bool:
        return self.share >= SHORT_FROM

    @property
    def percent(self) -> str:
        return number(100 * self.share, places=0)

    @property
    def said(self) -> str:
        """As a bar is read out: "12 % used, 40 % reserved"."""
        parts = {"used": self.used, "reserved": self.reserved}
        words = {key: number(100 * part / self.whole if self.whole else 0, places=0) for key, part in parts.items()}
        return _("%(used)s %% used, %(reserved)s %% reserved") % words


@dataclass(frozen=True)
class HostLine:
    host: Host
    status: Status
    word: str
    stale: bool
    cpu: Load
    memory: Load
    instances: int = 0

    @property
    def short(self) -> bool:
        return not self.stale and self.host.ready and (self.cpu.short or self.memory.short)


@dataclass(frozen=True)
class ClusterLine:
    """`commands`: what to type where no engine could be had. `environments`: one for each stage that is bound here."""

    cluster: Cluster
    status: Status
    word: str
    told: Told
    since: datetime | None
    stale: bool
    hosts: list[HostLine]
    instances: int
    environments: list[Environment]
    tenants: int
    commands: list[str] = field(default_factory=list)

    @property
    def cpu(self) -> Load:
        return sum((line.cpu for line in self.hosts), Load())

    @property
    def memory(self) -> Load:
        return sum((line.memory for line in self.hosts), Load())

    @property
    def well(self) -> bool:
        return self.status is Status.READY


@dataclass(frozen=True)
class _Used:
    """What our instances take on one host, or in one cluster where their host is not known."""

    instances: int = 0
    cpu: int = 0
    memory: int = 0


def cluster_lines(clusters: Sequence[Cluster]) -> list[ClusterLine]:
    """`clusters` come with their hosts. Four more queries, however many there are."""
    by_host, by_cluster = _used(clusters)
    environments, tenants = _environments(clusters)
    emptying = being_emptied()
    return [
        _line(
            cluster,
            [
                _host(host, by_host.get(host.pk, _Used()), stale=_stale(cluster), emptying=host.pk in emptying)
                for host in cluster.hosts.all()
            ],
            by_cluster.get(cluster.pk, 0),
            environments.get(cluster.pk, []),
            len(tenants.get(cluster.pk, ())),
        )
        for cluster in clusters
    ]


def sorted_hosts(hosts: Iterable[HostLine], *, by_name: bool) -> list[HostLine]:
    """By name, or what is in trouble first, then the fullest."""
    if by_name:
        return sorted(hosts, key=lambda line: line.host.name)
    return sorted(
        hosts,
        key=lambda line: (line.status is Status.READY, -max(line.cpu.share, line.memory.share), line.host.name),
    )


def _used(clusters: Sequence[Cluster]) -> tuple[dict[UUID, _Used], dict[UUID, int]]:
    """By host, and the number of instances by cluster. What nobody measured for a minute counts as an instance only,
    unless the cluster is silent: then what it used when last seen is all there is to tell."""
    lately = timezone.now() - STALE_AFTER
    silent = Q(place__environment__cluster__state=Cluster.State.AWAY)
    fresh = Q(usage_at__gte=lately) | silent | Q(place__environment__cluster__seen_at__lt=lately)
    rows = ObservedInstance.objects.filter(wanted=True, place__environment__cluster__in=clusters)
    by_host: dict[UUID, _Used] = {}
    by_cluster: dict[UUID, int] = defaultdict(int)
    sums = {
        "count": Count("pk"),
        "cpu": Sum("cpu_millicores", filter=fresh),
        "memory": Sum("memory_bytes", filter=fresh),
    }
    grouped = rows.values_list("place__environment__cluster", "host").order_by()
    for cluster, host, count, cpu, memory in grouped.annotate(**sums):
        by_cluster[cluster] += count
        if host is not None:
            by_host[host] = _Used(count, cpu or 0, memory or 0)
    return by_host, by_cluster


def _environments(clusters: Sequence[Cluster]) -> tuple[dict[UUID, list[Environment]], dict[UUID, set[UUID]]]:
    """One environment for each stage bound to a cluster, in order, and the tenants there."""
    shown: dict[UUID, dict[str, Environment]] = defaultdict(dict)
    tenants: dict[UUID, set[UUID]] = defaultdict(set)
    rows = Environment.objects.filter(cluster__in=clusters, project__deleted_at__isnull=True).order_by("position")
    for cluster, tenant, stage, protected in rows.values_list("cluster", "tenant", "stage", "protected"):
        tenants[cluster].add(tenant)
        known = shown[cluster].setdefault(stage, Environment(name=stage, stage=stage))
        known.protected = known.protected or protected
    order = list(Environment.Stage.values)
    return {key: sorted(of.values(), key=lambda one: order.index(one.stage)) for key, of in shown.items()}, tenants


def _line(
    cluster: Cluster, hosts: Sequence[HostLine], instances: int, environments: list[Environment], tenants: int
) -> ClusterLine:
    status, word = _status(cluster, hosts)
    return ClusterLine(
        cluster=cluster,
        status=status,
        word=word,
        told=_told(cluster),
        since=cluster.away_since,
        stale=_stale(cluster),
        hosts=sorted_hosts(hosts, by_name=False),
        instances=instances,
        environments=environments,
        tenants=tenants,
        commands=[*dict.fromkeys(COMMAND.findall(cluster.note)), UP] if not cluster.address else [],
    )


def _stale(cluster: Cluster) -> bool:
    away = cluster.state == Cluster.State.AWAY
    return away or cluster.seen_at is None or timezone.now() - cluster.seen_at > STALE_AFTER


def _status(cluster: Cluster, hosts: Sequence[HostLine]) -> tuple[Status, str]:
    if not cluster.address:
        return Status.UNREACHABLE, _("has no engine")
    if cluster.state == Cluster.State.AWAY:
        return Status.SILENT, ""
    if cluster.state != Cluster.State.READY:
        return Status.UNKNOWN, _("not seen yet")
    return _by_hosts(hosts)


def _by_hosts(hosts: Sequence[HostLine]) -> tuple[Status, str]:
    down = sum(not line.host.ready and not line.stale for line in hosts)
    short = sum(line.short for line in hosts)
    words = {"down": down, "short": short, "all": len(hosts)}
    if down:
        text = ngettext("%(down)s of %(all)s host is down", "%(down)s of %(all)s hosts are down", down)
        return Status.DEGRADED, text % words
    if short:
        text = ngettext("%(short)s of %(all)s host is short", "%(short)s of %(all)s hosts are short", short)
        return Status.DEGRADED, text % words
    return Status.READY, ""


def _told(cluster: Cluster) -> Told:
    """Why it is not well and what to do; empty where it is."""
    if not cluster.address:
        return Told(words.no_engine(cluster.note) or _("No engine was found on this machine."))
    return failure_sentence(cluster.reason)


def _host(host: Host, used: _Used, *, stale: bool, emptying: bool) -> HostLine:
    cpu = Load(used.cpu, host.cpu_reserved, host.cpu_millicores)
    memory = Load(used.memory, host.memory_reserved, host.memory_bytes)
    status, word = _host_status(host, cpu, memory, stale=stale)
    if emptying and host.ready and not stale:
        status, word = Status.DRAINING, ""
    return HostLine(host, status, word, stale, cpu, memory, used.instances)


def _host_status(host: Host, cpu: Load, memory: Load, *, stale: bool) -> tuple[Status, str]:
    if stale:
        return Status.UNKNOWN, ""
    if not host.ready:
        return Status.UNREACHABLE, host.said
    if memory.short:
        return Status.DEGRADED, _("short of memory")
    if cpu.short:
        return Status.DEGRADED, _("short of CPU")
    return (Status.READY if host.schedulable else Status.CORDONED), host.said
