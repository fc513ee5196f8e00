"""A socket as plain ASGI: who is at the other end, what they may send, and how it ends.

Plain because a Channels consumer costs five times as much for each message (docs/adr/0003).
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from typing import Any
from urllib.parse import parse_qs

import orjson

from core.access import Actor
from core.errors import NotFound, PortalError
from tenants.models import Token

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Allowed = Callable[[], Awaitable[bool]]

LARGEST_FRAME = 64 * 1024
ASK_AGAIN_SECONDS = 1.5  # a right that is lost ends a socket within two seconds


class Close(IntEnum):
    """Why the server ends a socket. 4401, 4403 and 4404 are for good; after the others a page may come back."""

    DONE = 1000
    RESTARTING = 1012
    BAD = 1008
    TOO_BIG = 1009
    NOT_SIGNED_IN = 4401
    DENIED = 4403
    NOT_FOUND = 4404
    IDLE = 4408
    TOO_MANY = 4429
    AWAY = 4503


class Ended(Exception):
    """The other end has gone."""


class Refuse(Exception):
    """End this socket with a code; `said` is shown to the person (at most 123 bytes travel)."""

    def __init__(self, code: Close, said: str = "") -> None:
        super().__init__(said)
        self.code, self.said = code, said


@dataclass(frozen=True)
class Visitor:
    """Who opened a socket: by a session's cookie, or a program by its token."""

    actor: Actor
    token: Token | None = None


class Socket:
    """One accepted connection. Only one task may receive; sending is safe from several."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.visitor: Visitor = scope["visitor"]
        self.names: dict[str, Any] = scope["url_route"]["kwargs"]
        asked = parse_qs(scope["query_string"].decode(errors="replace"), max_num_fields=50)
        # no name holds a NUL, and a database refuses to look for one
        self.query = {name: values[-1].replace("\0", "\ufffd") for name, values in asked.items()}
        self._receive, self._send = receive, send
        self._closed = False

    async def accept(self) -> None:
        await self._receive()  # websocket.connect
        await self._send({"type": "websocket.accept"})

    async def receive(self) -> str | bytes:
        """The next frame. Raises Ended, and Refuse for a frame over 64 KB."""
        message = await self._receive()
        if message["type"] != "websocket.receive":
            self._closed = True
            raise Ended
        frame: str | bytes = message["text"] if message.get("text") is not None else message["bytes"]
        if len(frame) > LARGEST_FRAME:
            raise Refuse(Close.TOO_BIG)
        return frame

    async def receive_json(self) -> dict[str, Any]:
        """The next frame, which must be a JSON object."""
        return document_in(await self.receive())

    async def send_json(self, document: Any) -> None:
        await self.send_text(orjson.dumps(document).decode())

    async def send_text(self, text: str) -> None:
        await self._out({"type": "websocket.send", "text": text})

    async def send_bytes(self, data: bytes) -> None:
        await self._out({"type": "websocket.send", "bytes": data})

    async def close(self, code: Close = Close.DONE, said: str = "") -> None:
        if self._closed:
            return
        self._closed = True
        reason = said.encode()[:120].decode(errors="ignore")
        with suppress(OSError, RuntimeError):  # it may have gone at this very moment
            await self._send({"type": "websocket.close", "code": int(code), "reason": reason})

    async def _out(self, message: dict[str, Any]) -> None:
        if self._closed:
            raise Ended
        try:
            await self._send(message)
        except OSError:
            self._closed = True
            raise Ended from None


def document_in(frame: str | bytes) -> dict[str, Any]:
    """The JSON object of a frame. Raises Refuse for anything else."""
    try:
        document = orjson.loads(frame)
    except orjson.JSONDecodeError:
        raise Refuse(Close.BAD, "no JSON") from None
    if not isinstance(document, dict):
        raise Refuse(Close.BAD, "no JSON object")
    return document


def code_of(error: PortalError) -> Close:
    """What an expected error is on a socket."""
    by_status = {401: Close.NOT_SIGNED_IN, 403: Close.DENIED, 404: Close.NOT_FOUND, 429: Close.TOO_MANY}
    return by_status.get(error.status, Close.AWAY if error.status >= 500 else Close.BAD)


def as_socket(serve: Callable[[Socket], Awaitable[None]]) -> Any:  # `path` wants a view, and this is none
    """An ASGI application of a function that serves one accepted socket.

    Expected errors become close codes. A socket is accepted before it is looked at, because a refusal before that tells
    a browser nothing but to try again; strangers are turned away earlier (portal/routing.py).
    """

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        socket = Socket(scope, receive, send)
        await socket.accept()
        try:
            await serve(socket)
            await socket.close()
        except Ended:
            return
        except Refuse as refused:
            await socket.close(refused.code, refused.said)
        except NotFound:
            await socket.close(Close.NOT_FOUND)
        except PortalError as error:
            await socket.close(code_of(error), str(error.message))

    return application


async def while_allowed(work: Awaitable[None], allowed: Allowed) -> None:
    """Do the work until it ends, or until the right to it is gone: then Refuse. It is cancelled, and waited for."""
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            await asyncio.wait([task], timeout=ASK_AGAIN_SECONDS)
            if not task.done() and not await allowed():
                raise Refuse(Close.DENIED)
        await task
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait([task])
