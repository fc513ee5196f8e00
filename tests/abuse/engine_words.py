"""Everything we ever say to an engine about a service: the only keys, and the only values where a word decides."""

from collections.abc import Iterator
from typing import Any

CONTAINER = {
    "Image", "Command", "Args", "Env", "User", "Dir", "ReadOnly", "Init", "StopGracePeriod", "CapabilityDrop",
    "Labels.*", "Healthcheck.Test", "Healthcheck.Interval", "Healthcheck.Timeout", "Healthcheck.Retries",
    "Healthcheck.StartPeriod", "Mounts.Type", "Mounts.Source", "Mounts.Target", "Mounts.ReadOnly",
    "Mounts.TmpfsOptions.SizeBytes",
    *(f"{kind}s.{name}" for kind in ("Config", "Secret") for name in (f"{kind}ID", f"{kind}Name")),
    *(f"{kind}s.File.{name}" for kind in ("Config", "Secret") for name in ("Name", "UID", "GID", "Mode")),
}  # fmt: skip
AMOUNTS = {"NanoCPUs", "MemoryBytes", "Pids"}
UPDATE = {"Parallelism", "Delay", "FailureAction", "Monitor", "MaxFailureRatio", "Order"}
KEYS = {
    "Name", "Labels.*", "Mode.Replicated.Replicas", "EndpointSpec.Mode", "EndpointSpec.Ports.Protocol",
    "EndpointSpec.Ports.TargetPort", "EndpointSpec.Ports.PublishMode", "TaskTemplate.ForceUpdate",
    "TaskTemplate.Networks.Target", "TaskTemplate.Networks.Aliases",
    "TaskTemplate.Placement.Constraints", "TaskTemplate.Placement.MaxReplicas", "TaskTemplate.LogDriver.Name",
    "TaskTemplate.LogDriver.Options.max-size", "TaskTemplate.LogDriver.Options.max-file",
    *(f"TaskTemplate.RestartPolicy.{name}" for name in ("Condition", "Delay", "MaxAttempts", "Window")),
    *(f"TaskTemplate.Resources.{side}.{name}" for side in ("Limits", "Reservations") for name in AMOUNTS),
    *(f"TaskTemplate.ContainerSpec.{name}" for name in CONTAINER),
    *(f"{when}Config.{name}" for when in ("Update", "Rollback") for name in UPDATE),
}  # fmt: skip
FILLED_IN = {  # by the engine itself; comes back to it when only the number of instances changes
    "TaskTemplate.Runtime": {"container"},
    "TaskTemplate.ContainerSpec.Isolation": {"default"},
    "TaskTemplate.ContainerSpec.DNSConfig": {None},
}
WORDS = {
    "EndpointSpec.Mode": {"dnsrr"},
    "EndpointSpec.Ports.PublishMode": {"host"},
    "TaskTemplate.LogDriver.Name": {"json-file"},
    "TaskTemplate.LogDriver.Options.max-size": {"100m"},
    "TaskTemplate.LogDriver.Options.max-file": {"5"},
    "TaskTemplate.ContainerSpec.CapabilityDrop": {"CAP_NET_RAW"},
    "TaskTemplate.ContainerSpec.Mounts.Type": {"volume", "tmpfs"},
} | FILLED_IN
Leaf = tuple[str, Any]


def leaves(data: Any, path: str = "") -> Iterator[Leaf]:
    """(path without positions, value) of every value; keys below Labels are one path, since people choose them."""
    if isinstance(data, dict) and data:
        for key, below in data.items():
            part = "*" if path.endswith("Labels") else str(key)
            yield from leaves(below, f"{path}.{part}".lstrip("."))
    elif isinstance(data, list) and data:
        for below in data:
            yield from leaves(below, path)
    elif data not in ({}, []):
        yield path, data


def faults_of(body: Any) -> list[str]:
    """What in the JSON of a service goes beyond the words above."""
    found = [f"{path} = {value!r}" for path, value in leaves(body) if path not in KEYS | FILLED_IN.keys()]
    found += [f"{path} = {value!r}" for path, value in leaves(body) if path in WORDS and value not in WORDS[path]]
    mounts = body["TaskTemplate"]["ContainerSpec"].get("Mounts") or []
    found += [f"mount of {one['Source']}" for one in mounts if "/" in one.get("Source", "")]
    rules = body["TaskTemplate"].get("Placement", {}).get("Constraints") or []
    return found + [f"placed by {rule}" for rule in rules if not rule.startswith("node.labels.")]


def broken_texts(body: Any, texts: set[str]) -> list[str]:
    """Texts of people that do not stand whole in one JSON string, alone or after NAME=."""
    missing = []
    values = [value for _path, value in leaves(body) if isinstance(value, str)]
    for text in texts:
        engine_text = text.replace("{{", '{{"{{"}}')
        if not any(value in (text, engine_text) or value.endswith(f"={engine_text}") for value in values):
            missing.append(text)
    return missing
