"""Who asks: the signed-in person as an actor, the language they read, and where they were last."""

import zoneinfo
from collections.abc import Callable
from dataclasses import replace
from datetime import tzinfo

from django.contrib.auth import logout
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from core.access import NOBODY, Actor, Rights
from tenants import recent
from tenants.identity import recheck
from tenants.models import Token, User
from tenants.rights import rights_of

Answer = Callable[[HttpRequest], HttpResponse]


def actor_for(request: HttpRequest, user: User | AnonymousUser | None, token: Token | None = None) -> Actor:
    """The actor of a request, with what the audit wants to know of where it comes from."""
    known = user if isinstance(user, User) and user.is_active else None
    rights = rights_of(known, token) if known else NOBODY.rights
    made = actor_with(request, known, rights, kind="token" if token else "person" if known else "nobody")
    return replace(made, token=token.id) if token else made


def actor_with(request: HttpRequest, known: User | None, rights: Rights, *, kind: str) -> Actor:
    """As `actor_for`, with rights that were found out elsewhere."""
    return Actor(
        id=known.pk if known else None,
        name=known.get_username() if known else "",
        rights=rights,
        kind=kind,
        address=request.META.get("REMOTE_ADDR", ""),
        client=request.headers.get("User-Agent", ""),
        request_id=getattr(request, "request_id", ""),
        session=request.session.session_key or "" if hasattr(request, "session") else "",
    )


def actor(get_response: Answer) -> Answer:
    def answer(request: HttpRequest) -> HttpResponse:
        user = request.user
        # the lazy user is resolved here, so that isinstance sees the real class
        known = getattr(user, "_wrapped", user) if user.is_authenticated else None
        if known is not None and not recheck.lets_in(known):
            logout(request)
            known = None
        request.actor = actor_for(request, known)  # type: ignore[attr-defined]  # ours
        if known is not None:
            request.session.note_seen()  # type: ignore[attr-defined]  # ours  # of tenants/sessions.py
        response = get_response(request)
        if known is not None and response.status_code == 200:
            recent.note(request, known)
        return response

    return answer


def language(get_response: Answer) -> Answer:
    """The profile's language, else the cookie's, else what the browser asks for; times in the profile's zone."""

    def answer(request: HttpRequest) -> HttpResponse:
        chosen = getattr(request.user, "language", "") or translation.get_language_from_request(request)
        with translation.override(chosen), timezone.override(zone_of(request.user)):
            request.LANGUAGE_CODE = translation.get_language()  # as LocaleMiddleware does
            response = get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language() or "en")
        return response

    return answer


def zone_of(user: object) -> tzinfo | None:
    """The person's time zone; None, the server's own, where they have none or this machine does not know it."""
    name = getattr(user, "time_zone", "")
    try:
        return zoneinfo.ZoneInfo(name) if name else None
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return None
