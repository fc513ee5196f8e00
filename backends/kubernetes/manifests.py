"""From a spec to the objects that are applied for it. Pure: the same spec always gives the same dicts."""

import base64
import math
from typing import Any

from backends.contract import FileMount, ServiceSpec, UpdatePolicy, VolumeMount
from backends.kubernetes import names
from backends.kubernetes.kinds import quantity, thing
from backends.kubernetes.pods import CONTENT, DRAIN_SECONDS, key_of, template

_DEADLINE_SECONDS = 120


def objects(spec: ServiceSpec) -> list[dict[str, Any]]:
    """In the order in which they are to be applied."""
    values = [values_of(spec)] if spec.environment else []
    files = [file_of(spec, file) for file in spec.files]
    budget = [budget_of(spec)] if spec.instances > 1 else []
    return [*values, *files, *services_of(spec), *budget, *entry_of(spec), workload_of(spec)]


def workload_kind(spec: ServiceSpec) -> str:
    return "StatefulSet" if spec.volumes else "Deployment"


def values_name(spec: ServiceSpec) -> str:
    return f"{spec.ref.engine_name}.{spec.revision}"


def values_of(spec: ServiceSpec) -> dict[str, Any]:
    data = {key_of(place): _encoded(value.encode()) for place, (_, value) in enumerate(spec.environment)}
    return _thing(spec, "Secret", values_name(spec), type="Opaque", immutable=True, data=data)


def file_of(spec: ServiceSpec, file: FileMount) -> dict[str, Any]:
    content = {CONTENT: _encoded(file.content)}
    if file.secret:
        return _thing(spec, "Secret", file.name, type="Opaque", immutable=True, data=content)
    return _thing(spec, "ConfigMap", file.name, immutable=True, binaryData=content)


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def services_of(spec: ServiceSpec) -> list[dict[str, Any]]:
    """Under each alias the instances' own addresses; and one that leads in from outside, where something is published.

    The way in leads on each host only to the instances on that very host.
    """
    ports = [_port(port.target, port.protocol) for port in spec.ports]
    selector = {"selector": names.chosen(spec.ref)}
    inner = selector | {"clusterIP": "None", **({"ports": ports} if ports else {})}
    made = [_thing(spec, "Service", alias, spec=inner) for alias in spec.aliases]
    published = [_port(port.target, port.protocol) for port in spec.ports if port.published]
    if published:
        outer = selector | {"type": "NodePort", "externalTrafficPolicy": "Local", "ports": published}
        made.append(_thing(spec, "Service", spec.ref.engine_name, spec=outer))
    return made


def _port(target: int, protocol: str) -> dict[str, Any]:
    return {"name": f"{protocol}-{target}", "port": target, "targetPort": target, "protocol": protocol.upper()}


def entry_of(spec: ServiceSpec) -> list[dict[str, Any]]:
    """Whoever is outside may reach what is published."""
    ports = [{"port": port.target, "protocol": port.protocol.upper()} for port in spec.ports if port.published]
    if not ports:
        return []
    rule = {"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": ports}
    policy = {"podSelector": {"matchLabels": names.chosen(spec.ref)}, "policyTypes": ["Ingress"], "ingress": [rule]}
    return [_thing(spec, "NetworkPolicy", spec.ref.engine_name, spec=policy)]


def budget_of(spec: ServiceSpec) -> dict[str, Any]:
    """Of hosts that are emptied one instance at a time is taken."""
    budget = {"maxUnavailable": 1, "selector": {"matchLabels": names.chosen(spec.ref)}}
    return _thing(spec, "PodDisruptionBudget", spec.ref.engine_name, spec=budget)


def workload_of(spec: ServiceSpec) -> dict[str, Any]:
    body = {
        "replicas": spec.instances,
        "revisionHistoryLimit": 2,
        "minReadySeconds": 0 if _checked(spec) else math.ceil(spec.update.monitor_seconds),
        "selector": {"matchLabels": names.chosen(spec.ref)},
        "template": template(spec, values=values_name(spec)),
    }
    stateful = workload_kind(spec) == "StatefulSet"
    own = _of_stateful(spec) if stateful else _of_deployment(spec)
    made = _thing(spec, workload_kind(spec), spec.ref.engine_name, spec=body | own)
    notes = {names.REVISION: spec.revision, names.MONITOR: f"{spec.update.monitor_seconds:g}"}
    made["metadata"]["annotations"] = notes
    return made


def _checked(spec: ServiceSpec) -> bool:
    return spec.health is not None and bool(spec.health.command)


def _of_deployment(spec: ServiceSpec) -> dict[str, Any]:
    start = spec.health.start_period_seconds if spec.health else 0.0
    deadline = _DEADLINE_SECONDS + math.ceil(start + spec.stop_grace_seconds) + DRAIN_SECONDS
    return {"progressDeadlineSeconds": deadline, "strategy": _strategy(spec.update)}


def _strategy(policy: UpdatePolicy) -> dict[str, Any]:
    step = max(1, policy.parallelism)
    surge, missing = (step, 0) if policy.start_first else (0, step)
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": missing}}


def _of_stateful(spec: ServiceSpec) -> dict[str, Any]:
    """Each instance has volumes of its own, which outlive it and the service."""
    return {
        "serviceName": spec.ref.engine_name,
        "podManagementPolicy": "Parallel",
        "updateStrategy": {"type": "RollingUpdate"},
        "volumeClaimTemplates": [_claim(one, spec) for one in spec.volumes],
    }


def _claim(one: VolumeMount, spec: ServiceSpec) -> dict[str, Any]:
    asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": quantity(one.size_bytes)}}}
    return {"metadata": {"name": one.volume, "labels": names.common(spec.ref)}, "spec": asked}


def _thing(of: ServiceSpec, kind: str, name: str, **fields: Any) -> dict[str, Any]:
    return thing(kind, name, of.ref.environment, labels=names.common(of.ref), **fields)
