"""What comes between a right password and being in: a code, or a new password. Kept in the session, encrypted."""

import json
import time
from dataclasses import asdict, dataclass
from typing import Any

from cryptography.fernet import InvalidToken
from django.http import HttpRequest

from core.secrets import ring

KEPT = "door"
LIFE_SECONDS = 300


@dataclass(frozen=True)
class Who:
    """A name as it was typed, with its organization."""

    username: str
    organization: str


@dataclass(frozen=True)
class Waiting:
    """Somebody whose password was right. `step` is “code” or “expired”; `key` the receipt or Keystone's user id."""

    step: str
    username: str
    organization: str
    key: str
    next: str = ""


def keep(request: HttpRequest, waiting: Waiting) -> None:
    """For five minutes; in a session of its own, so that nobody's earlier one is taken along."""
    request.session.flush()
    document = json.dumps(asdict(waiting) | {"until": time.time() + LIFE_SECONDS})
    request.session[KEPT] = ring().encrypt(document.encode()).decode()


def waiting_of(request: HttpRequest, step: str) -> Waiting | None:
    """Who waits at this step; None where nobody does, or waited for too long."""
    text = request.session.get(KEPT)
    if not text:
        return None
    try:
        document: dict[str, Any] = json.loads(ring().decrypt(str(text).encode()))
    except InvalidToken:
        return None
    if document.pop("until") < time.time() or document["step"] != step:
        return None
    return Waiting(**document)


def forget(request: HttpRequest) -> None:
    request.session.pop(KEPT, None)
