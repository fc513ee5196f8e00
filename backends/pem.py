"""Certificates and keys as people paste them: whether they are any, and belong together, before anybody is called."""

from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from backends.contract import Unusable, UnusableError


def check_authority(text: str, *, field: str) -> None:
    """Errors: BAD_TEXT, EXPIRED. An empty one is the machine's own list."""
    if text:
        _usable(text, field=field)


def check_pair(certificate: str, key: str, *, fields: tuple[str, str]) -> None:
    """Errors: BAD_TEXT, EXPIRED, NOT_A_PAIR."""
    found = _usable(certificate, field=fields[0])
    try:
        private = load_pem_private_key(key.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise UnusableError(Unusable.BAD_TEXT, field=fields[1]) from error
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if private.public_key().public_bytes(*form) != found.public_key().public_bytes(*form):
        raise UnusableError(Unusable.NOT_A_PAIR)


def _usable(text: str, *, field: str) -> x509.Certificate:
    """The first certificate of a text."""
    try:
        found = x509.load_pem_x509_certificates(text.encode())[0]
    except ValueError as error:
        raise UnusableError(Unusable.BAD_TEXT, field=field) from error
    if found.not_valid_after_utc < datetime.now(UTC):
        raise UnusableError(Unusable.EXPIRED, field=field, day=f"{found.not_valid_after_utc:%Y-%m-%d}")
    return found
