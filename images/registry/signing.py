"""The tokens that the registry believes: signed with a key of ours, good for five minutes and for what they name."""

import base64
import hashlib
import secrets
import time
from collections.abc import Iterable
from functools import lru_cache

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from images.registry.scopes import Scope

LIFE_SECONDS = 300
SLACK_SECONDS = 10  # that the registry's clock may be behind ours
ALGORITHM = "ES256"


def issue(subject: str, access: Iterable[Scope], *, seconds: int = LIFE_SECONDS) -> str:
    """A token for what is named in `access`; `subject` comes back in what the registry tells of its use."""
    key, name = _key(settings.REGISTRY["key"])
    now = int(time.time())
    claims = {
        "iss": settings.REGISTRY["issuer"],
        "aud": settings.REGISTRY["service"],
        "sub": subject,
        "iat": now,
        "nbf": now - SLACK_SECONDS,
        "exp": now + seconds,
        "jti": secrets.token_urlsafe(16),
        "access": [one.as_claim() for one in access],
    }
    return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": name})


def public_key() -> EllipticCurvePublicKey:
    """By which it is seen that a token is ours."""
    return _key(settings.REGISTRY["key"])[0].public_key()


@lru_cache(maxsize=4)
def _key(text: str) -> tuple[EllipticCurvePrivateKey, str]:
    key = load_pem_private_key(text.encode(), password=None)
    if not isinstance(key, EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise ImproperlyConfigured("REGISTRY_KEY is not a private key on the curve P-256.")
    return key, key_name(key)


def key_name(key: EllipticCurvePrivateKey) -> str:
    """How the registry calls the key: the first 240 bits of its hash in Base32, in groups of four."""
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    text = base64.b32encode(hashlib.sha256(public).digest()[:30]).decode()
    return ":".join(text[at : at + 4] for at in range(0, len(text), 4))
