"""Who asks: the signed-in person as an actor, and the language they read."""

from collections.abc import Callable

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from core.access import NOBODY, Actor
from tenants.models import Token, User
from tenants.rights import rights_of

Answer = Callable[[HttpRequest], HttpResponse]


def actor_for(request: HttpRequest, user: User | AnonymousUser | None, token: Token | None = None) -> Actor:
    """The actor of a request, with what the audit wants to know of where it comes from."""
    known = user if isinstance(user, User) and user.is_active else None
    return Actor(
        id=known.pk if known else None,
        name=known.get_username() if known else "",
        rights=rights_of(known, token) if known else NOBODY.rights,
        kind="token" if token else "person" if known else "nobody",
        address=request.META.get("REMOTE_ADDR", ""),
        client=request.headers.get("User-Agent", ""),
        request_id=getattr(request, "request_id", ""),
        session=request.session.session_key or "" if hasattr(request, "session") else "",
    )


def actor(get_response: Answer) -> Answer:
    def answer(request: HttpRequest) -> HttpResponse:
        user = request.user
        # the lazy user is resolved here, so that isinstance sees the real class
        request.actor = actor_for(request, getattr(user, "_wrapped", user) if user.is_authenticated else None)  # type: ignore[attr-defined]
        return get_response(request)

    return answer


def language(get_response: Answer) -> Answer:
    """The profile's language, else the cookie's, else what the browser asks for."""

    def answer(request: HttpRequest) -> HttpResponse:
        chosen = getattr(request.user, "language", "") or translation.get_language_from_request(request)
        with translation.override(chosen):
            request.LANGUAGE_CODE = translation.get_language()  # as LocaleMiddleware does
            response = get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language() or "en")
        return response

    return answer
