"""How a receiver knows that a message is ours and new, as https://www.standardwebhooks.com describes it."""

import base64
import binascii
import hashlib
import hmac
import secrets
import uuid

from django.utils.translation import gettext as _

from core.errors import FieldProblem, Invalid
from core.secrets import Secret

PREFIX = "whsec_"
FEWEST, MOST = 24, 64  # bytes


def made_secret() -> Secret:
    return Secret(PREFIX + base64.b64encode(secrets.token_bytes(32)).decode())


def given_secret(text: str) -> Secret:
    """As it is kept. Raises Invalid where it is too short, or no Base64."""
    plain = text.strip().removeprefix(PREFIX)
    try:
        length = len(base64.b64decode(plain, validate=True))
    except (binascii.Error, ValueError):
        length = 0
    if not FEWEST <= length <= MOST:
        message = _("A secret is %(fewest)s to %(most)s bytes in Base64.") % {"fewest": FEWEST, "most": MOST}
        hint = _("`openssl rand -base64 32` makes one; or leave it out, and one is made for you.")
        raise Invalid(errors=[FieldProblem("secret", "bad_secret", message, hint)])
    return Secret(PREFIX + plain)


def headers(secret: Secret, message: uuid.UUID, *, at: int, body: bytes) -> dict[str, str]:
    """`at`: seconds since 1970 of this very try, so that a receiver can refuse what was caught and sent once more."""
    return {
        "webhook-id": str(message),
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{signature(secret, message, at=at, body=body)}",
    }


def signature(secret: Secret, message: uuid.UUID, *, at: int, body: bytes) -> str:
    key = base64.b64decode(secret.reveal().removeprefix(PREFIX))
    signed = f"{message}.{at}.".encode() + body
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
