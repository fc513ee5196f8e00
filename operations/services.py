"""The life of an operation: enqueue, claim, step, settle. Every write after the claim is fenced."""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, models, transaction
from django.db.models import F, Max, Q, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from audit.commands import command
from audit.models import AuditEntry
from audit.services import Line, record, register_action
from core.access import Actor, places_of
from core.clock import from_now
from core.errors import Conflict
from operations.changes import announce
from operations.models import Operation, OperationEvent
from operations.registry import HANDLERS, LOST_RIGHT, SETTLED, Wait, long_kinds
from operations.wakeup import wake

log = logging.getLogger(__name__)
LEASE = timedelta(seconds=60)
CRASHES_BEFORE_ATTENTION = 5
WORKER = f"{socket.gethostname()}:{os.getpid()}"
State = Operation.State


class Fenced(Exception):
    """Another worker has taken over: this one must not write any more."""


def enqueue(
    actor: Actor,
    kind: str,
    *,
    target: models.Model | None,
    target_key: str,
    target_name: str,
    params: dict[str, Any],
) -> Operation:
    """Write the operation in the caller's transaction and wake a worker once it is committed.

    Raises Conflict, with the id of the one in the way, while another operation on `target_key` is active.
    """
    tenant, project = places_of(target)
    operation = Operation(
        kind=kind,
        tenant_id=tenant,
        project_id=project,
        target=target_key,
        target_name=target_name,
        params=params,
        deadline_at=from_now(timedelta(seconds=HANDLERS[kind].deadline_seconds)),
        requested_by=actor.id,
        requested_by_name=actor.name,
        request_id=actor.request_id,
    )
    register_action(kind)
    try:
        with transaction.atomic():
            operation.save(force_insert=True)
    except IntegrityError:
        raise busy(target_key) from None
    operation.refresh_from_db()
    _write_event(operation, 1, "accepted")
    transaction.on_commit(lambda: wake(operation.pk, long=operation.kind in long_kinds()), robust=True)
    return operation


def busy(target_key: str) -> Conflict:
    """The 409 of a second operation on the same target."""
    other = Operation.objects.filter(target=target_key, state__in=Operation.ACTIVE).first()
    return Conflict(
        _("Another operation on this is still running."),
        code="operation_active",
        hint=_("Wait until it ends, or cancel it."),
        extra={"operation": str(other.pk)} if other else {},
    )


def claimable() -> QuerySet[Operation]:
    """Active rows that no worker holds and whose time has come."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=Now())
    due = Q(not_before__isnull=True) | Q(not_before__lte=Now())
    return Operation.objects.filter(free & due, state__in=Operation.ACTIVE)


def claim(operation_id: Any) -> Operation | None:
    """Take the lease and the next fence by one conditional UPDATE; None where another has it or it is over."""
    taken = (
        claimable()
        .filter(pk=operation_id)
        .update(
            state=State.RUNNING,
            lease_owner=WORKER,
            lease_until=from_now(LEASE),
            fence=F("fence") + 1,
            attempt=F("attempt") + 1,
            not_before=None,
        )
    )
    if not taken:
        return None
    operation = Operation.objects.annotate(overdue=_overdue()).get(pk=operation_id)
    if operation.started_at is None:
        _mine(operation).update(started_at=Now())
    return operation


def _overdue() -> Combinable:
    return models.ExpressionWrapper(Q(deadline_at__lt=Now()), output_field=models.BooleanField())


def _mine(operation: Operation) -> QuerySet[Operation]:
    """The row while our fence holds; a worker that lost its lease matches nothing."""
    return Operation.objects.filter(pk=operation.pk, state=State.RUNNING, fence=operation.fence)


@contextmanager
def fenced(operation: Operation) -> Iterator[None]:
    """A transaction that only a worker which still holds the lease can commit; renews the lease."""
    with transaction.atomic():
        if not _mine(operation).update(lease_until=from_now(LEASE)):
            raise Fenced()
        yield


def pause(operation: Operation, wait: Wait) -> None:
    """Give the lease back until the wait is over, and say what is being waited for."""
    with fenced(operation):
        _mine(operation).update(
            lease_until=None,
            attempt=0,
            not_before=from_now(timedelta(seconds=wait.seconds)),
            step=wait.step or operation.step,
        )
        if wait.code:
            emit_if_new(operation, wait)


def begin(operation: Operation, step: str, code: str, params: dict[str, Any] | None = None) -> None:
    """Say that a step has begun, without giving the lease back: the same worker goes on with it."""
    with fenced(operation):
        operation.step = step
        _mine(operation).update(step=step)
        emit(operation, code, params)


def fail(operation: Operation, code: str, params: dict[str, Any] | None = None) -> None:
    """Note why it cannot succeed; from now on it is undone. The first reason stands."""
    with fenced(operation):
        operation.failure = {"code": code, "params": params or {}}
        _mine(operation).update(failure=operation.failure, deadline_at=from_now(timedelta(minutes=5)))
        emit(operation, code, params, level="bad")


def settle(operation: Operation, state: str) -> None:
    """End it once: row, audit entry, last event and what the handler keeps, in one transaction."""
    with fenced(operation):
        _mine(operation).update(state=state, lease_until=None, ended_at=Now())
        operation.state = state
        handler = HANDLERS.get(operation.kind)
        if handler is not None:
            handler.settled(operation)
        level = "ok" if state == State.SUCCEEDED else "warn" if state == State.CANCELLED else "bad"
        emit(operation, state, _last_words(operation, state), level=level)
        _record_end(operation, state)
        for tell in SETTLED:
            tell(operation)


def _last_words(operation: Operation, state: str) -> dict[str, Any]:
    if state == State.ATTENTION:
        return {"times": operation.attempt}
    if state != State.CANCELLED or operation.failure is None:
        return {}
    return operation.failure["params"] if operation.failure["code"] == "cancelled" else {"person": "Berth"}


def _record_end(operation: Operation, state: str) -> None:
    actor = Actor(operation.requested_by, operation.requested_by_name, request_id=operation.request_id)
    line = Line(
        register_action(operation.kind),
        tenant_id=operation.tenant_id,
        project_id=operation.project_id,
        target_kind="operation",
        target_id=str(operation.pk),
        target_name=operation.target_name,
        detail={"state": state} | ({"failure": operation.failure} if operation.failure else {}),
        operation_id=operation.pk,
    )
    done = state == State.SUCCEEDED
    denied = operation.failure is not None and operation.failure["code"] == LOST_RIGHT
    result = AuditEntry.Result.DENIED if denied else AuditEntry.Result.DONE if done else AuditEntry.Result.FAILED
    record(actor, line, result=result)


def emit(operation: Operation, code: str, params: dict[str, Any] | None = None, *, level: str = "info") -> None:
    """Write an event and ring; call it inside a transaction that holds the operation's row."""
    last = operation.events.aggregate(last=Max("seq"))["last"] or 0
    _write_event(operation, last + 1, code, params, level=level)


def _write_event(
    operation: Operation, number: int, code: str, params: dict[str, Any] | None = None, *, level: str = "info"
) -> None:
    OperationEvent.objects.create(
        operation=operation, seq=number, step=operation.step, level=level, code=code, params=params or {}
    )
    kind = "upkeep" if operation.tenant_id is None else "operation"
    announce(kind, operation.pk, tenant=operation.tenant_id, project=operation.project_id)


def emit_if_new(operation: Operation, wait: Wait) -> None:
    last = operation.events.order_by("-seq").first()
    params = wait.params or {}
    if last is None or (last.code, last.params) != (wait.code, params):
        operation.step = wait.step or operation.step
        emit(operation, wait.code, params, level=wait.level)


def needs_cancel(operation: Operation) -> tuple[str, ...]:
    """As for what it does: who may not change production may not stop a change of it either."""
    return tuple(operation.params["needs"])


@command("operation.cancel", permission=needs_cancel, even_closed=True)
def cancel(actor: Actor, operation: Operation) -> Operation:
    """Ask a running operation to stop and go back. What has ended already is a conflict."""
    asked = Operation.objects.filter(pk=operation.pk, state__in=Operation.ACTIVE, cancel_requested=False).update(
        cancel_requested=True, not_before=None
    )
    if not asked:
        raise Conflict(_("It has ended already, or is being cancelled."), code="not_cancellable")
    emit(operation, "cancel_asked", {"person": actor.name}, level="warn")
    transaction.on_commit(lambda: wake(operation.pk, long=operation.kind in long_kinds()), robust=True)
    operation.refresh_from_db()
    return operation
