"""How long and how large a request may be before anybody looks at it: no stranger holds a connection for nothing."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from core.api import inlet as inlets

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Scope]]
Send = Callable[[Scope], Awaitable[None]]

HEAD_SECONDS = 15.0
LARGEST_HEAD = 64 * 1024
MOST_HEADERS = 100
BODY_SECONDS = 60.0
LINGER_SECONDS = 2.0  # so long a refused sender may go on, that the refusal is not lost with the connection


class Patient(HttpToolsProtocol):
    """uvicorn's protocol, which waits for the head of a request only so long and keeps only so much of it."""

    _timer: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _refusal: HTTPStatus | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_there()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            return
        if self._timer is None and (self.cycle is None or self.cycle.response_complete):
            self._wait_for_head()
        if self._timer is not None:
            self._head_bytes += len(data)
            if self._head_bytes > LARGEST_HEAD:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(self.headers) >= MOST_HEADERS:
            self._refusal = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise ValueError("too many headers")  # the parser stops, and uvicorn sends its refusal
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._head_is_there()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        if self._refusal is None:
            super().send_400_response(msg)
        else:
            self._refuse(self._refusal)

    def _wait_for_head(self) -> None:
        self._timer = self.loop.call_later(HEAD_SECONDS, self._refuse, HTTPStatus.REQUEST_TIMEOUT)

    def _head_is_there(self) -> None:
        self._head_bytes = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, status: HTTPStatus) -> None:
        self._head_is_there()
        if not self.transport.is_closing():
            said = f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            self.transport.write(said.encode())
            self.transport.close()


class Refused(Exception):
    """A body that will not be read; `code` is the problem's."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Bodies:
    """Lets in what is small enough and comes soon enough; nothing of a larger body is kept, in memory or on disk.

    A refused request goes on without its body and with `refused` in its scope, and gets an answer like others.
    """

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "PATCH" and inlets.WANTED.match(scope["path"]):
            await self._let_in(scope, receive, send)
            return
        if declared_bytes(scope) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            await self._refuse("too_large", scope, receive, send)
            return
        try:
            await self._application(scope, _measured(receive), send)
        except Refused as refused:
            await self._refuse(refused.code, scope, receive, send)

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The view itself reads the body, as far as it wants to."""
        inlet = inlets.Inlet(receive)
        closing = _and_close(send, receive)

        async def answer(message: Scope) -> None:
            await (send if inlet.whole else closing)(message)

        await self._application(_bare(scope) | {"inlet": inlet}, _no_body(), answer)

    async def _refuse(self, code: str, scope: Scope, receive: Receive, send: Send) -> None:
        await self._application(_bare(scope) | {"refused": code}, _no_body(), _and_close(send, receive))


def _bare(scope: Scope) -> Scope:
    """As if nothing had been sent with it."""
    about_it = (b"content-length", b"content-type", b"transfer-encoding")
    return scope | {"headers": [(name, value) for name, value in scope["headers"] if name not in about_it]}


def declared_bytes(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value)  # the parser has refused what is no number
    return 0


def _measured(receive: Receive) -> Receive:
    """The body as it comes, until it is too much or takes too long: then Refused. After it, whatever comes."""
    seen, whole, end = 0, False, time.monotonic() + BODY_SECONDS

    async def receive_some() -> Scope:
        nonlocal seen, whole
        if whole:
            return await receive()
        try:
            async with asyncio.timeout(end - time.monotonic()):
                message = await receive()
        except TimeoutError:
            raise Refused("too_slow") from None
        seen += len(message.get("body", b""))
        if seen > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise Refused("too_large")
        whole = not message.get("more_body", False)
        return message

    return receive_some


def _no_body() -> Receive:
    told, never = False, asyncio.Event()

    async def receive() -> Scope:
        nonlocal told
        if told:
            await never.wait()
        told = True
        return {"type": "http.request", "body": b"", "more_body": False}

    return receive


def _and_close(send: Send, receive: Receive) -> Send:
    """Sends the answer, reads on and forgets for a moment, and closes the connection."""

    async def send_some(message: Scope) -> None:
        if message["type"] == "http.response.start":
            message = message | {"headers": [*message["headers"], (b"Connection", b"close")]}
        last = message["type"] == "http.response.body" and not message.get("more_body", False)
        await send(message | {"more_body": True} if last else message)
        if last:
            await _forget_the_rest(receive)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return send_some


async def _forget_the_rest(receive: Receive) -> None:
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while (await receive()).get("more_body", False):
                pass
    except TimeoutError:
        return
