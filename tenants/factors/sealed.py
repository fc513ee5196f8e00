"""What a form brings back to us and nobody else can read, make or change: it saves strangers a row in the database."""

import json
from typing import Any

from cryptography.fernet import InvalidToken

from core.clock import database_now
from core.secrets import ring

LIFE_SECONDS = 300


def seal(purpose: str, **document: Any) -> str:
    """Text that `opened` understands for five minutes, by the database's clock."""
    inside = document | {"purpose": purpose, "at": database_now().timestamp()}
    return ring().encrypt(json.dumps(inside).encode()).decode()


def opened(purpose: str, text: str) -> dict[str, Any] | None:
    """What was sealed for this purpose, with `at` in seconds; None where it is too old or not ours."""
    try:
        inside: dict[str, Any] = json.loads(ring().decrypt(text.encode()))
    except (InvalidToken, ValueError):
        return None
    if inside["purpose"] != purpose or database_now().timestamp() - inside["at"] > LIFE_SECONDS:
        return None
    return inside
