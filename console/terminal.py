"""One console: its process, what it wrote of late, who looks at it, and when it ends.

The browser's credit carries all the way: it tells how far it has drawn, and while 128 KB are not drawn nothing more
is read, so that the engine and at last the process wait. Nothing here grows with what a process writes.
"""

import asyncio
import contextlib
import logging
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings

from backends.contract import DriverError, ExecSession, Reason, ReasonCode
from console import registry, services
from console.output import LONGEST_FRAME, Output
from console.sockets import Close, Refuse, Socket
from console.watch import Guarded, Watched, watch
from core.connections import let_go
from core.seats import Seat

log = logging.getLogger(__name__)

CREDIT = 128 * 1024
GATHER_SECONDS = 0.01
MOST_QUICK = 8
MOST_TYPED = 1024 * 1024
RETURN_SECONDS = 30.0
PING_SECONDS = 10.0
SILENT_SECONDS = 25.0  # with the time to return it is less than a minute
TICK_SECONDS = 1.0
WARN_SECONDS = 120
WARN_OF_LIMIT_SECONDS = 300
LOOK_SECONDS = 15.0
LEAVE_SECONDS = 10.0
CODE_TRIES = 20
CODE_PAUSE_SECONDS = 0.05
ENDING_TRIES = 24
ENDING_PAUSE_SECONDS = 5.0


@dataclass(frozen=True)
class End:
    """Why a console is over, and how its socket says so. `reason`: what the engine said."""

    why: str
    close: Close = Close.DONE
    exit_code: int | None = None
    reason: Reason | None = None


class Link:
    """One socket that looks at a console; sends what it has not seen, never more than its credit."""

    def __init__(self, socket: Socket, output: Output, *, seen: int) -> None:
        self.socket = socket
        self._output = output
        self.position = self.acked = output.resumed(seen)
        self.notes: deque[dict[str, Any]] = deque()
        loop = asyncio.get_running_loop()
        self._clock = loop.time
        self.heard_at = self._sent_at = self._clock()
        self._quick = float(MOST_QUICK)
        self._news, self._much = asyncio.Event(), asyncio.Event()
        self.dropped: asyncio.Future[Close] = loop.create_future()

    def ring(self) -> None:
        self._news.set()
        if self._output.end - self.position >= LONGEST_FRAME:
            self._much.set()

    def tell(self, note: dict[str, Any]) -> None:
        self.notes.append(note)
        self._news.set()

    def ack(self, count: int) -> None:
        self.acked = min(self.position, self.acked + count)

    def drop(self, close: Close) -> None:
        """Let this socket go; the console stays."""
        if not self.dropped.done():
            self.dropped.set_result(close)

    async def send(self) -> None:
        """Until cancelled. Raises Ended when the other end has gone."""
        while True:
            await self._news.wait()
            self._news.clear()
            await self.flush()

    async def flush(self) -> None:
        while self.notes or self.position < self._output.end:
            while self.notes:
                await self.socket.send_json(self.notes.popleft())
            if self.position < self._output.end:
                await self._gather()
                piece = self._output.since(self.position)
                self.position += len(piece)
                await self.socket.send_bytes(piece)

    async def _gather(self) -> None:
        """What a key brings back goes at once; a flood goes in large pieces, a hundred a second."""
        now = self._clock()
        self._quick = min(MOST_QUICK, self._quick + (now - self._sent_at) / GATHER_SECONDS)
        self._sent_at = now
        if self._quick >= 1:
            self._quick -= 1
        elif self._output.end - self.position < LONGEST_FRAME:
            self._much.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GATHER_SECONDS):
                    await self._much.wait()


@dataclass(eq=False)
class Terminal(Guarded):
    """Lives from the start of its process until that has ended and is gone from the instance."""

    watched: Watched
    process: ExecSession
    seat: Seat
    output: Output = field(default_factory=Output)
    link: Link | None = None
    _input: deque[bytes] = field(default_factory=deque)
    _input_size: int = 0
    _drawn: int = 0  # how far the last one who looked had drawn

    def __post_init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._clock = loop.time
        self.over: asyncio.Future[End] = loop.create_future()
        self._asked: asyncio.Future[End] = loop.create_future()
        self._typed, self._room = asyncio.Event(), asyncio.Event()
        self.began_at = self.typed_at = self.wrote_at = self.left_at = self._clock()
        self._warned = self._warned_of_limit = False
        self._task = asyncio.create_task(self._live())
        registry.hold(self.id, self)
        watch().add(self)

    @property
    def id(self) -> uuid.UUID:
        return self.watched.console_id

    # what its socket asks for

    def attach(self, link: Link) -> None:
        """One socket at a time: the newest."""
        if self.link is not None:
            self.link.drop(Close.DONE)
        self.link = link
        self._warned = self._warned_of_limit = False
        self._room.set()
        link.ring()

    def detach(self, link: Link) -> None:
        if self.link is link:
            self.link, self.left_at, self._drawn = None, self._clock(), link.acked

    def type(self, data: bytes) -> None:
        """Raises Refuse where more is sent than a process takes."""
        if self._input_size + len(data) > MOST_TYPED:
            raise Refuse(Close.TOO_BIG)
        self._input.append(data)
        self._input_size += len(data)
        self._typed.set()
        self.stay()

    def stay(self) -> None:
        self.typed_at = self._clock()
        if self._warned and self.link is not None:
            self.link.tell({"idle_seconds_left": None})
        self._warned = False

    def ack(self, link: Link, count: int) -> None:
        link.ack(count)
        if link is self.link:
            self._room.set()

    async def resize(self, *, columns: int, rows: int) -> None:
        with contextlib.suppress(DriverError):  # the next size will do, or the process has ended
            await self.process.resize(columns=columns, rows=rows)

    def ask_to_end(self) -> None:
        self._end(End("asked"))

    def lose_right(self) -> None:
        self._end(End("right", Close.DENIED))

    async def leave(self) -> None:
        self._end(End("restarting", Close.RESTARTING))
        await asyncio.wait([self._task], timeout=LEAVE_SECONDS)

    def _end(self, end: End) -> None:
        if not self._asked.done():
            self._asked.set_result(end)

    # its life

    async def _live(self) -> None:
        end = End("restarting", Close.RESTARTING)
        try:
            end = await self._until_over()
        except DriverError as error:
            end = End("engine", Close.AWAY, reason=error.reason)
        finally:
            watch().remove(self)
            self.over.set_result(end)
            await self._tidy(end)

    async def _until_over(self) -> End:
        work = [asyncio.create_task(one) for one in (self._pump(), self._feed(), self._mind())]
        awaited: list[asyncio.Future[Any]] = [*work, self._asked]
        try:
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
            return self._asked.result() if self._asked.done() else await self._ended()
        finally:
            for one in work:
                one.cancel()
            await asyncio.gather(*work, return_exceptions=True)

    async def _ended(self) -> End:
        """The output has ended: because the process has, or because the way to it is cut. Raises DriverError."""
        for _try in range(CODE_TRIES):
            code = await self.process.exit_code()
            if code is not None:
                return End("exited", exit_code=code)
            await asyncio.sleep(CODE_PAUSE_SECONDS)  # an engine closes the way a moment before it notes the end
        return End("engine", Close.AWAY, reason=Reason(ReasonCode.ENGINE_AWAY))

    async def _pump(self) -> None:
        while True:
            while (room := self._credit()) <= 0:
                self._room.clear()
                await self._room.wait()
            piece = await self.process.read(min(room, LONGEST_FRAME))
            if not piece:
                return
            self.wrote_at = self._clock()
            self.output.add(piece)
            if self.link is not None:
                self.link.ring()

    def _credit(self) -> int:
        """With nobody there a little more may be written than was drawn; then the process waits."""
        drawn = self.link.acked if self.link is not None else self._drawn
        return CREDIT - (self.output.end - drawn)

    async def _feed(self) -> None:
        while True:
            await self._typed.wait()
            self._typed.clear()
            while self._input:
                data = b"".join(self._input)
                self._input.clear()
                await self.process.write(data)
                self._input_size -= len(data)

    async def _mind(self) -> None:
        """Limits, signs of life, and whether the engine still answers."""
        ping_at = looked_at = self._clock()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = self._clock()
            self._mind_limits(now)
            if now - ping_at >= PING_SECONDS:
                ping_at = now
                self._mind_link(now)
            if self.typed_at > self.wrote_at and now - looked_at >= LOOK_SECONDS:
                looked_at = now
                await self.process.exit_code()  # raises if the engine is away: then no key will ever be answered

    def _mind_limits(self, now: float) -> None:
        idle_left = settings.CONSOLE_IDLE_SECONDS - (now - self.typed_at)
        left = settings.CONSOLE_LIMIT_SECONDS - (now - self.began_at)
        if left <= 0:
            self._end(End("limit", Close.IDLE))
        elif idle_left <= 0:
            self._end(End("idle", Close.IDLE))
        elif self.link is None:
            if now - self.left_at >= RETURN_SECONDS:
                self._end(End("left"))
        else:
            self._warn(self.link, idle_left, left)

    def _warn(self, link: Link, idle_left: float, left: float) -> None:
        if not self._warned and idle_left <= min(WARN_SECONDS, settings.CONSOLE_IDLE_SECONDS / 2):
            self._warned = True
            link.tell({"idle_seconds_left": max(1, round(idle_left))})
        if not self._warned_of_limit and left <= min(WARN_OF_LIMIT_SECONDS, settings.CONSOLE_LIMIT_SECONDS / 2):
            self._warned_of_limit = True
            link.tell({"limit_seconds_left": max(1, round(left))})

    def _mind_link(self, now: float) -> None:
        if self.link is None:
            return
        if now - self.link.heard_at >= SILENT_SECONDS:
            self.link.drop(Close.RESTARTING)  # if it only slept, it comes back
            return
        self.link.tell({"ping": round(now)})

    async def _tidy(self, end: End) -> None:
        try:
            await _closed(self.id, end.why, end.exit_code)
            await close_process(self.process)
        finally:
            self.seat.give_back()
            registry.let_go_of(self.id)


async def close_process(process: ExecSession) -> None:
    """End it and all it started; an engine that is away is asked again for two minutes."""
    for _try in range(ENDING_TRIES):
        try:
            await process.close()
            return
        except DriverError as error:
            log.warning("a console's process is not ended yet: %s", error.reason.code)
        await asyncio.sleep(ENDING_PAUSE_SECONDS)


@sync_to_async
def _closed(console_id: uuid.UUID, why: str, exit_code: int | None) -> None:
    try:
        services.closed(console_id, why=why, exit_code=exit_code)
    finally:
        let_go()
