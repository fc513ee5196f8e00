"""Links that are signed, so that a made-up one costs no query, and kept only as a digest."""

import hashlib
import secrets

from django.core import signing

from core.errors import NotFound
from core.secrets import Secret
from tenants.models import Invitation

SALT = "berth.invitation"


def new_link() -> tuple[Secret, str]:
    """(the text for the link, the digest to keep)."""
    text = signing.dumps(secrets.token_urlsafe(24), salt=SALT)
    return Secret(text), digest_of(text)


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def invitation_of(text: str) -> Invitation:
    """Whose link it is, used and over ones too. Raises NotFound for a link that we never made."""
    try:
        signing.loads(text, salt=SALT)
    except signing.BadSignature:
        raise NotFound() from None
    rows = Invitation.objects.select_related("tenant", "project__tenant", "invited_by")
    found = rows.filter(digest=digest_of(text)).first()
    if found is None:
        raise NotFound()
    return found
