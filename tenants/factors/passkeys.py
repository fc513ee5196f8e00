"""Passkeys: what the browser is asked, and whether its answer is right.

A challenge is sealed into the page, not kept: asking writes nothing. It works once, since a passkey takes no challenge
that is not newer than the last one it answered.
"""

import ipaddress
import json
import struct
from typing import Any

from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import FieldProblem, Invalid
from tenants.factors.sealed import opened, seal
from tenants.factors.selectors import Kind
from tenants.models import User

SIGN_IN, ADD = "passkey sign-in", "passkey add"
LONGEST = 20_000  # characters of an answer; real ones have 1000 to 3000
# an answer that is not what an answer looks like
RUBBISH = (
    ValidationError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    struct.error,
    OverflowError,
    RecursionError,
)


def work_at(request: HttpRequest) -> bool:
    """Browsers want a name, not a number, and https, or else localhost."""
    from tenants.factors.adapter import host_of

    host = host_of(request)
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return request.is_secure() or host == "localhost" or host.endswith(".localhost")
    return False


def ask(request: HttpRequest) -> dict[str, Any]:
    """What the browser is to be asked for a sign-in: any passkey for this host, so that no name is needed."""
    from fido2.webauthn import UserVerificationRequirement as Verification

    return _asked(request, SIGN_IN, lambda _auth, server: server.authenticate_begin([], Verification.REQUIRED))


def ask_new(request: HttpRequest, user: User) -> dict[str, Any]:
    """Likewise for a new passkey of this person."""
    from fido2.webauthn import ResidentKeyRequirement, UserVerificationRequirement

    def begin(auth: Any, server: Any) -> Any:
        return server.register_begin(
            user=auth.build_user_payload(user),
            credentials=auth.get_credentials(user),
            resident_key_requirement=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        )

    return _asked(request, ADD, begin, user=str(user.pk))


def _asked(request: HttpRequest, purpose: str, begin: Any, **more: Any) -> dict[str, Any]:
    from allauth.core import context
    from allauth.mfa.webauthn.internal import auth

    with context.request_context(request):
        options, state = begin(auth, auth.get_server())
    return {"options": dict(options), "challenge": seal(purpose, state=state, **more)}


def person_of(request: HttpRequest, credential: str, challenge: str) -> User | None:
    """Whose passkey answered the challenge; None for whatever is not a right answer."""
    asked = opened(SIGN_IN, challenge)
    if asked is None or len(credential) > LONGEST:
        return None
    try:
        user, row, count = _verified(request, json.loads(credential), asked["state"])
    except RUBBISH:
        return None
    return user if user.is_active and user.source == "local" and _used(row, asked["at"], count) else None


def shown_as(credential: str) -> str:
    """By what failures of an answer are counted: the passkey it names."""
    try:
        return f"passkey {json.loads(credential)['id']}"[:100]
    except RUBBISH:
        return "passkey"


def _verified(request: HttpRequest, answer: Any, state: Any) -> tuple[User, Authenticator, int]:
    """Person, passkey and its counter. Raises one of RUBBISH."""
    from allauth.core import context
    from allauth.mfa.webauthn.internal import auth

    with context.request_context(request):
        user: Any = auth.extract_user_from_response(answer)
        found = auth.get_server().authenticate_complete(state, auth.get_credentials(user), answer)
        row = auth.get_authenticator_by_credential_id(user, found.credential_id)
        counter = auth.parse_authentication_response(answer).response.authenticator_data.counter
    if row is None:
        raise ValueError("no such passkey")
    return user, row, counter


def _used(row: Authenticator, at: float, count: int) -> bool:
    """Note the use; False where the challenge was answered before, or the key counts backwards: then it is a copy."""
    with transaction.atomic():
        kept = Authenticator.objects.select_for_update().filter(pk=row.pk).first()
        if kept is None or at <= kept.data.get("last", 0):
            return False
        if (count or kept.data.get("count", 0)) and count <= kept.data.get("count", 0):
            return False
        kept.data |= {"last": at, "count": count}
        kept.last_used_at = timezone.now()
        kept.save(update_fields=["data", "last_used_at"])
    return True


def made(request: HttpRequest, user: User, credential: str, challenge: str) -> dict[str, Any]:
    """The row's data of a new passkey, without a name. Raises Invalid."""
    from allauth.core import context
    from allauth.mfa.webauthn.internal import auth

    from tenants.factors.adapter import host_of

    asked = opened(ADD, challenge)
    if asked is None or asked["user"] != str(user.pk) or len(credential) > LONGEST:
        raise _refused()
    try:
        answer = json.loads(credential)
        with context.request_context(request):
            found = auth.get_server().register_complete(asked["state"], answer)
        kept = {"id": answer["id"], "rawId": answer["rawId"], "type": answer["type"]}
        response = {name: answer["response"][name] for name in ("clientDataJSON", "attestationObject")}
    except RUBBISH:
        raise _refused() from None
    return {"credential": kept | {"response": response}, "host": host_of(request), "count": found.counter}


def known(user: User, data: dict[str, Any]) -> bool:
    """Whether this passkey is among somebody's already."""
    mine = Authenticator.objects.filter(user=user.pk, type=Kind.WEBAUTHN)
    return any(row.data["credential"]["id"] == data["credential"]["id"] for row in mine)


def _refused() -> Invalid:
    text = _("The answer of the browser is too old or not right. Begin again.")
    return Invalid(errors=[FieldProblem("credential", "wrong", text)])
