"""The picture that an app scans. Its secret is kept nowhere until a code has shown that the app has it."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.safestring import SafeString, mark_safe

from core.secrets import Secret
from tenants.factors.sealed import opened, seal
from tenants.models import User

PURPOSE = "app"


@dataclass(frozen=True)
class Offer:
    """`picture`: an SVG; `secret`: the same in letters, in groups of four; `sealed`: for the form to bring back."""

    picture: SafeString
    secret: str
    url: str
    sealed: str


def offer(request: HttpRequest, user: User, secret: Secret | None = None) -> Offer:
    """A new secret, or the one that was shown already."""
    from allauth.core import context
    from allauth.mfa.adapter import get_adapter
    from allauth.mfa.totp.internal.auth import generate_totp_secret

    text = secret.reveal() if secret else generate_totp_secret()
    adapter = get_adapter()
    with context.request_context(request):
        url = adapter.build_totp_url(user, text)
    drawing = adapter.build_totp_svg(url).partition("?>")[2]
    groups = " ".join(text[at : at + 4] for at in range(0, len(text), 4))
    sealed = seal(PURPOSE, secret=text, user=str(user.pk))
    return Offer(mark_safe(drawing), groups, url, sealed)  # noqa: S308  of numbers only, drawn by the library


def secret_of(user: User, sealed: str) -> Secret | None:
    """The secret that was shown to this person; None where that is too long ago."""
    found = opened(PURPOSE, sealed)
    return Secret(found["secret"]) if found and found["user"] == str(user.pk) else None
