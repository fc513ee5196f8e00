"""From a spec to the template of its instances. Pure.

What is not written here cannot reach an engine. There is no host path, no host network, no added capability, no
privilege, no device, no token of the cluster and no entry for any of them.
"""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from backends.contract import DriverError, HealthCheck, Reason, ReasonCode, Resources, ServiceSpec
from backends.kubernetes import names

DRAIN_SECONDS = 5  # an instance that is to end goes on serving so long, until nobody is sent to it any more
HOST_AWAY_SECONDS = 30  # after this the instances of a lost host are started elsewhere
FILES_GROUP = 65534
_IMAGE_ID = "sha256:"  # an image that only lies on the hosts: there is nothing to fetch it from


def template(spec: ServiceSpec, *, values: str) -> dict[str, Any]:
    """`values`: the Secret with the environment's values."""
    labels = names.common(spec.ref) | {names.REVISION: spec.revision}
    notes = {names.IMAGE: spec.image_name or spec.image, names.LABELS: json.dumps(dict(spec.labels), sort_keys=True)}
    return {"metadata": {"labels": labels, "annotations": notes}, "spec": _pod(spec, values=values)}


def _pod(spec: ServiceSpec, *, values: str) -> dict[str, Any]:
    plain = {
        "serviceAccountName": names.ACCOUNT,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "shareProcessNamespace": spec.init or None,  # the pod's first process takes in orphans
        "securityContext": _user(spec) | {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "terminationGracePeriodSeconds": _drain(spec) + math.ceil(spec.stop_grace_seconds),
        "tolerations": [_tolerated("not-ready"), _tolerated("unreachable")],
        "nodeSelector": dict(spec.host_labels) or None,
        "topologySpreadConstraints": [_spread(spec)],
        "affinity": _apart(spec) if spec.max_per_host == 1 else None,
        "containers": [_container(spec, values=values)],
        "volumes": _volumes(spec) or None,
    }
    return known(plain)


def known(plain: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in plain.items() if value is not None}


def _user(spec: ServiceSpec) -> dict[str, Any]:
    """Errors: ENGINE_REFUSED where the user is a name: the engine cannot look into the image for its number."""
    user, _, group = (spec.user or "").partition(":")
    if not all(part.isdigit() for part in (user, group) if part):
        said = f"the user {spec.user} has to be written as a number here, such as 1000:1000"
        raise DriverError(Reason(ReasonCode.ENGINE_REFUSED, {"said": said}), permanent=True)
    numbers = {"runAsUser": int(user) if user else None, "runAsGroup": int(group) if group else None}
    owned = bool(spec.volumes or spec.files)
    return known(numbers | {"fsGroup": (int(group) if group else FILES_GROUP) if owned else None})


def _drain(spec: ServiceSpec) -> int:
    return DRAIN_SECONDS if spec.ports else 0


def _tolerated(condition: str) -> dict[str, Any]:
    key = f"node.kubernetes.io/{condition}"
    return {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": HOST_AWAY_SECONDS}


def _spread(spec: ServiceSpec) -> dict[str, Any]:
    strict = (spec.max_per_host or 0) > 1
    return {
        "maxSkew": spec.max_per_host if strict else 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule" if strict else "ScheduleAnyway",
        "labelSelector": {"matchLabels": names.chosen(spec.ref)},
        "matchLabelKeys": [names.REVISION],
    }


def _apart(spec: ServiceSpec) -> dict[str, Any]:
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": names.chosen(spec.ref)}}
    return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def _container(spec: ServiceSpec, *, values: str) -> dict[str, Any]:
    plain = {
        "name": names.CONTAINER,
        "image": spec.image,
        "imagePullPolicy": _fetching(spec),
        "command": _literal(spec.entrypoint),
        "args": _literal(spec.command),
        "workingDir": spec.working_dir,
        "env": [_value(name, place, values) for place, (name, _) in enumerate(spec.environment)] or None,
        "ports": [{"containerPort": port.target, "protocol": port.protocol.upper()} for port in spec.ports] or None,
        "resources": _resources(spec.resources),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": spec.read_only,
        },
        "lifecycle": {"preStop": {"sleep": {"seconds": _drain(spec)}}} if _drain(spec) else None,
        "volumeMounts": _mounts(spec) or None,
    }
    return known(plain) | probes(spec.health)


def _fetching(spec: ServiceSpec) -> str:
    """An image that a stage approved is asked for at each start, though the host holds it: its registry knows whether
    it is approved still, and with which account it may be fetched."""
    if spec.image.startswith(_IMAGE_ID):
        return "Never"
    return "Always" if spec.same_as else "IfNotPresent"


def _literal(words: Iterable[str] | None) -> list[str] | None:
    """The engine fills in $(NAME) in commands and takes two dollars for one; a person's own are to stay as they are."""
    return None if words is None else [word.replace("$", "$$") for word in words]


def key_of(place: int) -> str:
    """Where a value stands in its Secret: names of variables may hold what the engine does not take for a key."""
    return f"value-{place}"


def _value(name: str, place: int, values: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": values, "key": key_of(place)}}}


def _resources(wanted: Resources) -> dict[str, Any]:
    def amounts(cpu: int | None, memory: int | None) -> dict[str, str]:
        plain = {"cpu": cpu and f"{cpu}m", "memory": memory and str(memory)}
        return {name: value for name, value in plain.items() if value}

    both = {
        "limits": amounts(wanted.cpu_limit, wanted.memory_limit),
        "requests": amounts(wanted.cpu_reserved, wanted.memory_reserved),
    }
    return {name: value for name, value in both.items() if value}


def probes(check: HealthCheck | None) -> dict[str, Any]:
    """One policy: the check has to pass before an instance counts, and ends it when it fails again and again."""
    if check is None or not check.command:
        return {}
    interval, timeout = max(1, math.ceil(check.interval_seconds)), max(1, math.ceil(check.timeout_seconds))
    every = {
        "exec": {"command": _literal(check.command)},
        "periodSeconds": interval,
        "timeoutSeconds": timeout,
    }
    at_start = max(1, math.ceil(check.start_period_seconds / interval)) + check.retries
    return {
        "startupProbe": every | {"failureThreshold": at_start},
        "livenessProbe": every | {"failureThreshold": max(1, check.retries)},
        "readinessProbe": every | {"failureThreshold": max(1, check.retries)},
    }


def _volumes(spec: ServiceSpec) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for place, mount in enumerate(spec.tmpfs):
        size = {} if mount.size_bytes is None else {"sizeLimit": str(mount.size_bytes)}
        made.append({"name": f"memory-{place}", "emptyDir": {"medium": "Memory", **size}})
    for place, file in enumerate(spec.files):
        source = {"secretName": file.name} if file.secret else {"name": file.name}
        kind = "secret" if file.secret else "configMap"
        made.append({"name": f"file-{place}", kind: source | {"defaultMode": file.mode}})
    return made


def _mounts(spec: ServiceSpec) -> list[dict[str, Any]]:
    kept = [
        {"name": one.volume, "mountPath": one.path, **({"readOnly": True} if one.read_only else {})}
        for one in spec.volumes
    ]
    memory = [{"name": f"memory-{place}", "mountPath": mount.path} for place, mount in enumerate(spec.tmpfs)]
    files = [
        {"name": f"file-{place}", "mountPath": file.path, "subPath": CONTENT, "readOnly": True}
        for place, file in enumerate(spec.files)
    ]
    return [*kept, *memory, *files]


CONTENT = "content"  # the one key of a file's ConfigMap or Secret
