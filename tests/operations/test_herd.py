"""One tenant with thousands of operations: whoever else waits is not behind them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import AuditEntry
from operations import tasks
from operations.models import Operation
from operations.registry import HANDLERS, Wait
from tenants.models import Tenant
from tests.conftest import Cast, Wakeups

MANY = 5000
MOST_TURNS = 60  # that chance passes somebody over so often happens once in 10 to the 18


class Quick:
    """An operation of one step."""

    deadline_seconds = 60

    def step(self, operation: Operation) -> Wait | None:
        return None

    undo = step

    def settled(self, operation: Operation) -> None:
        """Nothing is kept."""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(HANDLERS, "test.quick", Quick())
    monkeypatch.setattr("operations.services.SETTLED", [])  # they look for the deployment, which there is none of


def waiting(tenant: Tenant, count: int) -> list[str]:
    """So many operations of a tenant that no worker has begun; their ids, the oldest first."""
    of_tenant = {"kind": "test.quick", "tenant_id": tenant.pk, "deadline_at": timezone.now() + timedelta(hours=1)}
    names = [f"{tenant.name}-{number}" for number in range(count)]
    rows = [Operation(target=name, target_name=name, **of_tenant) for name in names]
    Operation.objects.bulk_create(rows, batch_size=500)
    return [str(row.pk) for row in rows]


def state(operation: str) -> str:
    return Operation.objects.get(pk=operation).state


def test_nobody_is_behind_five_thousand_of_another(cast: Cast) -> None:
    """Messages come in the order they were sent in: the stranger's own is the last one."""
    messages, (other,) = waiting(cast.acme, MANY), waiting(cast.globex, 1)
    turns = 0
    while state(other) == "pending" and turns < MOST_TURNS:
        tasks.run_operation(messages[turns])
        turns += 1
    assert state(other) == "succeeded"
    assert Operation.objects.filter(tenant_id=cast.acme.pk, state="succeeded").count() == turns - 1


def test_nor_when_all_messages_are_lost(cast: Cast, wakeups: Wakeups) -> None:
    """The sweep wakes the oldest ones, which all are of the one."""
    noisy, (other,) = set(waiting(cast.acme, 500)), waiting(cast.globex, 1)
    Operation.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    Operation.objects.filter(pk=other).update(created_at=timezone.now() - timedelta(seconds=10))
    tasks.sweep()
    assert set(wakeups.ids) < noisy
    for message in wakeups.ids[:MOST_TURNS]:
        tasks.run_operation(message)
    assert state(other) == "succeeded"


def test_a_message_is_a_turn_and_none_is_lost(cast: Cast, wakeups: Wakeups) -> None:
    every = waiting(cast.acme, 30) + waiting(cast.globex, 20)
    wakeups.ids[:] = every
    wakeups.drain()
    assert Operation.objects.filter(state="succeeded").count() == len(every)
    done = AuditEntry.objects.filter(operation_id__in=every, result="done").values_list("operation_id", flat=True)
    assert len(done) == len(set(done)) == len(every)
