"""Where a service stands, from what the engine holds and what its instances do."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from backends.contract import Phase, ReasonCode, ServiceSpec, ServiceStatus
from backends.kubernetes.hosts import table
from backends.kubernetes.names import taken_over
from backends.kubernetes.observe import runs
from backends.kubernetes.progress import service_status
from tests.backends.raw_kubernetes import NOW, REF, ended, node, pod, running, spec, waiting, workload

OLD, NEW = spec("1"), spec("2")


def status(
    holds: ServiceSpec | None, pods: Sequence[dict[str, Any]], asked: ServiceSpec | None = None, **more: Any
) -> ServiceStatus:
    held = None if holds is None else workload(holds, **more)
    found = runs(pods, hosts=table([node()]), ports={})
    question = (asked.revision, asked.instances) if asked else None
    return service_status(REF, held, found, now=NOW, asked=question)


def test_nothing_there_is_absent() -> None:
    assert status(None, [], NEW).phase == Phase.ABSENT


def test_another_revision_or_number_is_outdated() -> None:
    both = [pod(OLD, "one"), pod(OLD, "two")]
    assert status(OLD, both, NEW).phase == Phase.OUTDATED
    assert status(OLD, both, replace(OLD, instances=3)).phase == Phase.OUTDATED
    assert status(OLD, both, NEW).ready == 0
    assert status(OLD, both, NEW).running == 2


def test_what_the_engine_has_not_taken_note_of_is_on_its_way() -> None:
    assert status(OLD, [pod(OLD, "one"), pod(OLD, "two")], seen=False).phase == Phase.PROGRESSING


def test_exactly_the_wanted_ones_is_there() -> None:
    told = status(OLD, [pod(OLD, "one"), pod(OLD, "two")])
    assert (told.phase, told.ready, told.running, told.wanted) == (Phase.CONVERGED, 2, 2, 2)


def test_one_too_few_or_one_of_before_is_on_its_way() -> None:
    assert status(NEW, [pod(NEW, "one")]).phase == Phase.PROGRESSING
    assert status(NEW, [pod(NEW, "one"), pod(NEW, "two"), pod(OLD, "old")]).phase == Phase.PROGRESSING


def test_what_somebody_else_has_changed_is_outdated_until_it_is_taken_over() -> None:
    both, held = [pod(OLD, "one"), pod(OLD, "two")], workload(OLD)
    mine = {"manager": "berth", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}}
    status_of = {"manager": "kubectl", "subresource": "status", "fieldsV1": {"f:status": {}, "f:spec": {}}}
    noted = {"manager": "kube-controller-manager", "fieldsV1": {"f:metadata": {"f:annotations": {}}}}
    by_hand = {"manager": "kubectl-edit", "operation": "Update", "fieldsV1": {"f:spec": {"f:paused": {}}}}
    fields = held["metadata"]["managedFields"] = [mine, status_of, noted]
    found = runs(both, hosts=table([node()]), ports={})
    assert service_status(REF, held, found, now=NOW).phase == Phase.CONVERGED
    fields.append(by_hand)
    assert service_status(REF, held, found, now=NOW).phase == Phase.OUTDATED
    held["metadata"]["managedFields"] = taken_over(held)
    assert service_status(REF, held, found, now=NOW).phase == Phase.CONVERGED
    (ours, *_others) = held["metadata"]["managedFields"]
    assert ours["fieldsV1"] == {"f:spec": {"f:replicas": {}, "f:paused": {}}}, "and goes with the next apply"
    held["metadata"]["managedFields"] = [by_hand]  # somebody took our name out of it, too
    assert [one["manager"] for one in taken_over(held)] == ["berth"]


def test_not_all_are_made_as_they_should_be() -> None:
    """Running ones that bear the revision may still be of what somebody put in by hand."""
    held = workload(OLD)
    held["status"]["updatedReplicas"] = 1
    found = runs([pod(OLD, "one"), pod(OLD, "two")], hosts=table([node()]), ports={})
    assert service_status(REF, held, found, now=NOW).phase == Phase.PROGRESSING


def test_those_of_before_that_leave_are_not_waited_for_but_where_it_is_to_stop() -> None:
    leaving = pod(OLD, "old", leaving=True)
    assert status(NEW, [pod(NEW, "one"), pod(NEW, "two"), leaving]).phase == Phase.CONVERGED
    assert status(replace(OLD, instances=0), [leaving]).phase == Phase.PROGRESSING
    assert status(replace(OLD, instances=0), []).phase == Phase.CONVERGED


def test_a_crash_is_told_with_its_code_and_again_and_again_as_a_loop() -> None:
    once = status(NEW, [pod(OLD, "a"), pod(OLD, "b"), pod(NEW, "c", state=ended(7))])
    assert (once.phase, once.reason and once.reason.code) == (Phase.FAILING, ReasonCode.EXITED)
    twice = status(NEW, [pod(NEW, "c", state=waiting("CrashLoopBackOff"), before=ended(7), starts=1)])
    assert twice.reason is not None
    assert twice.reason.code == ReasonCode.CRASHING
    assert (twice.reason.params["times"], twice.reason.params["exit_code"]) == (2, 7)


def test_failures_of_another_revision_do_not_count() -> None:
    crashed = pod(OLD, "a", state=ended(7))
    assert status(NEW, [crashed, pod(NEW, "b")]).phase == Phase.PROGRESSING


def test_one_that_crashed_has_to_last() -> None:
    one = replace(NEW, instances=1)
    back = pod(one, state=running(2), before=ended(1, ago=3), starts=1)
    assert status(one, [back]).phase == Phase.FAILING
    lasting = pod(one, state=running(20), before=ended(1, ago=21), starts=1)
    assert status(one, [lasting]).phase == Phase.CONVERGED
    often = pod(one, state=running(20), before=ended(1, ago=21), starts=3)
    assert status(one, [often]).phase == Phase.FAILING


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ('pods "x" is forbidden: exceeded quota: plan, requested: requests.memory=1Gi', ReasonCode.QUOTA_EXCEEDED),
        ('pods "x" is forbidden: maximum memory usage per Container is 32Mi', ReasonCode.QUOTA_EXCEEDED),
        ('pods "x" is forbidden: violates PodSecurity "restricted:latest"', ReasonCode.NOT_ALLOWED),
    ],
)
def test_what_may_not_be_made_is_said(said: str, code: ReasonCode) -> None:
    told = status(NEW, [], refused=said)
    assert told.phase == Phase.FAILING
    assert told.reason is not None
    assert (told.reason.code, told.reason.params["said"]) == (code, said)


@pytest.mark.parametrize(
    "said",
    [
        'Post "https://10.0.0.1:6443/api/v1/namespaces/e-1/pods": dial tcp 10.0.0.1:6443: connect: connection refused',
        "etcdserver: request timed out",
        'pods "x" is forbidden: status unknown for quota: ceiling, resources: limits.cpu',
        'pods "x" is forbidden: error looking up service account e-1/app: serviceaccount "app" not found',
    ],
)
def test_what_merely_failed_is_tried_again_and_no_refusal(said: str) -> None:
    assert status(NEW, [], refused=said).phase == Phase.PROGRESSING


def test_what_sees_no_progress_any_more_is_late() -> None:
    told = status(NEW, [pod(NEW, "one"), pod(NEW, "two", state=waiting("ContainerCreating"))], late=True)
    assert told.phase == Phase.FAILING
    assert told.reason is not None
    assert told.reason.code == ReasonCode.NOT_READY_IN_TIME
    assert (told.reason.params["ready"], told.reason.params["wanted"]) == (1, 2)
