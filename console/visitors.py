"""Who knocks: a browser from our own pages with its session, or a program with its token."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from asgiref.sync import sync_to_async
from channels.auth import get_user
from channels.security.websocket import AllowedHostsOriginValidator
from channels.sessions import CookieMiddleware, SessionMiddleware
from rest_framework.exceptions import AuthenticationFailed

from console.sockets import Receive, Scope, Send, Visitor
from core.access import Actor
from core.connections import let_go
from tenants.authentication import BearerAuthentication
from tenants.models import Token, User
from tenants.rights import rights_of

Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


class FromOurPages:
    """Browsers must come from one of our own pages. A program has no page: it shows a token, which no page can send."""

    def __init__(self, application: Application) -> None:
        self._programs = application
        self._browsers = AllowedHostsOriginValidator(CookieMiddleware(SessionMiddleware(BySession(application))))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not header(scope, b"authorization"):
            await self._browsers(scope, receive, send)
            return
        visitor = None if header(scope, b"origin") and not _same_host(scope) else await _by_token(scope)
        await _admit(self._programs, visitor, scope, receive, send)


class BySession:
    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        user = await get_user(scope)
        visitor = await _of_session(scope, user) if isinstance(user, User) and user.is_active else None
        await _admit(self._application, visitor, scope, receive, send)


async def _admit(application: Application, visitor: Visitor | None, scope: Scope, receive: Receive, send: Send) -> None:
    """Strangers are turned away before anything is accepted: the handshake answers 403."""
    if visitor is None:
        await receive()
        await send({"type": "websocket.close", "code": 4401})
        return
    scope = scope | {"visitor": visitor}
    await application(scope, receive, send)


def _same_host(scope: Scope) -> bool:
    return urlsplit(header(scope, b"origin")).netloc == header(scope, b"host")


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
    )


@sync_to_async
def _of_session(scope: Scope, user: User) -> Visitor:
    try:
        return Visitor(_actor(scope, user, None, scope["session"].session_key or ""))
    finally:
        let_go()


@sync_to_async
def _by_token(scope: Scope) -> Visitor | None:
    scheme, _space, text = header(scope, b"authorization").partition(" ")
    try:
        if scheme.lower() != "bearer" or not text.isascii():
            return None
        user, token = BearerAuthentication().authenticate_credentials(text.strip().encode())
        return Visitor(_actor(scope, user, token, ""), token)
    except AuthenticationFailed:
        return None
    finally:
        let_go()
