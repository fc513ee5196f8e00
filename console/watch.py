"""The rights of all who have a console open here, looked at together; what is lost ends its console in two seconds."""

import asyncio
import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from asgiref.sync import sync_to_async
from django.db import DatabaseError

from apps.models import AppEnvironment
from console import services
from core.access import may
from core.connections import let_go
from tenants.presence import Comer, actors_again

log = logging.getLogger(__name__)
LOOK_SECONDS = 1.3
ALIVE_EVERY_LOOKS = 45  # about once a minute the rows are told that their processes are here
MOST_BLIND_LOOKS = 20  # without an answer of the database: then nobody's right is known any more


@dataclass(frozen=True)
class Watched:
    """One console: who has it open, by what right, and where."""

    console_id: uuid.UUID
    comer: Comer
    permission: str
    place: AppEnvironment


class Guarded:
    """What may be told that it is over. `watched` says what is looked at."""

    watched: Watched

    def lose_right(self) -> None:
        raise NotImplementedError

    def ask_to_end(self) -> None:
        raise NotImplementedError


class Watch:
    """One look every 1.3 seconds for all consoles of an event loop, while there are any."""

    def __init__(self) -> None:
        self._guarded: dict[uuid.UUID, Guarded] = {}
        self._task: asyncio.Task[None] | None = None

    def add(self, one: Guarded) -> None:
        self._guarded[one.watched.console_id] = one
        if self._task is None or self._task.done():  # done: it broke, which is logged with its error
            self._task = asyncio.create_task(self._look_again_and_again())

    def remove(self, one: Guarded) -> None:
        self._guarded.pop(one.watched.console_id, None)
        if not self._guarded and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _look_again_and_again(self) -> None:
        looks = blind = 0
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            looks += 1
            guarded = list(self._guarded.values())
            try:
                allowed, wanted = await _look([one.watched for one in guarded], looks % ALIVE_EVERY_LOOKS == 0)
            except DatabaseError as error:
                blind += 1
                log.warning("nobody knows for now who may have a console open: %s", error)
                if blind < MOST_BLIND_LOOKS:
                    continue
                allowed = wanted = set()
            blind = 0
            for one in guarded:
                if one.watched.console_id not in allowed:
                    one.lose_right()
                elif one.watched.console_id not in wanted:
                    one.ask_to_end()


@sync_to_async
def _look(watched: Sequence[Watched], alive: bool) -> tuple[set[uuid.UUID], set[uuid.UUID]]:
    """Whose right still holds, and whose end nobody has asked for."""
    try:
        actors = actors_again([one.comer for one in watched])
        allowed = {
            one.console_id
            for one, actor in zip(watched, actors, strict=True)
            if actor is not None and may(actor, one.permission, one.place)
        }
        return allowed, services.still_wanted([one.console_id for one in watched], alive=alive)
    finally:
        let_go()


_watches: WeakKeyDictionary[asyncio.AbstractEventLoop, Watch] = WeakKeyDictionary()


def watch() -> Watch:
    """That of the running loop."""
    return _watches.setdefault(asyncio.get_running_loop(), Watch())
