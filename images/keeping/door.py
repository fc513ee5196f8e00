"""What Berth asks of the gate in front of the registry itself: how it stands, and to tidy up."""

from dataclasses import dataclass
from typing import Any

import orjson

from images.registry import client

MISSING, BUSY = 404, 409


@dataclass(frozen=True)
class Report:
    """`state`: waiting, running, done or failed. `freed` and `left` in bytes."""

    state: str
    freed: int = 0
    layers: int = 0
    left: int = 0
    said: str = ""


class Refused(Exception):
    """`status`: MISSING where no gate answers, BUSY where it cannot be done now."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def begin(name: str) -> Report:
    """Begin, or hear of what was begun under this name."""
    return _report(_ask("POST", f"/gate/collect/{name}"))


def stop(name: str) -> None:
    _ask("DELETE", f"/gate/collect/{name}")


def is_there() -> bool:
    """Whether a gate stands there."""
    return "closed" in _standing()


def is_closed() -> bool:
    """Whether it takes nothing new for now, since the registry is tidied up."""
    return bool(_standing().get("closed"))


def _standing() -> dict[str, Any]:
    try:
        return _ask("GET", "/gate")
    except Refused:
        return {}


def _report(told: dict[str, Any]) -> Report:
    numbers = {name: int(told.get(name) or 0) for name in ("freed", "layers", "left")}
    return Report(str(told.get("state", "")), said=str(told.get("said", ""))[:200], **numbers)


def _ask(method: str, address: str) -> dict[str, Any]:
    status, told = client.gate(method, address)
    if status >= 500:
        raise client.away()
    if status != 200:
        raise Refused(BUSY if status == BUSY else MISSING)
    return _document(told)


def _document(told: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(told)
    except orjson.JSONDecodeError:
        raise Refused(MISSING) from None
    if not isinstance(found, dict):
        raise Refused(MISSING)
    return found
