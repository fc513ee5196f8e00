"""An engine that loses answers, rejects, crashes or goes away: the deployment ends true, the old version serves on."""

from datetime import timedelta
from typing import Any

import pytest

from apps import services as apps
from apps.models import AppEnvironment, InstanceEnd
from apps.operations import DENIED_SECONDS, fault
from apps.specification import from_image
from audit.models import AuditEntry
from backends.contract import (
    InstanceState,
    InstanceStatus,
    Phase,
    Reason,
    ReasonCode,
    ServiceRef,
    ServiceSpec,
    ServiceStatus,
)
from backends.fake import FakeDriver, Mood
from backends.words import hint, sentence
from core.clock import database_now
from operations import tasks
from operations.models import Operation, OperationEvent
from tests.conftest import Cast, Wakeups


@pytest.fixture
def finish(wakeups: Wakeups, django_capture_on_commit_callbacks: Any) -> Any:
    """Work on an operation until it is over."""

    def run(operation: Operation) -> Operation:
        wakeups.ids[:] = [str(operation.pk)]
        with django_capture_on_commit_callbacks(execute=True):
            wakeups.drain()
        operation.refresh_from_db()
        return operation

    return run


def test_an_answer_lost_after_the_engine_did_it_makes_no_second_service(
    cast: Cast, place: AppEnvironment, driver: FakeDriver, finish: Any
) -> None:
    driver.mood = Mood.LOSING_ANSWERS
    operation = finish(apps.deploy(cast.actor("developer"), place, spec=from_image("berth/hello:1", instances=2)))
    assert operation.state == "succeeded"
    assert [ref.service for ref in driver.services(place.engine_name)] == ["web"]


@pytest.mark.parametrize(
    ("tag", "codes"),
    [
        ("missing", {"image_not_found"}),
        ("crash", {"crashing", "exited"}),
        ("unhealthy", {"unhealthy"}),
    ],
)
def test_a_release_that_cannot_run_fails_in_words_and_the_old_one_stays(
    cast: Cast, running: AppEnvironment, driver: FakeDriver, finish: Any, tag: str, codes: set[str]
) -> None:
    before = running.release
    operation = finish(apps.deploy(cast.actor("developer"), running, image=f"berth/hello:{tag}"))
    running.refresh_from_db()
    assert (operation.state, running.release) == ("failed", before)
    assert operation.failure["code"] in codes
    serving = [
        one for ref in driver.services(running.engine_name) for one in driver.instances(ref) if one.state == "running"
    ]
    assert len(serving) == 3
    assert sentence(operation.failure)
    assert hint(operation.failure)
    assert "%(" not in sentence(operation.failure)
    assert AuditEntry.objects.filter(operation_id=operation.pk, result="failed").count() == 1


def test_the_last_lines_of_a_crash_are_kept(cast: Cast, running: AppEnvironment, finish: Any) -> None:
    finish(apps.deploy(cast.actor("developer"), running, image="berth/hello:crash"))
    end = InstanceEnd.objects.filter(place=running).first()
    assert end is not None
    assert end.last_lines
    assert end.deployment is not None
    assert end.deployment.number == 2


def test_an_engine_that_is_away_is_waited_for(
    cast: Cast, place: AppEnvironment, driver: FakeDriver, finish: Any
) -> None:
    driver.mood = Mood.AWAY
    operation = apps.deploy(cast.actor("developer"), place, spec=from_image("berth/hello:1"))
    for _look in range(3):
        tasks.run_operation(str(operation.pk))
        Operation.objects.filter(pk=operation.pk).update(not_before=None)
    operation.refresh_from_db()
    assert operation.state == "running"
    assert operation.events.filter(code="engine_away").count() == 1  # said once, not at each look
    driver.mood = Mood.WELL
    assert finish(operation).state == "succeeded"


def test_a_denial_is_believed_when_the_host_had_time_to_ask_twice(cast: Cast, running: AppEnvironment) -> None:
    """A host may be told of an instance before it is told of the account that it shows to the registry."""
    operation = apps.deploy(cast.actor("developer"), running, image="berth/hello:2")
    ref = ServiceRef(running.engine_name, running.app.name, "web")
    spec = ServiceSpec(ref=ref, image="berth/hello:2", instances=1)
    denied = Reason(ReasonCode.IMAGE_DENIED, {"image": "berth/hello:2"})
    status = ServiceStatus(ref, Phase.FAILING, wanted=1, ready=0, running=0, reason=denied)
    tried = {"operation": operation, "step": "service:web", "code": "instances_ready"}
    OperationEvent.objects.create(**tried, seq=98)
    assert fault(operation, spec, status) is None
    long_ago = database_now() - timedelta(seconds=DENIED_SECONDS + 1)
    OperationEvent.objects.create(**tried, seq=99, at=long_ago)
    assert fault(operation, spec, status) == ("image_denied", {"image": "berth/hello:2"})


@pytest.mark.parametrize(("code", "certain"), [(ReasonCode.HOST_LOST, False), (ReasonCode.EXITED, True)])
def test_what_was_lost_with_its_host_is_not_the_releases_fault(
    cast: Cast, running: AppEnvironment, code: ReasonCode, certain: bool
) -> None:
    operation = apps.deploy(cast.actor("developer"), running, image="berth/hello:2")
    ref, why = ServiceRef(running.engine_name, running.app.name, "web"), Reason(code, {})
    spec = ServiceSpec(ref=ref, image="berth/hello:2", instances=3)
    ended = tuple(
        InstanceStatus(f"i{number}", ref, number, InstanceState.FAILED, True, spec.revision, reason=why)
        for number in (1, 2, 3)
    )
    status = ServiceStatus(ref, Phase.FAILING, wanted=3, ready=0, running=0, reason=why, instances=ended)
    assert (fault(operation, spec, status) is not None) is certain
