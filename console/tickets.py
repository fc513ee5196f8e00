"""Tickets: what lets one person, from one session or token, join one console once. Kept as hashes only."""

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.db.models.functions import Now

from console.models import ConsoleSession
from core.access import Actor
from core.errors import NotSignedIn
from tenants.models import Token

VALID_SECONDS = 30
VALID = timedelta(seconds=VALID_SECONDS)


@dataclass(frozen=True)
class Binding:
    """Who somebody is, by what they are signed in, and from where. A ticket fits no other."""

    person: uuid.UUID
    session_hash: str
    token_id: str
    address: str


def binding_of(actor: Actor, token: Token | None) -> Binding:
    """Raises NotSignedIn for an actor that is no person."""
    if actor.id is None:
        raise NotSignedIn()
    session = "" if token else hashed(actor.session)
    return Binding(actor.id, session, str(token.id) if token else "", actor.address[:64])


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def new_text() -> str:
    return secrets.token_urlsafe(32)


def redeem(console_id: uuid.UUID, text: str, *, binding: Binding) -> ConsoleSession | None:
    """The console, if this ticket is for it, for this person, not used and not over. It is used by that."""
    mine = ConsoleSession.objects.filter(
        pk=console_id,
        person_id=binding.person,
        session_hash=binding.session_hash,
        token_id=binding.token_id,
        address=binding.address,
    )
    fits = mine.filter(ticket_hash=hashed(text), ticket_until__gt=Now(), state__in=ConsoleSession.LIVE, end_asked=False)
    if not fits.update(ticket_hash="", ticket_until=None):
        return None
    return mine.select_related("place__environment__cluster", "place__app", "place__project").first()
