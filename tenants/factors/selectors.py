"""Which second factors somebody has."""

import uuid
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from django.utils.translation import gettext as _

from core.errors import NotFound
from tenants.models import User

Kind = Authenticator.Type
FACTORS = (Kind.TOTP, Kind.WEBAUTHN)  # recovery codes stand in for one of these; alone they are none
OURS = uuid.UUID("b0e6f4a2-5d0c-5a5e-8f55-27d0c0b4a7d1")


@dataclass(frozen=True)
class Factor:
    """One factor as pages and the API show it. `host`: where a passkey works."""

    id: uuid.UUID
    kind: str
    name: str
    host: str
    created_at: datetime
    last_used_at: datetime | None


def public_id(row: Authenticator) -> uuid.UUID:
    """What a factor is known by; its own number would tell how many there are."""
    return uuid.uuid5(OURS, str(row.pk))


def keeps_factors(user: User) -> bool:
    """Whether this person's factors are kept here: not those of Keystone's people, who have them there."""
    return str(user.source) == "local"


def protected(user: User) -> bool:
    """Whether a password alone does not let this person in."""
    return bool(Authenticator.objects.filter(user=user.pk, type__in=FACTORS).exists())


def kinds_of(user_id: str) -> set[str]:
    """The kinds of somebody's factors."""
    return set(Authenticator.objects.filter(user=user_id, type__in=FACTORS).values_list("type", flat=True))


def rows(user: User, *kinds: str) -> list[Authenticator]:
    return list(Authenticator.objects.filter(user=user.pk, type__in=kinds or FACTORS).order_by("type", "pk"))


def factors(user: User) -> list[Factor]:
    """The app first, then passkeys in the order they were added."""
    return [shown(row) for row in rows(user)]


def shown(row: Authenticator) -> Factor:
    name = row.data["name"] if row.type == Kind.WEBAUTHN else _("Authenticator app")
    host = row.data.get("host", "")
    return Factor(public_id(row), str(row.type), name, host, row.created_at, row.last_used_at)


def shown_factor(one: Factor) -> dict[str, Any]:
    return asdict(one)


def factor(user: User, factor_id: uuid.UUID) -> Authenticator:
    """One of somebody's own; another's is as missing as one that never was."""
    found = next((row for row in rows(user) if public_id(row) == factor_id), None)
    if found is None:
        raise NotFound()
    return found


def codes_left(user: User) -> int | None:
    """How many recovery codes can still be used; None where none were ever made."""
    row = Authenticator.objects.filter(user=user.pk, type=Kind.RECOVERY_CODES).first()
    return len(row.wrap().get_unused_codes()) if row else None
