"""What Berth needs to be allowed on a cluster, and no more: an account, its role, and what gives it the role. Pure."""

from typing import Any

ACCOUNT, PLACE = "berth", "berth-system"
_LABELS = {"app.kubernetes.io/name": "berth"}
_MAKES = ["get", "list", "create", "patch", "delete", "deletecollection"]
_USAGE = "nodes/proxy"  # reaches far: whoever lacks it lacks usage, and nothing else


def rules(*, usage: bool = True) -> list[dict[str, Any]]:
    """`usage`: with the right to ask hosts what instances use."""
    needed = [
        _rule("", ["namespaces"], ["get", "create", "patch", "delete"]),
        _rule("", ["nodes"], ["get", "list", "watch", "patch"]),
        _rule("", ["pods"], ["get", "list", "watch", "create", "patch", "delete"]),
        _rule("", ["pods/log"], ["get"]),
        _rule("", ["pods/exec"], ["get", "create"]),
        _rule("", ["pods/eviction"], ["create"]),
        _rule("", ["events"], ["list"]),
        _rule("", ["services"], [*_MAKES, "watch"]),
        _rule("", ["secrets", "configmaps"], _MAKES),
        _rule("", ["serviceaccounts", "limitranges", "resourcequotas"], ["create", "patch"]),
        _rule("", ["persistentvolumeclaims"], ["list", "patch", "delete"]),  # volumes grow; what never became one goes
        _rule("apps", ["deployments", "statefulsets"], [*_MAKES, "watch"]),
        _rule("apps", ["replicasets"], ["list"]),  # why instances of the newest one cannot be made
        _rule("networking.k8s.io", ["networkpolicies"], _MAKES),
        _rule("policy", ["poddisruptionbudgets"], _MAKES),
        _rule("storage.k8s.io", ["storageclasses"], ["list"]),  # whether volumes will find storage
    ]
    return [*needed, _rule("", [_USAGE], ["get"])] if usage else needed


def _rule(group: str, resources: list[str], verbs: list[str]) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": resources, "verbs": verbs}


def objects(*, usage: bool = True) -> list[dict[str, Any]]:
    """For whoever administers the cluster to apply."""
    group = "rbac.authorization.k8s.io"
    subject = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": PLACE}
    role = {"apiGroup": group, "kind": "ClusterRole", "name": ACCOUNT}
    return [
        _thing("v1", "Namespace", PLACE),
        _thing("v1", "ServiceAccount", ACCOUNT, namespace=PLACE),
        _thing(f"{group}/v1", "ClusterRole", ACCOUNT) | {"rules": rules(usage=usage)},
        _thing(f"{group}/v1", "ClusterRoleBinding", ACCOUNT) | {"roleRef": role, "subjects": [subject]},
    ]


def _thing(version: str, kind: str, name: str, **more: str) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, **more, "labels": _LABELS}}
