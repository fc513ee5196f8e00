"""An environment is a namespace: what may run in it, and whom its instances may speak to. Pure."""

import hashlib
import json
from typing import Any

from backends.contract import EnvironmentRef
from backends.kubernetes.kinds import thing
from backends.kubernetes.names import ACCOUNT, ENVIRONMENT, LAYOUT, MANAGED, MANAGER

# other tenants, hosts, the API server, and a cloud's service that hands out credentials
_CLOSED = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"]
_LEVEL = "restricted"
_NAME_SERVER = {
    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
    "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
}
_DNS_PORTS = [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]


def objects(environment: EnvironmentRef) -> list[dict[str, Any]]:
    """All but the namespace itself."""
    usual = {"default": {}, "defaultRequest": {"cpu": "10m", "memory": "32Mi"}}
    limits = {"limits": [{"type": "Container", **{name: value for name, value in usual.items() if value}}]}
    return [
        _thing(environment, "ServiceAccount", ACCOUNT, automountServiceAccountToken=False),
        _thing(environment, "LimitRange", "usual", spec=limits),
        *policies(environment),
    ]


def policies(environment: EnvironmentRef) -> list[dict[str, Any]]:
    """Nothing in or out, but within the environment, to the name server and, unless internal, to the wide world."""
    within: list[dict[str, Any]] = [{"podSelector": {}}]
    outside = [{"ipBlock": {"cidr": "0.0.0.0/0", "except": _CLOSED}}]
    closed = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    out = {"podSelector": {}, "policyTypes": ["Egress"]}
    inside = closed | {"ingress": [{"from": within}], "egress": [{"to": within}]}
    names = out | {"egress": [{"to": [_NAME_SERVER], "ports": _DNS_PORTS}]}
    made = [
        _thing(environment, "NetworkPolicy", "closed", spec=closed),
        _thing(environment, "NetworkPolicy", "inside", spec=inside),
        _thing(environment, "NetworkPolicy", "names", spec=names),
    ]
    world = out | {"egress": [{"to": outside}] if not environment.internal else []}
    return [*made, _thing(environment, "NetworkPolicy", "world", spec=world)]


def layout(environment: EnvironmentRef) -> str:
    """Names exactly this content of a namespace."""
    text = json.dumps([namespace(environment), *objects(environment)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def namespace(environment: EnvironmentRef, *, stamp: str = "") -> dict[str, Any]:
    """`stamp`: its layout, once all of it is there."""
    security = {f"pod-security.kubernetes.io/{mode}": _LEVEL for mode in ("enforce", "warn")}
    made = thing("Namespace", environment.name, labels={**_labels(environment), **security})
    if stamp:
        made["metadata"]["annotations"] = {LAYOUT: stamp}
    return made


def _thing(environment: EnvironmentRef, kind: str, name: str, **fields: Any) -> dict[str, Any]:
    return thing(kind, name, environment.name, labels=_labels(environment), **fields)


def _labels(environment: EnvironmentRef) -> dict[str, str]:
    return {MANAGED: MANAGER, ENVIRONMENT: environment.name}
