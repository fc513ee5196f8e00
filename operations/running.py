"""One step of one operation: what a worker does with a claimed row."""

from typing import Any

from backends.contract import DriverError
from operations import services
from operations.leasing import lease_kept
from operations.models import Operation
from operations.registry import HANDLERS, LOST_RIGHT, StepFailed, Wait, may_still
from operations.services import State

AWAY_SECONDS = 3.0


def run_step(operation: Operation) -> float | None:
    """Take one step and write what came of it. Answers the seconds until the next one, None when it is over."""
    try:
        return _run(operation)
    except services.Fenced:
        return None  # another worker goes on with it


def _run(operation: Operation) -> float | None:
    if operation.attempt > services.CRASHES_BEFORE_ATTENTION:
        services.settle(operation, State.ATTENTION)
        return None
    if operation.failure is None:
        _give_up_if_asked(operation)
    if operation.failure is None and not operation.step and not may_still(operation):
        services.fail(operation, LOST_RIGHT, {"person": operation.requested_by_name})
    with lease_kept(operation):
        wait = _undo(operation) if operation.failure is not None else _go_on(operation)
    if wait is None:
        services.settle(operation, _result(operation))
        return None
    services.pause(operation, wait)
    return wait.seconds


def _give_up_if_asked(operation: Operation) -> None:
    if operation.cancel_requested:
        asked = operation.events.filter(code="cancel_asked").order_by("-seq").first()
        services.fail(operation, "cancelled", asked.params if asked else {"person": ""})
    elif getattr(operation, "overdue", False):
        services.fail(operation, *_why_late(operation))


def _why_late(operation: Operation) -> tuple[str, dict[str, Any]]:
    """The last trouble it reported says more than the clock."""
    trouble = operation.events.filter(level__in=("warn", "bad")).order_by("-seq").first()
    return (trouble.code, trouble.params) if trouble else ("timed_out", {})


def _go_on(operation: Operation) -> Wait | None:
    try:
        return HANDLERS[operation.kind].step(operation)
    except StepFailed as failed:
        services.fail(operation, failed.code, failed.params)
    except DriverError as error:
        if not error.permanent:
            return _again(error)
        services.fail(operation, str(error.reason.code), dict(error.reason.params))
    return Wait(0.0)


def _undo(operation: Operation) -> Wait | None:
    try:
        return HANDLERS[operation.kind].undo(operation)
    except DriverError as error:
        if error.permanent or getattr(operation, "overdue", False):
            return None  # nothing more can be put back; the failure says why
        return _again(error)


def _again(error: DriverError) -> Wait:
    return Wait(AWAY_SECONDS, str(error.reason.code), dict(error.reason.params), level="warn")


def _result(operation: Operation) -> str:
    if operation.failure is None:
        return State.SUCCEEDED
    return State.CANCELLED if operation.failure["code"] in ("cancelled", LOST_RIGHT) else State.FAILED
