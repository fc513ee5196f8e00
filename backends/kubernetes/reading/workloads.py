"""A Deployment or StatefulSet as a service of the specification."""

import json
from typing import Any

from backends.kubernetes.reading.amounts import memory, merged
from backends.kubernetes.reading.fields import Fields
from backends.kubernetes.reading.mounts import Asked, Declared, Mounts
from backends.kubernetes.reading.parcel import Document, labels_of
from backends.kubernetes.reading.programs import Target, read_program, read_user

REST = "berth/rest"  # an annotation of a workload: what its own fields cannot say of the service, as a patch
_DEEPEST = 12
_ENGINES_OWN = ("kubernetes.io/", "k8s.io/")
_OURS = ("app.kubernetes.io/", "berth.", "berth/", "com.docker.", "io.kubernetes")


def read_workload(one: Document, target: Target, declared: Declared) -> None:
    report = target.parcel.report
    report.origins["services", target.name] = one.loc
    spec = one.fields.below("spec", "workload")
    template = spec.below("template", "template")
    _metadata(one, template, target)
    if "replicas" in spec:
        target.deploy(spec, "replicas", spec.take("replicas"), below=("replicas",))
    spec.peek("selector")
    pod = template.below("spec", "pod")
    _strategy(spec, target)
    claims = _claims(spec)
    _program(pod, target, Mounts(target, declared, claims))
    for fields in (template, pod, spec, one.fields):
        fields.rest()
    _rest(one, target)


def _claims(spec: Fields) -> dict[str, tuple[Fields, Asked]]:
    """Templates of volumes that each instance has of its own, by their names."""
    found: dict[str, tuple[Fields, Asked]] = {}
    for one in spec.each("volumeClaimTemplates", "document"):
        if isinstance(one.data.get("metadata"), dict):
            for key in ("apiVersion", "kind", "metadata"):
                one.peek(key)
            found[str(one.data["metadata"].get("name"))] = one, read_claim(one)
    return found


def read_claim(fields: Fields) -> Asked:
    """The size that is asked for; all else of a volume is Berth's choice."""
    claim = fields.below("spec", "claim")
    room = claim.below("resources", "room")
    asked = room.below("requests", "asked")
    size = memory(asked.take("storage"))
    for one in (asked, room, claim, fields):
        one.rest()
    return Asked(size, (*asked.loc, "storage"))


def _metadata(one: Document, template: Fields, target: Target) -> None:
    about = one.fields.below("metadata", "metadata")
    about.peek("name")
    about.peek("labels")
    about.peek("annotations")
    about.rest()
    inner = template.below("metadata", "metadata")
    chosen = labels_of(one.fields.data, "spec", "selector", "matchLabels")
    kept = {
        name: value
        for name, value in inner.texts("labels")
        if name not in chosen and not name.lower().startswith(_OURS)
    }
    if kept:
        target.put(inner, "labels", kept, below=("labels",))
    inner.rest("name")


def _strategy(spec: Fields, target: Target) -> None:
    if spec.peek("strategy") is None:
        return
    strategy = spec.below("strategy")
    rolling = strategy.below("rollingUpdate")
    surge, missing = rolling.peek("maxSurge"), rolling.peek("maxUnavailable")
    if strategy.peek("type") == "Recreate" or surge in (0, "0%", "0"):
        parallelism = {"parallelism": missing} if _count(missing) else {}
        target.deploy(spec, "update_config", {"order": "stop-first", **parallelism}, below=("strategy",))
        spec.tell("becomes", "strategy", name="deploy.update_config.order stop-first")
    elif _count(surge):
        target.deploy(spec, "update_config", {"order": "start-first", "parallelism": surge}, below=("strategy",))
    strategy.rest()
    rolling.rest()


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _program(pod: Fields, target: Target, mounts: Mounts) -> None:
    containers = pod.each("containers", "container")
    if not containers:
        pod.tell("no_program")
        return
    first, *others = containers
    for one in others:
        one.tell("several")
    read_program(first, target)
    mounts.read(pod, first)
    security = pod.below("securityContext", "security")
    if "user" not in target.keys:
        read_user(security, target)
    for key in ("runAsUser", "runAsGroup"):
        security.peek(key)
    security.rest()
    grace = pod.take("terminationGracePeriodSeconds")
    whole = isinstance(grace, int) and not isinstance(grace, bool)
    target.put(pod, "stop_grace_period", f"{int(grace)}s" if whole else grace, below=("terminationGracePeriodSeconds",))
    _place(pod, target)
    first.peek("ports")  # read with the ways in
    first.rest()


def _place(pod: Fields, target: Target) -> None:
    wanted: list[str] = []
    for name, value in pod.texts("nodeSelector"):
        if (name, value) == ("kubernetes.io/os", "linux"):
            pod.tell("not_needed", "nodeSelector", name)
        elif any(f".{own}" in f".{name}" for own in _ENGINES_OWN):
            pod.tell("own_host", "nodeSelector", name)
        else:
            pod.tell("host_label", "nodeSelector", name, name=f"{name}={value}")
            target.came(pod, ("nodeSelector", name), "deploy", "placement", "constraints", len(wanted))
            wanted.append(f"node.labels.{name} == {value}")
    if wanted:
        target.deploy(pod, "placement", {"constraints": wanted}, below=("nodeSelector",))
    _affinity(pod.below("affinity"))


def _affinity(affinity: Fields) -> None:
    """A wish is left out; what must be is refused."""
    for kind in ("nodeAffinity", "podAffinity", "podAntiAffinity"):
        one = affinity.below(kind)
        for key in one.data:
            one.peek(key)
            must = kind == "nodeAffinity" and key.startswith("required")
            one.tell("own_host" if must else "host_wish", key)
    affinity.rest()


def _rest(one: Document, target: Target) -> None:
    """What an export has added, for our own exports to come back whole; checked like all else."""
    text = labels_of(one.fields.data, "metadata", "annotations").get(REST)
    if text is None:
        return
    about = one.fields.below("metadata", "metadata")
    try:
        patch: Any = json.loads(text)
    except (ValueError, RecursionError):
        patch = None
    ways = _ways(patch) if isinstance(patch, dict) else None
    if ways is None:
        about.tell("rest", "annotations", REST)
        return
    target.keys = merged(target.keys, patch)
    for way in ways:
        target.came(about, ("annotations", REST), *way)


def _ways(patch: dict[str, Any]) -> list[tuple[str, ...]] | None:
    """The places that a patch changes; None for one that is deeper than any of ours."""
    found: list[tuple[str, ...]] = []
    waiting: list[tuple[tuple[str, ...], Any]] = [((key,), value) for key, value in patch.items()]
    while waiting:
        way, value = waiting.pop()
        if len(way) > _DEEPEST:
            return None
        if isinstance(value, dict) and value:
            waiting += [((*way, key), below) for key, below in value.items()]
        else:
            found.append(way)
    return found
