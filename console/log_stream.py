"""The socket /ws/v1/logs: lines as they come, as JSON lines in text frames, never faster than the other end reads.

Each frame holds whole lines; a first empty one says that the engine is being read. The other end answers
`{"ack": n}` once it has dealt with n frames. Texts over 16 384 characters are cut and say how long they are in `bytes`.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from asgiref.sync import sync_to_async
from django.http import QueryDict

from apps.api.inputs import LogSocketInput
from apps.api.log_lines import JsonLines, written
from apps.api.logs import told
from apps.kept_logs import reading
from apps.models import AppEnvironment
from apps.selectors import listing, log_sources
from apps.selectors.log_sources import Asked
from backends.registry import driver_for
from console.sockets import Close, Refuse, Socket, Visitor, as_socket, while_allowed
from core.access import check
from core.api.inputs import read_query
from core.api.streaming import BEGIN_SECONDS, Pump
from core.connections import let_go
from core.errors import Conflict
from core.seats import take
from tenants.presence import still_may

LONGEST_TEXT = 16 * 1024  # characters of one line
CREDIT = 8  # frames that may be on their way; each is 256 KB at most, or one line
PERMISSION = "log.view"


@dataclass(frozen=True)
class Opened:
    place: AppEnvironment
    source: reading.Source
    question: Asked

    def lines(self) -> AsyncGenerator[bytes, None]:
        writer = JsonLines(log_sources.instance_ids(self.place), longest=LONGEST_TEXT)
        return told(written(self.source.logs(self.question.query), writer, filters=self.question.filters))


class Credit:
    """How many frames may still be sent before the other end says that it has dealt with some."""

    def __init__(self, frames: int) -> None:
        self._left, self._some = frames, asyncio.Event()
        self._some.set()

    async def spend(self) -> None:
        await self._some.wait()
        self._left -= 1
        if self._left <= 0:
            self._some.clear()

    def add(self, frames: object) -> None:
        if not isinstance(frames, int) or not 0 < frames <= CREDIT:
            raise Refuse(Close.BAD)
        self._left = min(CREDIT, self._left + frames)
        self._some.set()


async def serve(socket: Socket) -> None:
    visitor = socket.visitor
    opened = await _open(visitor, socket.query)
    place = opened.place
    allowed = still_may(visitor.actor, PERMISSION, place, visitor.token)
    pump = Pump(opened.lines(), take(visitor.actor.id, place.tenant_id, kind="log"))
    try:
        await while_allowed(_flow(socket, pump), allowed)
    except Conflict as error:
        raise Refuse(Close.NOT_FOUND, str(error.message)) from None  # the instance is gone: it will not come back
    finally:
        await pump.close()


@sync_to_async
def _open(visitor: Visitor, asked: dict[str, str]) -> Opened:
    """Raises what an HTTP request for the same lines would be answered with."""
    try:
        given = QueryDict(mutable=True)
        given.update(asked)
        query = read_query(given, LogSocketInput)
        place = listing.place(visitor.actor, query)
        check(visitor.actor, PERMISSION, place)
        source = reading.source_of(place, driver_for(place.environment.cluster))
        return Opened(place, source, log_sources.asked(place, query))
    finally:
        let_go()


async def _flow(socket: Socket, pump: Pump) -> None:
    credit = Credit(CREDIT)
    tasks = [asyncio.ensure_future(_send(socket, pump, credit)), asyncio.ensure_future(_listen(socket, credit))]
    try:
        done, _pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _send(socket: Socket, pump: Pump, credit: Credit) -> None:
    await pump.begun(BEGIN_SECONDS)
    await socket.send_text("")
    async with aclosing(pump.pieces()) as pieces:
        async for piece in pieces:
            await credit.spend()
            await socket.send_text(piece.decode())


async def _listen(socket: Socket, credit: Credit) -> None:
    while True:
        credit.add((await socket.receive_json()).get("ack"))


logs = as_socket(serve)
