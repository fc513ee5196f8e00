"""Stored codes as sentences: what went wrong and what to do about it, in the reader's language."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from backends.contract import ReasonCode
from core.status import Status
from operations.selectors import told

NOT_STARTING = {
    ReasonCode.IMAGE_NOT_FOUND,
    ReasonCode.IMAGE_DENIED,
    ReasonCode.REGISTRY_AWAY,
    ReasonCode.BAD_IMAGE,
    ReasonCode.COMMAND_NOT_FOUND,
    ReasonCode.NO_CAPACITY,
    ReasonCode.NO_SUITABLE_HOST,
    ReasonCode.PORT_TAKEN,
    ReasonCode.NOT_READY_IN_TIME,
}
CRASHING = {ReasonCode.CRASHING, ReasonCode.EXITED, ReasonCode.OUT_OF_MEMORY}


class Told(NamedTuple):
    sentence: str
    hint: str = ""


def failure_sentence(failure: Mapping[str, Any] | None) -> Told:
    """Sentence and next step of `{"code", "params"}`, whether an engine's reason or an operation's own word.

    Both are empty for None.
    """
    said = told(failure)
    return Told(said["message"], said["hint"]) if said else Told("")


def reason_status(reason: Mapping[str, Any] | None) -> Status | None:
    """What a service with this reason is; None where the reason says nothing of the service itself."""
    code = str((reason or {}).get("code", ""))
    if code in NOT_STARTING:
        return Status.NOT_STARTING
    if code in CRASHING:
        return Status.CRASHING
    return Status.UNHEALTHY if code == ReasonCode.UNHEALTHY else None
