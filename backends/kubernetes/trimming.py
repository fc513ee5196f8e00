"""Of what the API tells of a thing, the part that a look at a whole cluster reads: a tenth of it. Pure."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from backends.kubernetes import names

Raw = Mapping[str, Any]
Trimmed = dict[str, Any]

_NOTES = (names.REVISION, names.MONITOR, names.IMAGE)
_ABOUT = ("name", "namespace", "uid", "generation", "creationTimestamp", "deletionTimestamp")
_CONTAINER = ("name", "restartCount", "state", "lastState", "ready", "started")
_WORKLOAD = ("observedGeneration", "updatedReplicas", "readyReplicas")
_HOST = ("addresses", "allocatable", "nodeInfo")
_OF_PODS = frozenset({"PodScheduled", "Ready"})
_OF_WORKLOADS = frozenset({"ReplicaFailure", "Progressing"})


def trimmed(kind: str, thing: Raw) -> Trimmed:
    """In the shape in which it was told, so that whoever reads it need not know."""
    return _TRIMMERS[kind](thing)


def _some(told: Raw, wanted: Iterable[str]) -> Trimmed:
    return {name: value for name in wanted if (value := told.get(name)) is not None}


def _about(thing: Raw) -> Trimmed:
    told = thing["metadata"]
    made = _some(told, _ABOUT)
    made["labels"] = told.get("labels") or {}
    if notes := told.get("annotations"):
        made["annotations"] = _some(notes, _NOTES)
    if makers := told.get("ownerReferences"):
        made["ownerReferences"] = makers
    return made


def _pod(pod: Raw) -> Trimmed:
    """Of one that is not ours: what it takes of its host."""
    spec, status = pod["spec"], pod["status"]
    asked = [{"resources": one.get("resources")} for one in spec["containers"]]
    place: Trimmed = {"containers": asked}
    if "nodeName" in spec:
        place["nodeName"] = spec["nodeName"]
    seen = _some(status, ("phase", "message", "reason"))
    if names.claimed(pod) is None:
        about = pod["metadata"]
        return {"metadata": _some(about, ("name", "namespace", "uid")), "spec": place, "status": seen}
    seen["conditions"] = _conditions(status, _OF_PODS)
    containers = status.get("containerStatuses") or ()
    seen["containerStatuses"] = [_some(one, _CONTAINER) for one in containers if one["name"] == names.CONTAINER]
    return {"metadata": _about(pod), "spec": place, "status": seen}


def _conditions(status: Raw, wanted: frozenset[str]) -> list[Trimmed]:
    return [one for one in status.get("conditions") or () if one["type"] in wanted]


def _workload(thing: Raw) -> Trimmed:
    spec, status, template = thing["spec"], thing.get("status") or {}, thing["spec"]["template"]
    about = _about(thing)
    if strangers := names.strangers(thing):
        about["managedFields"] = strangers
    container = template["spec"]["containers"][0]
    checked = {"readinessProbe": None} if "readinessProbe" in container else {}
    notes = _some(template["metadata"].get("annotations") or {}, _NOTES)
    inner = {"metadata": {"annotations": notes}, "spec": {"containers": [checked]}}
    seen = _some(status, _WORKLOAD) | {"conditions": _conditions(status, _OF_WORKLOADS)}
    return {"metadata": about, "spec": {"replicas": spec.get("replicas"), "template": inner}, "status": seen}


def _way_in(thing: Raw) -> Trimmed:
    spec = thing["spec"]
    ports = [_some(one, ("targetPort", "nodePort")) for one in spec.get("ports") or ()]
    return {"metadata": _about(thing), "spec": {"type": spec.get("type"), "ports": ports}}


def _node(node: Raw) -> Trimmed:
    """Without its list of images, which is most of it."""
    told, status = node["metadata"], node["status"]
    about = _some(told, _ABOUT) | {"labels": told.get("labels") or {}}
    seen = _some(status, _HOST) | {"conditions": status.get("conditions") or []}
    return {"metadata": about, "spec": _some(node["spec"], ("unschedulable",)), "status": seen}


_TRIMMERS: dict[str, Callable[[Raw], Trimmed]] = {
    "Pod": _pod,
    "Deployment": _workload,
    "StatefulSet": _workload,
    "Service": _way_in,
    "Node": _node,
}
