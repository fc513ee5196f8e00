"""Of what the engine tells of a service, what is about what was said last: it also tells of what was there before."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from backends.kubernetes import names
from backends.kubernetes.client import ApiServer
from backends.kubernetes.errors import RefusedError
from backends.kubernetes.observe import Run, condition

Raw = Mapping[str, Any]

_TURN = "deployment.kubernetes.io/revision"  # the engine's own number: the newest set of instances has the highest


def told(client: ApiServer, workload: Raw, found: Sequence[Run]) -> tuple[Raw, list[Run]]:
    """The workload without a refusal of earlier instances, and the instances, those of what somebody else put in
    between under no revision, though they bear ours.

    Only who may ask for the sets of instances knows; for others all counts.
    """
    newest = None if workload["kind"] == "StatefulSet" else _newest(client, workload)
    if newest is None:
        return workload, list(found)
    stem, revision = f"{newest['metadata']['name']}-", names.note(workload, names.REVISION)
    there = _turn(newest) >= _turn(workload)  # else the list is a moment behind, and nothing is told of it yet
    mine = [one if there and one.pod.startswith(stem) else _of_another(one, revision) for one in found]
    if there and condition({"status": newest.get("status") or {}}, "ReplicaFailure").get("status") == "True":
        return workload, mine
    status = workload.get("status") or {}
    kept = [one for one in status.get("conditions") or () if one["type"] != "ReplicaFailure"]
    return {**workload, "status": {**status, "conditions": kept}}, mine


def _of_another(run: Run, revision: str) -> Run:
    return replace(run, instance=replace(run.instance, revision="")) if run.instance.revision == revision else run


def _newest(client: ApiServer, workload: Raw) -> Raw | None:
    about = workload["metadata"]
    chosen = names.selector(workload["spec"]["selector"]["matchLabels"])
    try:
        sets = client.items("ReplicaSet", about["namespace"], labelSelector=chosen)
    except RefusedError:
        return None
    own = [one for one in sets if any(by["uid"] == about["uid"] for by in one["metadata"].get("ownerReferences") or ())]
    return max(own, key=_turn, default=None)


def _turn(one: Raw) -> int:
    return int((one["metadata"].get("annotations") or {}).get(_TURN, 0))


def refusal(client: ApiServer, workload: Raw) -> str:
    """Why instances of a service with volumes are missing: it is told by events only. Empty: nothing is known."""
    if workload["kind"] != "StatefulSet":
        return ""
    about = workload["metadata"]
    asked = f"involvedObject.name={about['name']},reason=FailedCreate"
    events = client.items("Event", about["namespace"], fieldSelector=asked)
    applied = max((one["time"] for one in about["managedFields"] if one["manager"] == names.MANAGER), default="")
    said = [(one.get("lastTimestamp") or "", one.get("message", "")) for one in events]
    return max((one for one in said if one[0] >= applied), default=("", ""))[1]
