"""What the engine tells counts as long as it is about what was said last."""

from typing import Any, cast

import pytest

from backends.contract import Phase, Reason, ReasonCode
from backends.kubernetes.client import ApiServer
from backends.kubernetes.errors import RefusedError
from backends.kubernetes.hosts import table
from backends.kubernetes.latest import told
from backends.kubernetes.observe import runs
from backends.kubernetes.progress import service_status
from tests.backends.raw_kubernetes import NOW, REF, ended, node, pod, spec, waiting, workload

SAID = 'pods "a-1-web-5d4f-x2x" is forbidden: violates PodSecurity'


class Sets:
    """An API that tells of the sets of instances of one workload."""

    def __init__(self, *sets: dict[str, Any], refuses: bool = False) -> None:
        self.sets, self.refuses, self.asked = sets, refuses, 0

    def items(self, kind: str, namespace: str, *, labelSelector: str) -> list[dict[str, Any]]:  # noqa: N803 - the API's word
        assert (kind, namespace, "berth/app=a-1" in labelSelector) == ("ReplicaSet", "e-1", True)
        self.asked += 1
        if self.refuses:
            raise RefusedError(Reason(ReasonCode.NOT_ALLOWED, {}), status=403, why="Forbidden", said="", permanent=True)
        return list(self.sets)


def held(refused: str = SAID) -> dict[str, Any]:
    one = workload(spec(), refused=refused)
    one["metadata"]["uid"] = "mine"
    return one


def instances(turn: int, *, refused: bool, maker: str = "mine", name: str = "5d4f") -> dict[str, Any]:
    failure = {"type": "ReplicaFailure", "status": "True", "message": SAID}
    about = {"name": f"a-1-web-{name}", "ownerReferences": [{"uid": maker}]}
    about |= {"annotations": {"deployment.kubernetes.io/revision": str(turn)}}
    return {"metadata": about, "status": {"conditions": [failure] if refused else []}}


def refusals(api: Sets, one: dict[str, Any]) -> list[str]:
    counts, _ = told(cast(ApiServer, api), one, [])
    return [said["message"] for said in counts["status"]["conditions"] if said["type"] == "ReplicaFailure"]


def test_one_of_before_does_not_count() -> None:
    assert refusals(Sets(instances(9, refused=True), instances(10, refused=False)), held()) == []


def test_one_of_the_newest_does() -> None:
    assert refusals(Sets(instances(9, refused=False), instances(10, refused=True)), held()) == [SAID]


def test_a_list_that_is_a_moment_behind_is_no_proof() -> None:
    one = held()
    one["metadata"].setdefault("annotations", {})["deployment.kubernetes.io/revision"] = "10"
    assert refusals(Sets(instances(9, refused=True)), one) == []


def test_another_makers_are_no_witness() -> None:
    stranger = instances(11, refused=False, maker="somebody")
    assert refusals(Sets(instances(10, refused=True), stranger), held()) == [SAID]


@pytest.mark.parametrize("api", [Sets(), Sets(refuses=True)])
def test_where_nothing_can_be_known_it_counts(api: Sets) -> None:
    assert refusals(api, held()) == [SAID]


def test_crashes_of_what_somebody_put_in_between_are_none_of_it() -> None:
    """Its instances bear our marks, for it was made of our own words."""
    strange = pod(spec(), "strange-aa", state=waiting("CrashLoopBackOff"), before=ended(1), starts=1)
    found = runs([pod(spec(), "mine-aa"), strange], hosts=table([node()]), ports={})
    one = held(refused="")
    assert service_status(REF, one, found, now=NOW).phase == Phase.FAILING
    sets = Sets(instances(9, refused=False, name="strange"), instances(10, refused=False, name="mine"))
    counts, kept = told(cast(ApiServer, sets), one, found)
    status = service_status(REF, counts, kept, now=NOW)
    assert (status.phase, status.ready) == (Phase.PROGRESSING, 1)
    behind = Sets(instances(9, refused=False, name="strange"))
    one["metadata"].setdefault("annotations", {})["deployment.kubernetes.io/revision"] = "10"
    _, none = told(cast(ApiServer, behind), one, found)
    assert {run.instance.revision for run in none} == {""}


def test_of_a_service_with_volumes_there_are_no_sets_to_ask_for() -> None:
    api, one = Sets(), held() | {"kind": "StatefulSet"}
    assert told(cast(ApiServer, api), one, []) == (one, [])
    assert api.asked == 0
