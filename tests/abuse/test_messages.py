"""Messages to workers: JSON, of known names, with nothing but an id. tests/faults/many/test_messages.py forges some."""

import pickle
import uuid
from typing import Any

import pytest
from kombu.exceptions import ContentDisallowed
from kombu.serialization import loads

from apps.models import AppEnvironment
from apps.services import restart
from audit.models import AuditEntry
from operations import tasks
from operations.models import Operation
from portal import celery
from tests.conftest import Cast

TASKS = {
    "operations.run",
    "operations.run_long",
    "operations.sweep",
    "operations.forget_answers",
    "operations.forget_changes",
    "apps.reconcile",
    "apps.tell_of_failing",
    "apps.tell_of_silence",
    "apps.forget_events",
    "apps.purge_projects",
    "images.keep_house",
    "images.lay_out",
    "images.look_after_scans",
    "images.deliver_webhooks",
    "images.forget_deliveries",
    "images.forget_builds",
    "images.forget_uploads",
    "images.look_at_registry",
    "images.recount_stored",
    "images.replicate",
    "images.take_in",
    "observe.forget",
    "console.sweep",
    "tenants.look_after",
    "tenants.look_after_loans",
    "tenants.tell_of_ends",
    "tenants.look_after_reviews",
    "tenants.recount_quota",
    "tenants.follow_keystone",
    "tenants.heed_disabled",
    "tenants.write_to_keystone",
}


def test_only_these_tasks_are_known() -> None:
    celery.app.loader.import_default_modules()
    assert {name for name in celery.app.tasks if not name.startswith("celery.")} == TASKS


@pytest.mark.parametrize("kind", ["pickle", "application/x-python-serialize", "yaml", "application/x-yaml", "msgpack"])
def test_nothing_but_json_is_read(kind: str) -> None:
    assert celery.app.conf.accept_content == ["json"]
    assert celery.app.conf.task_serializer == "json"
    with pytest.raises(ContentDisallowed):
        loads(pickle.dumps("x"), kind, "binary", accept={"application/json"})


def test_a_message_is_an_id(
    running: AppEnvironment, cast: Cast, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    sent: list[tuple[Any, ...]] = []
    monkeypatch.setattr("operations.wakeup.current_app.send_task", lambda *args, **named: sent.append((args, named)))
    with django_capture_on_commit_callbacks(execute=True):
        operation = restart(cast.actor("developer"), running)
    assert [args for args, _named in sent] == [("operations.run", (str(operation.pk),))]
    assert set(sent[0][1]) <= {"countdown", "ignore_result"}


def test_a_message_of_nothing_changes_nothing(running: AppEnvironment) -> None:
    before = (Operation.objects.count(), AuditEntry.objects.count())
    tasks.run_operation(str(uuid.uuid4()))
    assert (Operation.objects.count(), AuditEntry.objects.count()) == before


def test_a_message_about_what_is_over_changes_nothing(running: AppEnvironment) -> None:
    """Replayed as often as one likes: the row says that it is over."""
    operation = Operation.objects.get()
    before = (operation.fence, AuditEntry.objects.count())
    for _time in range(3):
        tasks.run_operation(str(operation.pk))
    operation.refresh_from_db()
    assert (operation.fence, AuditEntry.objects.count()) == before
