"""Reads of clusters and hosts."""

from collections.abc import Mapping, Sequence
from typing import Any

from backends import words
from backends.differences import ways
from backends.models import Cluster
from backends.registry import capabilities_of
from core.access import Actor, get_visible, visible
from core.api.paging import Rows, plain

CLUSTER = [
    "id",
    "name",
    "title",
    "kind",
    "address",
    "reachable_at",
    "note",
    "state",
    "reason",
    "engine_version",
    "volumes_grow",
    "away_since",
    "seen_at",
    "version",
    "created_at",
    "updated_at",
]
HOST = [
    "id",
    "name",
    "ready",
    "schedulable",
    "manager",
    "address",
    "engine_version",
    "platform",
    "cpu_millicores",
    "memory_bytes",
    "cpu_reserved",
    "memory_reserved",
    "labels",
    "said",
    "seen_at",
]


def clusters(actor: Actor) -> Rows:
    return plain(visible(actor, Cluster.objects.all()), *CLUSTER)


def cluster(actor: Actor, name: str) -> Cluster:
    return get_visible(actor, Cluster.objects.all(), name=name)


def shown_cluster_row(row: Mapping[str, Any]) -> dict[str, Any]:
    capabilities = {way.code: way.has for way in ways(capabilities_of(Cluster(kind=row["kind"])))}
    said = {"reason": reason_told(row["reason"]), "note": words.no_engine(row["note"])}
    return dict(row) | said | {"capabilities": capabilities}


def shown_clusters(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [shown_cluster_row(row) for row in rows]


def shown_cluster(row: Cluster) -> dict[str, Any]:
    return shown_cluster_row({name: getattr(row, name) for name in CLUSTER})


def health(row: Cluster) -> dict[str, Any]:
    """What was last seen of a cluster; nothing is asked of its engine."""
    hosts = list(row.hosts.values_list("ready", flat=True))
    return {
        "state": row.state,
        "reason": reason_told(row.reason),
        "engine_version": row.engine_version,
        "hosts": len(hosts),
        "hosts_ready": sum(hosts),
        "failures": row.failures,
        "away_since": row.away_since,
        "seen_at": row.seen_at,
    }


def reason_told(reason: Mapping[str, Any] | None) -> dict[str, str] | None:
    if not reason:
        return None
    return {"code": str(reason.get("code", "")), "message": words.sentence(reason), "hint": words.hint(reason)}


def hosts(row: Cluster) -> Rows:
    return plain(row.hosts, *HOST)


def shown_hosts(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [shown_host(row) for row in rows]


def shown_host(row: Mapping[str, Any]) -> dict[str, Any]:
    """CPU in cores, memory in bytes."""
    document = dict(row)
    return document | {
        "cpu_cores": document.pop("cpu_millicores") / 1000,
        "cpu_reserved_cores": document.pop("cpu_reserved") / 1000,
        "memory_reserved_bytes": document.pop("memory_reserved"),
    }
