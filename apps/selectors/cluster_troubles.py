"""What is broken on the clusters, and whom it hurts: the apps that have instances there."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.models import ObservedInstance, ObservedService
from apps.selectors.clusters import ClusterLine, HostLine
from apps.selectors.reasons import failure_sentence
from backends.contract import ReasonCode
from core.status import Kind
from core.wording import duration_text

NAMED = 3  # of those who are hurt; the others are counted
MOST_WAITING = 200  # services with a reason that are looked through
NO_ROOM = (ReasonCode.NO_CAPACITY, ReasonCode.NO_SUITABLE_HOST, ReasonCode.PORT_TAKEN)

Names = tuple[str, str, str, str]  # tenant, project, app, environment


@dataclass(frozen=True)
class Hurt:
    """One app in one environment with how many of its instances are touched."""

    tenant: str
    project: str
    app: str
    environment: str
    instances: int

    @property
    def place(self) -> str:
        return f"{self.tenant} / {self.project}, {self.app} {self.environment}"


@dataclass(frozen=True)
class Trouble:
    """`said`: whom it hurts and what to do. `tenants`: how many tenants notice it."""

    kind: Kind
    title: str
    said: str
    cluster: str
    tenants: frozenset[str] = frozenset()


def troubles_of(lines: Sequence[ClusterLine]) -> list[Trouble]:
    """The worst first. Two queries, however much is broken."""
    away = [line for line in lines if line.cluster.address and line.stale]
    hosts = [
        (line, host) for line in lines if not line.stale for host in line.hosts if not host.host.ready or host.short
    ]
    by_cluster, by_host = _hurt([line.cluster.pk for line in away], [host.host.pk for _line, host in hosts])
    found = [_away(line, by_cluster[line.cluster.pk]) for line in away]
    found += [_of_host(line, host, by_host[host.host.pk]) for line, host in hosts]
    found += _waiting([line for line in lines if not line.stale])
    return sorted(found, key=lambda one: (one.kind is not Kind.BAD, one.title))


def _hurt(clusters: Sequence[UUID], hosts: Sequence[UUID]) -> tuple[dict[UUID, list[Hurt]], dict[UUID, list[Hurt]]]:
    """Whose instances were last seen in these clusters and on these hosts, most of them first."""
    by_cluster: dict[UUID, Counter[Names]] = defaultdict(Counter)
    by_host: dict[UUID, list[Hurt]] = defaultdict(list)
    rows = ObservedInstance.objects.filter(
        Q(place__environment__cluster__in=clusters) | Q(host__in=hosts), wanted=True
    ).values_list(
        "place__environment__cluster",
        "host",
        "tenant__name",
        "project__name",
        "place__app__name",
        "place__environment__name",
    )
    for cluster, host, tenant, project, app, environment, count in rows.annotate(count=Count("pk")).order_by("-count"):
        by_cluster[cluster][tenant, project, app, environment] += count
        if host is not None:
            by_host[host].append(Hurt(tenant, project, app, environment, count))
    merged = {key: _most_first(Hurt(*names, count) for names, count in of.items()) for key, of in by_cluster.items()}
    return defaultdict(list, merged), by_host


def _most_first(hurt: Iterable[Hurt]) -> list[Hurt]:
    return sorted(hurt, key=lambda one: (-one.instances, one.place))


def _away(line: ClusterLine, hurt: Sequence[Hurt]) -> Trouble:
    since = line.since or line.cluster.seen_at
    words = {"name": line.cluster.name, "time": _ago(since)}
    title = _("%(name)s was never seen") % words
    if since is not None:
        title = _("%(name)s does not answer, %(time)s") % words
    said = " ".join(part for part in (_whom(hurt, seen=True), line.told.sentence, line.told.hint) if part)
    return Trouble(Kind.BAD, title, said, line.cluster.name, _tenants(hurt))


def _of_host(line: ClusterLine, host: HostLine, hurt: Sequence[Hurt]) -> Trouble:
    words = {
        "host": host.host.name,
        "cluster": line.cluster.name,
        "memory": host.memory.percent,
        "cpu": host.cpu.percent,
    }
    if not host.host.ready:
        title, kind = _("%(host)s of %(cluster)s cannot be reached"), Kind.BAD
    elif host.memory.short:
        title, kind = _("%(host)s of %(cluster)s: %(memory)s %% of its memory is taken"), Kind.WARN
    else:
        title, kind = _("%(host)s of %(cluster)s: %(cpu)s %% of its CPU is taken"), Kind.WARN
    said = " ".join(part for part in (_whom(hurt, seen=not host.host.ready), host.host.said) if part)
    return Trouble(kind, title % words, said, line.cluster.name, _tenants(hurt))


def _waiting(lines: Sequence[ClusterLine]) -> list[Trouble]:
    """Services that want an instance and find no host for it."""
    clusters = {line.cluster.pk: line.cluster.name for line in lines}
    rows = ObservedService.objects.filter(place__environment__cluster__in=list(clusters), reason__isnull=False)
    rows = rows.select_related("place__app", "place__environment", "tenant", "project").order_by("place", "service")
    found = []
    for row in rows[:MOST_WAITING]:
        if (row.reason or {}).get("code") not in NO_ROOM:
            continue
        place = row.place
        missing = max(row.wanted - row.running, 1)
        hurt = Hurt(row.tenant.name, row.project.name, place.app.name, place.environment.name, missing)
        told = failure_sentence(row.reason)
        said = " ".join((_whom([hurt], seen=False), told.hint))
        name = clusters[place.environment.cluster_id]
        found.append(Trouble(Kind.WARN, f"{name}: {told.sentence}", said, name, _tenants([hurt])))
    return found


def _whom(hurt: Sequence[Hurt], *, seen: bool) -> str:
    """ "Hurts acme / shop, storefront prod (2 instances) and 3 more." `seen`: nobody knows how they are now."""
    if not hurt:
        return _("Nothing of ours ran there.") if seen else _("It hurts nobody yet.")
    named = "; ".join(_counted(one) for one in hurt[:NAMED])
    words = {"named": named, "more": len(hurt) - NAMED}
    if seen and len(hurt) > NAMED:
        return _("Hurts, as last seen, %(named)s and %(more)s more.") % words
    if seen:
        return _("Hurts, as last seen, %(named)s.") % words
    return (_("Hurts %(named)s and %(more)s more.") if len(hurt) > NAMED else _("Hurts %(named)s.")) % words


def _counted(one: Hurt) -> str:
    text = ngettext("%(place)s (%(count)s instance)", "%(place)s (%(count)s instances)", one.instances)
    return text % {"place": one.place, "count": one.instances}


def _tenants(hurt: Iterable[Hurt]) -> frozenset[str]:
    return frozenset(one.tenant for one in hurt)


def _ago(since: datetime | None) -> str:
    return duration_text((timezone.now() - since).total_seconds()) if since else ""
