"""/ws/v1/consoles/{id}: from a ticket to a terminal, and its frames.

First a text frame {"ticket": "...", "size": [columns, rows], "seen": bytes}; the last two may be left out. Then binary
frames are bytes in both ways. Text frames from the browser: {"resize": [columns, rows]}, {"ack": bytes},
{"stay": true}, {"pong": n}. From here: {"ready": {...}}, {"ping": n}, {"idle_seconds_left": n},
{"limit_seconds_left": n}, and at the end {"exit": code} or {"ended": {"why", "said", "hint"}}.
"""

import asyncio
import uuid
from contextlib import suppress
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.utils import translation

from apps.needs import needs_console
from backends.contract import Driver, DriverError
from backends.registry import driver_for
from console import registry, services, tickets
from console.models import ConsoleSession
from console.sockets import Close, Ended, Refuse, Socket, document_in
from console.terminal import End, Link, Terminal, close_process
from console.watch import Watched
from console.words import sentence_and_hint
from core import access, seats
from core.connections import let_go
from core.errors import PortalError

FIRST_FRAME_SECONDS = 5.0
MOST_FRAMES_A_SECOND = 500
BURST = 1000
LAST_WORDS_SECONDS = 2.0
SMALLEST, LARGEST = 1, 500
SIZE = (80, 24)
ROOT = {"", "root", "0"}


class Frames:
    """How many frames somebody may still send: 500 a second, 1000 at once."""

    def __init__(self) -> None:
        self._left, self._at = float(BURST), asyncio.get_running_loop().time()

    def count(self) -> None:
        now = asyncio.get_running_loop().time()
        self._left = min(BURST, self._left + (now - self._at) * MOST_FRAMES_A_SECOND) - 1
        self._at = now
        if self._left < 0:
            raise Refuse(Close.BAD, "too many frames")


async def serve(socket: Socket) -> None:
    first = await _first(socket)
    row = await _redeem(socket, str(first.get("ticket") or ""))
    try:
        held = registry.found(row.pk)
        terminal = held if isinstance(held, Terminal) else await _start(socket, row, _size(first.get("size")) or SIZE)
    except DriverError as error:
        await _services(services.closed, row.pk, why=str(error.reason.code))
        await _say_end(socket, row, End("engine", Close.AWAY, reason=error.reason))
        return
    await _look(socket, row, terminal, first)


async def _first(socket: Socket) -> dict[str, Any]:
    try:
        async with asyncio.timeout(FIRST_FRAME_SECONDS):
            return await socket.receive_json()
    except TimeoutError:
        raise Refuse(Close.DENIED, "no ticket") from None


@sync_to_async
def _redeem(socket: Socket, text: str) -> ConsoleSession:
    """The console that the ticket opens. Raises Refuse for any other, Denied where the right is gone meanwhile."""
    visitor, console_id = socket.visitor, socket.names["console_id"]
    try:
        binding = tickets.binding_of(visitor.actor, visitor.token)
        row = tickets.redeem(console_id, text, binding=binding)
        if row is None:
            raise Refuse(Close.DENIED, "this ticket is used, over, or another's")
        access.check_any(visitor.actor, needs_console(row.place), row.place)
        return row
    finally:
        let_go()


async def _start(socket: Socket, row: ConsoleSession, size: tuple[int, int]) -> Terminal:
    """Raises DriverError, TooMany, and Refuse where the process is held by another process of ours, or gone."""
    if row.state == ConsoleSession.State.OPEN:
        raise Refuse(Close.RESTARTING)  # whoever comes again may meet the right one
    seat = await _seat(row)
    try:
        process = await _driver(row).exec(row.engine_id, [row.shell], columns=size[0], rows=size[1])
    except BaseException:
        seat.give_back()
        raise
    if not await _services(services.began, row.pk):
        seat.give_back()
        await close_process(process)
        raise Refuse(Close.RESTARTING)  # another page was quicker, or it was ended: a new ticket tells which
    visitor = socket.visitor
    comer = (visitor.actor, visitor.token)
    return Terminal(Watched(row.pk, comer, needs_console(row.place)[0], row.place), process, seat)


async def _seat(row: ConsoleSession) -> seats.Seat:
    try:
        return seats.take(row.person_id, row.tenant_id, kind="console")
    except PortalError:
        await _services(services.closed, row.pk, why="too_many")
        raise


def _driver(row: ConsoleSession) -> Driver:
    return driver_for(row.place.environment.cluster)


async def _look(socket: Socket, row: ConsoleSession, terminal: Terminal, first: dict[str, Any]) -> None:
    """Join the terminal until the other end goes, another socket takes its place, or the terminal is over."""
    link = Link(socket, terminal.output, seen=_count(first.get("seen")))
    link.tell({"ready": _about(row, terminal, link)})
    terminal.attach(link)
    if size := _size(first.get("size")):
        await terminal.resize(columns=size[0], rows=size[1])
    sending, hearing = asyncio.ensure_future(link.send()), asyncio.ensure_future(_hear(socket, terminal, link))
    try:
        await asyncio.wait((sending, hearing, link.dropped, terminal.over), return_when=asyncio.FIRST_COMPLETED)
        await _leave(row, terminal, link, hearing)
    finally:
        terminal.detach(link)
        sending.cancel()
        hearing.cancel()
        await asyncio.gather(sending, hearing, return_exceptions=True)


async def _leave(row: ConsoleSession, terminal: Terminal, link: Link, hearing: "asyncio.Future[None]") -> None:
    if terminal.over.done():
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS_SECONDS):
                await link.flush()
        await _say_end(link.socket, row, terminal.over.result())
    elif link.dropped.done():
        if link.dropped.result() == Close.DONE:
            await _say_end(link.socket, row, End("elsewhere"))
        raise Refuse(link.dropped.result())
    elif hearing.done() and isinstance(hearing.exception(), Refuse):
        terminal.ask_to_end()  # who sends nonsense does not come back to it
        hearing.result()
    else:
        raise Ended


def _about(row: ConsoleSession, terminal: Terminal, link: Link) -> dict[str, Any]:
    return {
        "from": link.position,
        "service": row.service,
        "number": row.number,
        "shell": row.shell,
        "user": "" if terminal.process.user.split(":")[0] in ROOT else terminal.process.user,
        "idle_seconds": settings.CONSOLE_IDLE_SECONDS,
        "limit_seconds": settings.CONSOLE_LIMIT_SECONDS,
    }


async def _hear(socket: Socket, terminal: Terminal, link: Link) -> None:
    frames = Frames()
    clock = asyncio.get_running_loop().time
    while True:
        frame = await socket.receive()
        frames.count()
        link.heard_at = clock()
        if isinstance(frame, bytes):
            terminal.type(frame)
        else:
            await _obey(document_in(frame), terminal, link)


async def _obey(told: dict[str, Any], terminal: Terminal, link: Link) -> None:
    """What is not known is passed over, so that newer pages work with older portals."""
    if drawn := _count(told.get("ack")):
        terminal.ack(link, drawn)
    if told.get("stay") is True:
        terminal.stay()
    if size := _size(told.get("resize")):
        await terminal.resize(columns=size[0], rows=size[1])


def _count(value: Any) -> int:
    """A whole number of at least 0; of anything else 0."""
    return max(0, value) if isinstance(value, int) and not isinstance(value, bool) else 0


def _size(value: Any) -> tuple[int, int] | None:
    """(columns, rows), each between 1 and 500; None where no size is told."""
    if not isinstance(value, list) or len(value) != 2 or not all(isinstance(one, int) for one in value):
        return None
    columns, rows = (min(LARGEST, max(SMALLEST, one)) for one in value)
    return columns, rows


async def _say_end(socket: Socket, row: ConsoleSession, end: End) -> None:
    """In words, in the language of who opened it; then the close code."""
    with suppress(Ended):
        if end.exit_code is not None:
            await socket.send_json({"exit": end.exit_code})
        else:
            with translation.override(row.language):
                said, hint = sentence_and_hint(end.why, end.reason, cluster=row.place.environment.cluster.name)
            await socket.send_json({"ended": {"why": end.why, "said": said, "hint": hint}})
        await socket.close(end.close)


@sync_to_async
def _services(act: Any, console_id: uuid.UUID, **params: Any) -> Any:
    try:
        return act(console_id, **params)
    finally:
        let_go()
