"""The socket /ws/v1/metrics: what the instances of a place use, once a second, to everybody who looks at it.

A message is {"at", "samples": [[instance, millicores, memory, bytes a second in, out], ...], "away"}: made once, and
sent to all. A viewer that does not read keeps the eight newest; what is older was for that moment only.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from uuid import UUID
from weakref import WeakKeyDictionary

import orjson
from asgiref.sync import sync_to_async
from django.db import DatabaseError

from apps.models import AppEnvironment
from apps.selectors import listing
from console.feed import listen_only
from console.gauges import Gauge, Gauges
from console.hub import hub
from console.sockets import Close, Ended, Socket
from console.watched import Watched, instances_of
from core import seats
from core.access import Actor
from core.connections import let_go
from core.errors import NotFound
from operations.changes import News
from tenants.models import Token

log = logging.getLogger(__name__)
PERMISSION = "app.view"
EVERY_SECONDS = 1.0
LOOK_EVERY = 10  # messages: which instances there are is also asked for without any news
HELD = 8
FRESH_SECONDS = 2.5  # engines measure every second, give or take
Key = tuple[UUID, str]  # place, service


class Viewer:
    """One socket, told what is new without anybody waiting for it; a listener of the feed's hub for its rights."""

    def __init__(self, socket: Socket, room: "Room") -> None:
        self.socket, self.room = socket, room
        self.actor: Actor = socket.visitor.actor
        self.token: Token | None = socket.visitor.token
        self._waiting: deque[str] = deque(maxlen=HELD)
        self._sending: asyncio.Task[None] | None = None
        self._closing: asyncio.Future[None] | None = None

    def put(self, text: str) -> None:
        self._waiting.append(text)
        if self._sending is None:
            self._sending = asyncio.ensure_future(self._send())

    async def _send(self) -> None:
        try:
            while self._waiting:
                await self.socket.send_text(self._waiting.popleft())
        except Ended:
            self._waiting.clear()
        finally:
            self._sending = None

    @property
    def keys(self) -> frozenset[UUID | None]:
        return frozenset({self.room.place.project_id, self.actor.id})

    def hear(self, news: News) -> None:
        if news.id == str(self.room.place.pk):
            self.room.look_soon()

    def still(self, actor: Actor) -> bool:
        place = self.room.place
        return actor.rights.allows(PERMISSION, tenant=place.tenant_id, project=place.project_id)

    def end(self, code: Close) -> None:
        self.leave()
        self._closing = asyncio.ensure_future(self.socket.close(code))

    def leave(self) -> None:
        """Nothing more is sent. May be called more than once."""
        self.room.remove(self)
        self._waiting.clear()
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None

    def prompt(self, is_prompt: bool) -> None:
        """Numbers come every second, rung for or not."""


class Room:
    """All who look at the same instances. Works while somebody does."""

    def __init__(
        self, place: AppEnvironment, service: str, gauges: Gauges, *, emptied: Callable[["Room"], None]
    ) -> None:
        self.place, self._service = place, service
        self.viewers: set[Viewer] = set()
        self._gauges, self._emptied = gauges, emptied
        self._held: dict[Watched, Gauge] = {}
        self._look = True
        self._newest = ""
        self._task = asyncio.create_task(self._run())

    def look_soon(self) -> None:
        self._look = True

    def welcome(self, viewer: Viewer) -> None:
        self.viewers.add(viewer)
        if self._newest:
            viewer.put(self._newest)

    def remove(self, viewer: Viewer) -> None:
        if viewer in self.viewers:
            self.viewers.discard(viewer)
            if not self.viewers:
                self._stop()
                self._emptied(self)

    def _stop(self) -> None:
        self._task.cancel()
        for gauge in self._held.values():
            self._gauges.give_back(gauge)
        self._held = {}

    async def _run(self) -> None:
        turn = 0
        while True:
            if self._look or turn % LOOK_EVERY == 0:
                self._look = False
                await self._look_now()
            turn += 1
            self._tell()
            await asyncio.sleep(EVERY_SECONDS - time.time() % EVERY_SECONDS)

    async def _look_now(self) -> None:
        try:
            self._follow(await instances_of(self.place, self._service))
        except DatabaseError as error:
            log.warning("which instances there are cannot be read just now: %s", error)

    def _follow(self, found: list[Watched]) -> None:
        wanted = set(found)
        for watched in [one for one in self._held if one not in wanted]:
            self._gauges.give_back(self._held.pop(watched))
        for watched in found:
            if watched not in self._held:
                self._held[watched] = self._gauges.take(watched)

    def _tell(self) -> None:
        held = self._held.values()
        fresh = [one.numbers for one in held if one.numbers and one.age < FRESH_SECONDS and not one.silent]
        message = {"at": time.time(), "samples": fresh, "away": any(one.silent for one in held)}
        self._newest = orjson.dumps(message).decode()
        for viewer in self.viewers:
            viewer.put(self._newest)


class Rooms:
    """Those of one event loop."""

    def __init__(self) -> None:
        self.gauges = Gauges()
        self._open: dict[Key, Room] = {}

    def __len__(self) -> int:
        return len(self._open)

    def enter(self, socket: Socket, place: AppEnvironment, service: str) -> Viewer:
        key = (place.pk, service)
        room = self._open.get(key) or Room(place, service, self.gauges, emptied=self._forget)
        self._open[key] = room
        viewer = Viewer(socket, room)
        room.welcome(viewer)
        return viewer

    def _forget(self, room: Room) -> None:
        self._open = {key: one for key, one in self._open.items() if one is not room}


_rooms: WeakKeyDictionary[asyncio.AbstractEventLoop, Rooms] = WeakKeyDictionary()


def rooms() -> Rooms:
    return _rooms.setdefault(asyncio.get_running_loop(), Rooms())


async def serve(socket: Socket) -> None:
    place, service = await _asked(socket.visitor.actor, socket.query)
    with seats.taken(socket.visitor.actor.id, place.tenant_id, kind="metrics"):
        viewer = rooms().enter(socket, place, service)
        try:
            await hub().join(viewer)
            await listen_only(socket)
        finally:
            hub().leave(viewer)
            viewer.leave()


@sync_to_async
def _asked(actor: Actor, query: dict[str, str]) -> tuple[AppEnvironment, str]:
    """The place that the address names and a service of it, or "" for all. NotFound for what is not to be seen."""
    try:
        return listing.place(actor, query), query.get("service", "")[:40]
    except KeyError:  # a name is missing
        raise NotFound() from None
    finally:
        let_go()
