"""An environment is a namespace: what may run in it, and whom its instances may speak to. Pure."""

import base64
import hashlib
import json
from typing import Any

from backends.contract import Ceiling, Credentials, EnvironmentRef
from backends.kubernetes.kinds import quantity, thing
from backends.kubernetes.names import ACCOUNT, ENVIRONMENT, LAYOUT, MANAGED, MANAGER

# other tenants, hosts, the API server, and a cloud's service that hands out credentials
_CLOSED = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"]
_LEVEL = "restricted"
PULL = "pull"
_LEAST_CPU, _LEAST_MEMORY = 10, 32 << 20  # millicores and bytes that are set aside for what states nothing
_NAME_SERVER = {
    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
    "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
}
_DNS_PORTS = [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]


def objects(environment: EnvironmentRef) -> list[dict[str, Any]]:
    """All but the namespace itself."""
    return [
        *([pull_secret(environment.name, PULL, environment.pull)] if environment.pull else []),
        _thing(environment, "ServiceAccount", ACCOUNT, automountServiceAccountToken=False, **_pulls(environment)),
        _thing(environment, "LimitRange", "usual", spec={"limits": ranges(environment.ceiling)}),
        _thing(environment, "ResourceQuota", "ceiling", spec={"hard": hard(environment.ceiling)}),
        *policies(environment),
    ]


def ranges(ceiling: Ceiling) -> list[dict[str, Any]]:
    """What one instance is given that states nothing, and the most that one instance or volume may take: one without
    a limit gets that as its limit.
    """
    cpu, memory, storage = ceiling.each_cpu_millicores, ceiling.each_memory_bytes, ceiling.each_storage_bytes
    most = {
        "cpu": None if cpu is None else f"{max(cpu, _LEAST_CPU)}m",
        "memory": None if memory is None else quantity(max(memory, _LEAST_MEMORY)),
    }
    instance: dict[str, Any] = {
        "type": "Container",
        "defaultRequest": {"cpu": f"{_LEAST_CPU}m", "memory": quantity(_LEAST_MEMORY)},
    }
    if kept := {name: amount for name, amount in most.items() if amount is not None}:
        instance |= {"max": kept, "default": kept}
    volume = [] if storage is None else [{"type": "PersistentVolumeClaim", "max": {"storage": quantity(storage)}}]
    return [instance, *volume]


def hard(ceiling: Ceiling) -> dict[str, str]:
    """What is asked for counts, not limits: whoever states no limit of an instance may go on stating none."""
    cpu, memory, storage = ceiling.cpu_millicores, ceiling.memory_bytes, ceiling.storage_bytes
    said = {
        "requests.cpu": None if cpu is None else f"{cpu}m",
        "requests.memory": None if memory is None else quantity(memory),
        "pods": None if ceiling.instances is None else str(ceiling.instances),
        "requests.storage": None if storage is None else quantity(storage),
    }
    return {name: amount for name, amount in said.items() if amount is not None}


def _pulls(environment: EnvironmentRef) -> dict[str, Any]:
    """Of what is not said any more nothing stays."""
    return {"imagePullSecrets": [{"name": PULL}]} if environment.pull else {}


def pull_secret(namespace: str, name: str, pull: Credentials) -> dict[str, Any]:
    """What hosts show to the registry when they fetch an image for an instance."""
    pair = base64.b64encode(f"{pull.username}:{pull.password.reveal()}".encode()).decode()
    shown = {"auths": {pull.registry: {"auth": pair}}}
    data = {".dockerconfigjson": base64.b64encode(json.dumps(shown).encode()).decode()}
    labels = {MANAGED: MANAGER}
    return thing("Secret", name, namespace, labels=labels, type="kubernetes.io/dockerconfigjson", data=data)


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
