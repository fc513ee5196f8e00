"""A body that is read while it comes, by the view that wants it, instead of being kept whole before anybody looks."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any

from django.http import HttpRequest

WANTED = re.compile(r"/api/v1/tenants/[^/]+/projects/[^/]+/uploads/[0-9a-f-]{36}\Z")  # PATCH alone
STALLED_SECONDS = 60.0  # so long a sender may take for one piece
AT_ONCE_SECONDS = 0.01
PIECE = 512 * 1024  # gathered before the view is woken; at half of it both threads are woken twice as often for little

Receive = Callable[[], Awaitable[dict[str, Any]]]


class Cut(Exception):
    """The sender is gone, or stands still, in the middle."""


class Inlet:
    """Read by the thread of a view; the messages come by the event loop that the server runs on."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self.whole = False
        self._cut = False
        self._ahead: Future[bytes] | None = None

    def read(self) -> bytes:
        """The next piece; empty at the end. Raises Cut. While it is written the one after it is gathered."""
        found = (self._ahead or self._gather()).result()
        self._ahead = None if self.whole or not found else self._gather()
        return found

    def _gather(self) -> "Future[bytes]":
        return asyncio.run_coroutine_threadsafe(self._some(), self._loop)

    async def _some(self) -> bytes:
        """What comes next, and with it what comes at once after it; nothing that came is lost by a cut."""
        pieces, size = list[bytes](), 0
        while not self.whole and not self._cut and size < PIECE:
            message = await self._next(AT_ONCE_SECONDS if pieces else STALLED_SECONDS)
            if message is None:
                self._cut = not pieces
                break
            self._cut = message["type"] == "http.disconnect"
            self.whole = not self._cut and not message.get("more_body", False)
            pieces.append(message.get("body", b""))
            size += len(pieces[-1])
        if self._cut and not size:
            raise Cut
        return b"".join(pieces)

    async def _next(self, seconds: float) -> dict[str, Any] | None:
        try:
            async with asyncio.timeout(seconds):
                return await self._receive()
        except TimeoutError:
            return None


def reader(request: HttpRequest) -> Callable[[], bytes]:
    """How a view reads the body of this request."""
    inlet: Inlet | None = getattr(request, "scope", {}).get("inlet")
    return inlet.read if inlet is not None else lambda: request.read(PIECE)
