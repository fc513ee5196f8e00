"""Closing a host for new instances, and moving ours off it.

Instances are evicted, which the engine refuses where a service's budget does not allow it. A service with a single
instance has no budget: where it allows two for a while, its replacement is started first.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from backends.contract import Held, Leaving, Reason, ReasonCode, ServiceRef
from backends.failing import host_gone, shortened
from backends.kubernetes import kinds, names
from backends.kubernetes.client import ApiServer
from backends.kubernetes.errors import RefusedError
from backends.kubernetes.observe import runs

Raw = Mapping[str, Any]

_OVER = {"Succeeded", "Failed"}
_BUDGET = "disruption budget"
_GONE, _ANOTHER, _REFUSED = 404, 409, 429


def set_schedulable(client: ApiServer, host: str, wanted: bool) -> None:
    node = _node(client, host)
    if bool(node["spec"].get("unschedulable")) == wanted:
        client.merge(kinds.path("Node", "", host), {"spec": {"unschedulable": None if wanted else True}})


def step(client: ApiServer, host: str) -> Leaving:
    _node(client, host)
    there = _ours(client.items("Pod", labelSelector=names.OURS, fieldSelector=f"spec.nodeName={host}"))
    held: dict[ServiceRef, Reason] = {}
    for pod in there:
        ref = names.ref_of(pod)
        if ref is None or ref in held or pod["metadata"].get("deletionTimestamp"):
            continue
        if not _replaced_first(client, ref, pod) and not _evicted(client, pod):
            budget = Reason(ReasonCode.HELD_BY_BUDGET, {"service": ref.service})
            held[ref] = _trouble(client, ref) or budget
        elif reason := _trouble(client, ref):
            held[ref] = reason
    return Leaving(len(there), tuple(Held(ref, reason) for ref, reason in held.items()))


def _node(client: ApiServer, host: str) -> Raw:
    node = client.find("Node", "", host)
    if node is None:
        raise host_gone(host)
    return node


def _ours(pods: Sequence[Raw]) -> list[Raw]:
    return [pod for pod in pods if names.ref_of(pod) is not None and pod["status"].get("phase") not in _OVER]


def _evicted(client: ApiServer, pod: Raw) -> bool:
    """False: a budget does not allow it now. Of exactly this pod, not of a later one of its name."""
    about = pod["metadata"]
    where = {"name": about["name"], "namespace": about["namespace"]}
    asked = {"preconditions": {"uid": about["uid"]}}
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": where, "deleteOptions": asked}
    try:
        client.post(f"{kinds.path('Pod', about['namespace'], about['name'])}/eviction", body)
    except RefusedError as error:
        if error.status in {_GONE, _ANOTHER}:
            return True
        if error.status == _REFUSED and _BUDGET in error.said:
            return False
        raise
    return True


def _replaced_first(client: ApiServer, ref: ServiceRef, pod: Raw) -> bool:
    """Whether another instance comes, and this one ends only when that one serves. Asked for once for each instance."""
    held = client.find("Deployment", ref.environment, ref.engine_name)
    if held is None or held["spec"].get("replicas") != 1 or not _surges(held):
        return False
    uid = pod["metadata"]["uid"]
    if (held["spec"]["template"]["metadata"].get("annotations") or {}).get(names.MOVED) == uid:
        return True
    if _rolling(held):
        return True  # a change is under way, and what it brings is put on another host as well
    note = {"metadata": {"annotations": {names.MOVED: uid}}}
    client.merge(kinds.path("Deployment", ref.environment, ref.engine_name), {"spec": {"template": note}})
    return True


def _surges(deployment: Raw) -> bool:
    rolling = (deployment["spec"].get("strategy") or {}).get("rollingUpdate") or {}
    return rolling.get("maxSurge") not in (None, 0, "0", "0%")


def _rolling(deployment: Raw) -> bool:
    status = deployment.get("status") or {}
    seen = status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0)
    return not seen or status.get("replicas", 0) > status.get("updatedReplicas", 0)


def _trouble(client: ApiServer, ref: ServiceRef) -> Reason | None:
    """What keeps the replacement of an instance from serving."""
    pods = client.items("Pod", ref.environment, labelSelector=names.selector(names.identity(ref)))
    found = [run.instance for run in runs(pods, hosts={}, ports={}) if run.instance.wanted and run.instance.reason]
    reason = found[0].reason if found else None
    if reason is None or "said" not in reason.params:
        return reason
    return Reason(reason.code, {**reason.params, "said": shortened(str(reason.params["said"]))})
