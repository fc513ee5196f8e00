"""From neutral values to the engine's JSON. Pure: the same spec always gives the same bytes.

What is not written here cannot reach an engine. There is no bind mount, no host network, no added capability, no
privilege, no device, no socket and no entry for any of them.
"""

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from backends.contract import (
    EnvironmentRef,
    FileMount,
    HealthCheck,
    Port,
    Resources,
    ServiceRef,
    ServiceSpec,
    TmpfsMount,
    UpdatePolicy,
    VolumeMount,
)

ENVIRONMENT = "berth.environment"
APP = "berth.app"
SERVICE = "berth.service"
REVISION = "berth.revision"
ATTEMPT = "berth.attempt"  # new at every change of revision, so that what failed earlier is not held against a retry
IMAGE = "berth.image"  # as the person wrote it, for words only

# what an instance writes fills no host's disk, whatever the engine itself was set up with
LOGS = {"Name": "json-file", "Options": {"max-size": "100m", "max-file": "5"}}
_NANO = 1_000_000_000
_OURS = ("berth.", "com.docker.")


def nanoseconds(seconds: float) -> int:
    return round(seconds * _NANO)


def identity(ref: ServiceRef) -> dict[str, str]:
    return {ENVIRONMENT: ref.environment, APP: ref.app, SERVICE: ref.service}


def network_body(environment: EnvironmentRef) -> dict[str, Any]:
    return {
        "Name": environment.name,
        "Driver": "overlay",
        "Scope": "swarm",
        "CheckDuplicate": True,
        "Attachable": True,
        "Internal": environment.internal,
        "Labels": {ENVIRONMENT: environment.name},
    }


def file_body(ref: ServiceRef, file: FileMount) -> dict[str, Any]:
    """Of a config or a secret: the engine takes both in one form."""
    return {"Name": file.name, "Labels": identity(ref), "Data": base64.b64encode(file.content).decode()}


def service_body(spec: ServiceSpec, *, attempt: str, files: Mapping[str, str]) -> dict[str, Any]:
    """`files`: the engine's id of each FileMount by its name."""
    return {
        "Name": spec.ref.engine_name,
        "Labels": identity(spec.ref) | {REVISION: spec.revision},
        "TaskTemplate": {
            "ContainerSpec": _container(spec, attempt=attempt, files=files),
            "Resources": _resources(spec.resources),
            "RestartPolicy": _restart(spec),
            "Placement": _placement(spec),
            "Networks": [{"Target": spec.ref.environment, "Aliases": list(spec.aliases)}],
            "LogDriver": LOGS,
            "ForceUpdate": spec.restarts,
        },
        "Mode": {"Replicated": {"Replicas": spec.instances}},
        "UpdateConfig": _update(spec.update, on_failure="rollback"),
        "RollbackConfig": _update(spec.update, on_failure="pause"),
        "EndpointSpec": {"Mode": "dnsrr", "Ports": [_port(port) for port in spec.ports if port.published]},
    }


def scaled(held: Mapping[str, Any], *, instances: int) -> dict[str, Any]:
    """The spec the engine holds with another number: nothing else may differ, or instances would be replaced."""
    return {**held, "Mode": {"Replicated": {"Replicas": instances}}}


def _container(spec: ServiceSpec, *, attempt: str, files: Mapping[str, str]) -> dict[str, Any]:
    own = {name: value for name, value in spec.labels if not name.startswith(_OURS)}
    ours = {REVISION: spec.revision, ATTEMPT: attempt, IMAGE: spec.image_name or spec.image}
    plain: dict[str, Any] = {
        "Image": spec.image,
        "Labels": own | identity(spec.ref) | ours,
        "Command": _list(spec.entrypoint),
        "Args": _list(spec.command),
        "Env": [f"{name}={_literal(value)}" for name, value in spec.environment],
        "User": spec.user,
        "Dir": spec.working_dir,
        "ReadOnly": spec.read_only,
        "Init": spec.init,
        "StopGracePeriod": nanoseconds(spec.stop_grace_seconds),
        "CapabilityDrop": ["CAP_NET_RAW"],
        "Healthcheck": _health(spec.health),
        "Mounts": [*map(_volume, spec.volumes), *map(_tmpfs, spec.tmpfs)],
        "Configs": _files(spec, files, secret=False),
        "Secrets": _files(spec, files, secret=True),
    }
    return {name: value for name, value in plain.items() if value is not None}


def _literal(text: str) -> str:
    """The engine takes environment values and mount paths for templates; a person's braces are to stay braces."""
    return text.replace("{{", '{{"{{"}}')


def _list(words: Iterable[str] | None) -> list[str] | None:
    return None if words is None else list(words)


def _health(check: HealthCheck | None) -> dict[str, Any] | None:
    if check is None:
        return None
    if not check.command:
        return {"Test": ["NONE"]}
    return {
        "Test": ["CMD", *check.command],
        "Interval": nanoseconds(check.interval_seconds),
        "Timeout": nanoseconds(check.timeout_seconds),
        "Retries": check.retries,
        "StartPeriod": nanoseconds(check.start_period_seconds),
    }


def _resources(wanted: Resources) -> dict[str, Any]:
    limits = {
        "NanoCPUs": _nano_cpus(wanted.cpu_limit),
        "MemoryBytes": wanted.memory_limit,
        "Pids": wanted.pids_limit,
    }
    reserved = {"NanoCPUs": _nano_cpus(wanted.cpu_reserved), "MemoryBytes": wanted.memory_reserved}
    return {"Limits": _known(limits), "Reservations": _known(reserved)}


def _nano_cpus(millicores: int | None) -> int | None:
    return None if millicores is None else millicores * 1_000_000


def _known(plain: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in plain.items() if value is not None}


def _restart(spec: ServiceSpec) -> dict[str, Any]:
    window = spec.restart.window_seconds
    return _known(
        {
            "Condition": spec.restart.condition,
            "Delay": nanoseconds(spec.restart.delay_seconds),
            "MaxAttempts": spec.restart.max_attempts,
            "Window": None if window is None else nanoseconds(window),
        }
    )


def _placement(spec: ServiceSpec) -> dict[str, Any]:
    constraints = [f"node.labels.{name}=={value}" for name, value in spec.host_labels]
    return _known({"Constraints": constraints, "MaxReplicas": spec.max_per_host})


def _update(policy: UpdatePolicy, *, on_failure: str) -> dict[str, Any]:
    return {
        "Parallelism": policy.parallelism,
        "Delay": nanoseconds(policy.delay_seconds),
        "FailureAction": on_failure,
        "Monitor": nanoseconds(policy.monitor_seconds),
        "MaxFailureRatio": policy.max_failure_ratio,
        "Order": "start-first" if policy.start_first else "stop-first",
    }


def _port(port: Port) -> dict[str, Any]:
    # without PublishedPort the host's engine picks a free one for each instance
    return {"Protocol": port.protocol, "TargetPort": port.target, "PublishMode": "host"}


def _volume(mount: VolumeMount) -> dict[str, Any]:
    return {"Type": "volume", "Source": mount.volume, "Target": _literal(mount.path), "ReadOnly": mount.read_only}


def _tmpfs(mount: TmpfsMount) -> dict[str, Any]:
    options = {} if mount.size_bytes is None else {"TmpfsOptions": {"SizeBytes": mount.size_bytes}}
    return {"Type": "tmpfs", "Target": _literal(mount.path), **options}


def _files(spec: ServiceSpec, files: Mapping[str, str], *, secret: bool) -> list[dict[str, Any]]:
    kind = "Secret" if secret else "Config"
    return [
        {
            f"{kind}ID": files[file.name],
            f"{kind}Name": file.name,
            "File": {"Name": file.path, "UID": str(file.uid), "GID": str(file.gid), "Mode": file.mode},
        }
        for file in spec.files
        if file.secret == secret
    ]
