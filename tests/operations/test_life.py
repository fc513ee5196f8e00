"""The life of an operation: claimed once, fenced, waiting, swept, undone, settled."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from apps import services as apps
from apps.models import AppEnvironment, Deployment
from apps.specification import from_image
from audit.models import AuditEntry
from backends.fake import FakeDriver
from core.errors import Conflict
from operations import running, services, tasks
from operations.models import Operation
from operations.registry import Wait
from tests.conftest import Cast, Wakeups

SPEC = from_image("berth/hello:1", name="web", instances=3, ports=[8080])
LONG_AGO = timedelta(hours=1)


@pytest.fixture
def pending(cast: Cast, place: AppEnvironment) -> Operation:
    """A deployment that was accepted and that no worker has touched."""
    return apps.deploy(cast.actor("developer"), place, spec=SPEC)


def claimed(operation: Operation) -> Operation:
    mine = services.claim(operation.pk)
    assert mine is not None
    return mine


def past() -> Any:
    return timezone.now() - LONG_AGO


def test_only_one_worker_gets_it(pending: Operation) -> None:
    first = services.claim(pending.pk)
    assert first is not None
    assert first.fence == 1
    assert services.claim(pending.pk) is None


def test_an_expired_lease_goes_to_the_next_worker_and_the_first_writes_nothing_more(pending: Operation) -> None:
    slow = claimed(pending)
    Operation.objects.filter(pk=pending.pk).update(lease_until=past())
    quick = claimed(pending)
    assert quick.fence == 2
    with pytest.raises(services.Fenced):
        services.settle(slow, Operation.State.FAILED)
    assert running.run_step(slow) is None
    pending.refresh_from_db()
    assert pending.state == Operation.State.RUNNING
    assert not AuditEntry.objects.filter(operation_id=pending.pk, result="failed").exists()


def test_delivered_five_times_it_is_done_once(
    cast: Cast, pending: Operation, wakeups: Wakeups, driver: FakeDriver
) -> None:
    wakeups.ids[:] = [str(pending.pk)] * 5
    wakeups.drain()
    pending.refresh_from_db()
    assert pending.state == Operation.State.SUCCEEDED
    assert AuditEntry.objects.filter(operation_id=pending.pk, result="done").count() == 1
    assert len(driver.services(pending.deployment.place.engine_name)) == 1


def test_a_lost_message_is_found_by_the_sweep(pending: Operation, wakeups: Wakeups) -> None:
    wakeups.ids.clear()
    Operation.objects.filter(pk=pending.pk).update(created_at=past())
    tasks.sweep()
    assert wakeups.ids == [str(pending.pk)]


def test_what_a_living_worker_holds_or_what_waits_is_not_swept(pending: Operation, wakeups: Wakeups) -> None:
    wakeups.ids.clear()
    Operation.objects.filter(pk=pending.pk).update(created_at=past())
    mine = claimed(pending)
    tasks.sweep()
    services.pause(mine, Wait(60.0))
    tasks.sweep()
    assert wakeups.ids == []


def test_a_broker_that_is_down_does_not_fail_the_request(
    cast: Cast, place: AppEnvironment, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    def down(*_args: Any, **_options: Any) -> None:
        raise ConnectionError("broker is away")

    monkeypatch.setattr("operations.wakeup.current_app.send_task", down)
    with django_capture_on_commit_callbacks(execute=True):
        operation = apps.deploy(cast.actor("developer"), place, spec=SPEC)
    assert Operation.objects.get(pk=operation.pk).state == Operation.State.PENDING


def test_a_second_change_of_the_same_place_is_refused_with_the_id_of_the_first(
    cast: Cast, place: AppEnvironment, pending: Operation
) -> None:
    place.refresh_from_db()
    with pytest.raises(Conflict) as refused:
        apps.deploy(cast.actor("developer"), place, spec=SPEC)
    assert refused.value.code == "operation_active"
    assert refused.value.extra == {"operation": str(pending.pk)}
    assert Deployment.objects.count() == 1
    assert AuditEntry.objects.filter(action="app.deploy", result="refused").count() == 1


def test_past_its_deadline_it_is_undone_and_failed(
    pending: Operation, place: AppEnvironment, wakeups: Wakeups, driver: FakeDriver
) -> None:
    Operation.objects.filter(pk=pending.pk).update(deadline_at=past())
    wakeups.ids[:] = [str(pending.pk)]
    wakeups.drain()
    pending.refresh_from_db()
    place.refresh_from_db()
    assert pending.state == Operation.State.FAILED
    assert pending.failure == {"code": "timed_out", "params": {}}
    assert place.release is None
    assert driver.services(place.engine_name) == []


def test_after_five_crashes_it_stops_trying(pending: Operation, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(_operation: Operation) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("operations.running._go_on", crash)
    for _crash in range(services.CRASHES_BEFORE_ATTENTION):
        with pytest.raises(RuntimeError):
            tasks.run_operation(str(pending.pk))
        Operation.objects.filter(pk=pending.pk).update(lease_until=past())
    tasks.run_operation(str(pending.pk))
    pending.refresh_from_db()
    assert pending.state == Operation.State.ATTENTION
    assert pending.events.order_by("-seq").first().params == {"times": 6}


def test_cancelled_it_goes_back_to_what_was(
    cast: Cast, running: AppEnvironment, wakeups: Wakeups, driver: FakeDriver
) -> None:
    before = running.release
    operation = apps.deploy(cast.actor("developer"), running, image="berth/hello:2")
    tasks.run_operation(str(operation.pk))
    services.cancel(cast.actor("developer"), operation)
    wakeups.ids[:] = [str(operation.pk)]
    wakeups.drain()
    operation.refresh_from_db()
    running.refresh_from_db()
    assert operation.state == Operation.State.CANCELLED
    assert running.release == before
    with pytest.raises(Conflict):
        services.cancel(cast.actor("developer"), operation)


def test_times_are_the_databases(pending: Operation) -> None:
    mine = claimed(pending)
    assert Operation.objects.filter(pk=mine.pk, lease_until__gt=Now()).exists()
    assert Operation.objects.filter(pk=mine.pk, deadline_at__gt=Now()).exists()
