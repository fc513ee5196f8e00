"""Codes that somebody types: of their app, or a recovery code. Each is accepted once."""

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.utils import timezone

from core.access import Actor
from core.errors import PortalError
from core.secrets import Secret
from tenants.factors import services
from tenants.factors.selectors import Kind
from tenants.models import User


def accepted(actor: Actor, user: User, code: str) -> str:
    """ "code" or "recovery code" as which it was accepted; empty where it is neither. `actor` is that person."""
    if _of_app(user, code):
        return "code"
    if not _is_recovery_code(user, code):
        return ""
    try:
        services.spend_code(actor, user, code=Secret(code))
    except PortalError:
        return ""  # spent by somebody who was faster; the refusal is on record
    return "recovery code"


def _of_app(user: User, code: str) -> bool:
    """Only a later code than the last one that was accepted, so that nobody can use one they saw."""
    from allauth.mfa.utils import decrypt

    with transaction.atomic():
        row = Authenticator.objects.select_for_update().filter(user=user.pk, type=Kind.TOTP).first()
        if row is None:
            return False
        step = step_of(decrypt(row.data["secret"]), code)
        if step is None or step <= row.data.get("last", 0):
            return False
        row.data["last"] = step
        row.last_used_at = timezone.now()
        row.save(update_fields=["data", "last_used_at"])
    return True


def step_of(secret: str, code: str) -> int | None:
    """The half minute whose code this is: the present one, the one before or the one after. None for a wrong code."""
    from allauth.core.internal.cryptokit import compare_user_code
    from allauth.mfa.totp.internal import auth

    steps: list[int] = list(auth.yield_hotp_counters_from_time())
    for step in steps:
        if compare_user_code(actual=code, expected=auth.format_hotp_value(auth.hotp_value(secret, step))):
            return step
    return None


def _is_recovery_code(user: User, code: str) -> bool:
    from allauth.core.internal.cryptokit import compare_user_code

    row = Authenticator.objects.filter(user=user.pk, type=Kind.RECOVERY_CODES).first()
    left = row.wrap().get_unused_codes() if row else []
    return any([compare_user_code(actual=code, expected=one) for one in left])  # noqa: C419  all are looked at
