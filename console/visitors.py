"""Who knocks: a browser from our own pages with its session, or a program with its token.

A handshake costs one visit to the database and keeps nothing but the visitor: thousands of pages come back at once
after a restart, and then wait for hours.
"""

from collections.abc import Awaitable, Callable
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest
from django.http.request import split_domain_port, validate_host
from rest_framework.exceptions import AuthenticationFailed

from console.sockets import Receive, Scope, Send, Visitor
from core.access import Actor
from core.connections import keep_fresh
from tenants.authentication import BearerAuthentication
from tenants.models import Token, User
from tenants.rights import rights_of
from tenants.robots.keeping import stands_still
from tenants.robots.models import SOURCE as ROBOT

Application = Callable[[Scope, Receive, Send], Awaitable[None]]
NO_STRANGERS = 4401


def header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


class FromOurPages:
    """Browsers must come from one of our own pages. A program has no page: it shows a token, which no page can send.

    Strangers are turned away before anything is accepted: the handshake answers 403.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        visitor = await _visitor(scope)
        if visitor is None:
            await receive()
            await send({"type": "websocket.close", "code": NO_STRANGERS})
            return
        scope["visitor"], scope["headers"] = visitor, []  # nobody needs these any more; the socket may stay for hours
        await self._application(scope, receive, send)


async def _visitor(scope: Scope) -> Visitor | None:
    program = header(scope, b"authorization")
    if not _from_here(scope, required=not program):
        return None
    return await (_by_token(scope, program) if program else _by_session(scope))


def _from_here(scope: Scope, *, required: bool) -> bool:
    """Whether it comes from a page of ours, as Django asks of a form: same host and port, or a trusted origin."""
    origin, host = header(scope, b"origin"), header(scope, b"host")
    if not origin:
        return not required
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    try:
        netloc = urlsplit(origin).netloc
    except ValueError:
        return False
    return bool(netloc) and netloc == host and validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS)


def _actor(scope: Scope, user: User, token: Token | None, session: str) -> Actor:
    client: Any = scope.get("client") or ("", 0)
    return Actor(
        id=user.pk,
        name=user.get_username(),
        rights=rights_of(user, token),
        kind="token" if token else "person",
        address=client[0],
        client=header(scope, b"user-agent"),
        session=session,
        token=token.id if token else None,
    )


@sync_to_async
def _by_session(scope: Scope) -> Visitor | None:
    key = _session_key(header(scope, b"cookie"))
    if not key:
        return None
    keep_fresh()
    session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    user = get_user(cast(HttpRequest, SimpleNamespace(session=session)))
    if not isinstance(user, User) or not user.is_active:
        return None
    return Visitor(_actor(scope, user, None, key))


def _session_key(cookies: str) -> str:
    try:
        found = SimpleCookie(cookies).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return ""
    return found.value if found is not None else ""


@sync_to_async
def _by_token(scope: Scope, said: str) -> Visitor | None:
    scheme, _space, text = said.partition(" ")
    if scheme.lower() != "bearer" or not text.isascii():
        return None
    keep_fresh()
    try:
        user, token = BearerAuthentication().authenticate_credentials(text.strip().encode())
    except AuthenticationFailed:
        return None
    actor = _actor(scope, user, token, "")
    return None if user.source == ROBOT and stands_still(actor.rights) else Visitor(actor, token)
