"""What somebody gave to reach a cluster, between two steps of a form: encrypted, theirs alone, and not for long."""

import json

from cryptography.fernet import InvalidToken

from core.access import Actor
from core.secrets import ring

SECONDS = 30 * 60
_FOR = "cluster"


def sealed(actor: Actor, given: dict[str, str]) -> str:
    """Text that stands in a page and tells nobody anything; empty of nothing."""
    if not given:
        return ""
    return ring().encrypt(json.dumps([_FOR, str(actor.id), given]).encode()).decode()


def opened(actor: Actor, text: str) -> dict[str, str]:
    """What was sealed; nothing where it is somebody else's, too old, or none."""
    try:
        purpose, whose, given = json.loads(ring().decrypt(text.encode(), ttl=SECONDS))
    except (InvalidToken, ValueError, TypeError):
        return {}
    return given if (purpose, whose) == (_FOR, str(actor.id)) and isinstance(given, dict) else {}
