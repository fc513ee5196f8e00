"""Answers that flow: gathered into large pieces, limited per person, and ended at once when nobody reads them."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing
from typing import Any

from asgiref.sync import sync_to_async
from django.db.models import Model
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse

from core.access import Actor, places_of
from core.api.endpoint import FileView
from core.connections import let_go
from core.seats import Kind, Seat, take

PIECE = 32 * 1024
MOST_HELD = 256 * 1024
GATHER_SECONDS = 0.01
BEGIN_SECONDS = 0.2  # an error that shows by then is an answer of its own, not the end of a stream
ASK_AGAIN_SECONDS = 2.0

Source = AsyncGenerator[bytes, None]
UNREAD_SECONDS = 10.0
STALLED_SECONDS = 60.0  # so long a reader may take for one piece; who reads more slowly keeps others from their turn


class Pump:
    """Reads a source in a task of its own, never more than 256 KB ahead of whoever reads `pieces`.

    The task keeps its seat until it has ended; if nobody begins to read, it ends by itself.
    """

    def __init__(self, source: Source, seat: Seat) -> None:
        self._source = source
        self._read = False
        self._held: list[bytes] = []
        self._size = 0
        self._some, self._much, self._room = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(lambda _task: seat.give_back())
        asyncio.get_running_loop().call_later(UNREAD_SECONDS, self._end_unread)

    def _end_unread(self) -> None:
        if not self._read:
            self._task.cancel()

    async def _run(self) -> None:
        try:
            async with aclosing(self._source) as source:
                async for piece in source:
                    await self._hold(piece)
        finally:
            self._some.set()
            self._much.set()

    async def _hold(self, piece: bytes) -> None:
        self._held.append(piece)
        self._size += len(piece)
        self._some.set()
        if self._size >= PIECE:
            self._much.set()
        if self._size >= MOST_HELD:
            self._room.clear()
            await self._room.wait()

    async def begun(self, seconds: float) -> None:
        """Wait for the first piece, the end, or so many seconds. Raises what the source raised by then."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._some.wait()
        if not self._held and self._task.done():
            self._task.result()

    async def pieces(
        self, *, allowed: Callable[[], Awaitable[bool]] | None = None, patience: float | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Pieces of about 32 KB, or what came within 10 ms. `allowed` is asked every two seconds; False is the end.

        A reader that is busy with one piece for longer than `patience` seconds is cancelled, and the source closed.
        """
        self._read = True
        clock = asyncio.get_running_loop().time
        ask_at = clock() + ASK_AGAIN_SECONDS
        while not self._task.done() or self._held:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ASK_AGAIN_SECONDS):
                    await self._some.wait()
            if allowed is not None and clock() >= ask_at:
                if not await allowed():
                    return
                ask_at = clock() + ASK_AGAIN_SECONDS
            if self._held:
                piece = await self._gathered()
                with self._watched(patience):
                    yield piece
        self._task.result()

    @contextlib.contextmanager
    def _watched(self, seconds: float | None) -> Iterator[None]:
        watch = (
            asyncio.get_running_loop().call_later(seconds, self._end_stalled, asyncio.current_task())
            if seconds
            else None
        )
        try:
            yield
        finally:
            if watch is not None:
                watch.cancel()

    def _end_stalled(self, reader: "asyncio.Task[Any] | None") -> None:
        self._task.cancel()
        if reader is not None:
            reader.cancel()  # ends the connection in the middle: what was sent so far must not look complete

    async def _gathered(self) -> bytes:
        if self._size < PIECE:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GATHER_SECONDS):
                    await self._much.wait()
        piece = b"".join(self._held)
        self._held.clear()
        self._size = 0
        if not self._task.done():
            self._some.clear()
            self._much.clear()
        self._room.set()
        return piece

    async def close(self) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([self._task])


class Stream(StreamingHttpResponse):
    """An answer whose source is opened once everything has been checked, and closed with the answer."""

    def __init__(
        self,
        make: Callable[[], Source],
        *,
        actor: Actor,
        target: Model,
        kind: Kind,
        content_type: str,
        filename: str = "",
        allowed: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        super().__init__((), content_type=content_type)
        self._make, self._allowed, self._kind = make, allowed, kind
        self._person, (self._tenant, _project) = actor.id, places_of(target)
        self._pump: Pump | None = None
        self["X-Content-Type-Options"] = "nosniff"
        self["X-Accel-Buffering"] = "no"

    async def begin(self) -> None:
        """Raises TooMany, and what the source raises at once."""
        seat = take(self._person, self._tenant, kind=self._kind)
        self._pump = Pump(self._make(), seat)
        try:
            await self._pump.begun(BEGIN_SECONDS)
        except BaseException:
            await self._pump.close()
            raise

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._pump is None:
            return
        try:
            async with aclosing(self._pump.pieces(allowed=self._allowed, patience=STALLED_SECONDS)) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            await self._pump.close()


def as_stream_view(view: type[FileView]) -> Callable[..., Any]:
    """A view whose `get` gives a `Stream`: checked in a thread like every API view, then streamed by the event loop."""
    checked = view.as_view()

    async def answer(request: HttpRequest, **names: Any) -> HttpResponseBase:
        response: HttpResponseBase = await sync_to_async(checked)(request, **names)
        if isinstance(response, Stream) and request.method == "GET":
            await sync_to_async(let_go)()
            await response.begin()
        return response

    answer.cls, answer.initkwargs = view, {}  # type: ignore[attr-defined]  # how API views are recognized
    answer.csrf_exempt = True  # type: ignore[attr-defined]  # as for every API view: the session's check is in its sign-in
    return answer
