"""From what the API says to a DriverError: pure functions over its Status objects."""

import re
from collections.abc import Mapping
from typing import Any

import orjson

from backends.contract import DriverError, Reason, ReasonCode
from backends.failing import shortened

_SLOW = {"Timeout", "ServerTimeout", "TooManyRequests"}
_NOT_YET = ("being terminated", "object is being deleted")  # what is on its way out comes back under the same name soon
_NOT_DECLARED = "field not declared in schema"  # told with the number of a server's fault, though it is ours


class RefusedError(DriverError):
    """The API answered with an error. `status` and `why` (its word) are for the driver; callers look at `reason`."""

    def __init__(self, reason: Reason, *, status: int, why: str, said: str, permanent: bool) -> None:
        super().__init__(reason, permanent=permanent)
        self.status = status
        self.why = why
        self.said = said


def refused(status: int, body: bytes) -> RefusedError:
    why, said = _told(body)
    code = _code(status, why, said)
    ours = 400 <= status < 500 or _NOT_DECLARED in said
    permanent = code == ReasonCode.ENGINE_REFUSED and ours
    return RefusedError(Reason(code, {"said": shortened(said)}), status=status, why=why, said=said, permanent=permanent)


def _code(status: int, why: str, said: str) -> ReasonCode:
    if why in _SLOW or status in {429, 504}:
        return ReasonCode.ENGINE_SLOW
    if why == "Conflict" or any(text in said for text in _NOT_YET):
        return ReasonCode.CONFLICT
    if status in {502, 503}:
        return ReasonCode.ENGINE_AWAY
    return ReasonCode.ENGINE_REFUSED


def _told(body: bytes) -> tuple[str, str]:
    """The word and the sentence of a Status; of anything else its text."""
    try:
        status: Mapping[str, Any] = orjson.loads(body)
        return str(status.get("reason", "")), str(status["message"])
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return "", body.decode(errors="replace") or "no word of why"


_ADMISSION = re.compile(r"exceeded quota|failed quota|maximum \S+ usage per")
_RULES = re.compile(r"is forbidden|is invalid|denied the request")
#: forbidden only until its own controllers have caught up, as after a restart or in a new namespace
_PASSING = re.compile(r"status unknown for quota|looking up service account|being terminated")


def creation_reason(said: str, *, service: str) -> Reason | None:
    """Why the engine may not make an instance: a quota, or a rule. None: it merely failed, and is tried again, as when
    a part of the engine was away.
    """
    if not _RULES.search(said) or _PASSING.search(said):
        return None
    code = ReasonCode.QUOTA_EXCEEDED if _ADMISSION.search(said) else ReasonCode.NOT_ALLOWED
    return Reason(code, {"service": service, "said": shortened(said)})
