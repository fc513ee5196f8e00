"""Where the API keeps the kinds we use."""

from collections.abc import Mapping
from typing import Any

_PLACES = {
    "Namespace": ("v1", "namespaces"),
    "Node": ("v1", "nodes"),
    "Pod": ("v1", "pods"),
    "Event": ("v1", "events"),
    "Service": ("v1", "services"),
    "Secret": ("v1", "secrets"),
    "ConfigMap": ("v1", "configmaps"),
    "PersistentVolumeClaim": ("v1", "persistentvolumeclaims"),
    "ServiceAccount": ("v1", "serviceaccounts"),
    "LimitRange": ("v1", "limitranges"),
    "ResourceQuota": ("v1", "resourcequotas"),
    "Deployment": ("apps/v1", "deployments"),
    "StatefulSet": ("apps/v1", "statefulsets"),
    "ReplicaSet": ("apps/v1", "replicasets"),
    "NetworkPolicy": ("networking.k8s.io/v1", "networkpolicies"),
    "StorageClass": ("storage.k8s.io/v1", "storageclasses"),
    "PodDisruptionBudget": ("policy/v1", "poddisruptionbudgets"),
}
WORKLOADS = ("Deployment", "StatefulSet")
BESIDE = ("Service", "PodDisruptionBudget", "NetworkPolicy", "Secret", "ConfigMap")  # of a service, beside its workload


def quantity(amount: int) -> str:
    """Bytes in the engine's words, as it writes them itself."""
    for unit, size in (("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)):
        if amount and amount % size == 0:
            return f"{amount // size}{unit}"
    return str(amount)


def thing(kind: str, name: str, namespace: str = "", *, labels: Mapping[str, str], **fields: Any) -> dict[str, Any]:
    where = {"namespace": namespace} if namespace else {}
    metadata = {"name": name, **where, "labels": dict(labels)}
    return {"apiVersion": _PLACES[kind][0], "kind": kind, "metadata": metadata, **fields}


def path(kind: str, namespace: str = "", name: str = "") -> str:
    version, plural = _PLACES[kind]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    return root + (f"/namespaces/{namespace}" if namespace else "") + f"/{plural}" + (f"/{name}" if name else "")


def path_of(one: Mapping[str, Any]) -> str:
    about = one["metadata"]
    return path(one["kind"], about.get("namespace", ""), about["name"])
