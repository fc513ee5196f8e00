"""One hub for each process: it reads what changed once, whoever listens, and hands it to those whom it concerns.

An open socket that waits costs no query and no task of its own here. Rights are held by each listener, and looked at
again for all of them together at least every two seconds.
"""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Protocol
from uuid import UUID
from weakref import WeakKeyDictionary

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError

from console.sockets import Close, Refuse
from core.access import Actor
from core.connections import keep_fresh
from operations import changes, doorbell
from operations.changes import News
from tenants.models import Token
from tenants.presence import Comer, actors_again, doubtful

log = logging.getLogger(__name__)
LOOK_ANYWAY_SECONDS = 5.0  # a ring may be lost
LOOK_DEAF_SECONDS = 2.0  # nobody rings: Redis is away
GUARD_SECONDS = 1.2
ALWAYS_AT_ONCE = 200  # of all listeners, in turn, although nothing is known to have changed
MOST_KEPT = 2000  # changes in memory, for those who come back
OVERLAP_SECONDS = 5.0  # so long may what ends a right be under way before it can be seen
MOST_AT_ONCE = 500  # listeners whose rights are read by one query
REDIS_AGAIN_SECONDS = 1.0


class Listener(Protocol):
    """Who listens. None of these may wait."""

    actor: Actor
    token: Token | None

    @property
    def keys(self) -> frozenset[UUID | None]:
        """Tenants, projects and persons it may be told of; None is the platform."""

    def hear(self, news: News) -> None: ...

    def still(self, actor: Actor) -> bool:
        """Whether it may stay, with these rights, which are its own from now on."""

    def end(self, code: Close) -> None: ...

    def prompt(self, is_prompt: bool) -> None:
        """Whether changes come at once, or only every few seconds because nobody rings."""


class Hub:
    """Works while somebody listens."""

    def __init__(self) -> None:
        self._listeners: dict[UUID | None, set[Listener]] = defaultdict(set)
        self._keys: dict[Listener, frozenset[UUID | None]] = {}
        self._joining: dict[Listener, Close | None] = {}  # why one was ended before it had begun
        self._tasks: list[asyncio.Task[None]] = []
        self._loop = asyncio.get_running_loop()
        self._rung, self._ready = asyncio.Event(), asyncio.Event()
        self._stop_hearing: Callable[[], None] = lambda: None
        self._reader = changes.Reader()
        self._recent: deque[tuple[float, News]] = deque(maxlen=MOST_KEPT)
        self._recent_from = 0
        self.prompt = True

    @property
    def listeners(self) -> int:
        return len(self._keys)

    async def join(self, listener: Listener) -> None:
        """From the return on it is told everything that is committed later."""
        self._keys[listener], self._joining[listener] = frozenset(), None
        self._index(listener)
        if not self._tasks:
            self._start()
        try:
            await self._ready.wait()
        finally:
            ended = self._joining.pop(listener)
        if ended is not None:
            raise Refuse(ended)
        if not self.prompt:
            listener.prompt(False)

    def leave(self, listener: Listener) -> None:
        """May be called more than once."""
        for key in self._keys.pop(listener, frozenset()):
            self._listeners[key].discard(listener)
            if not self._listeners[key]:
                del self._listeners[key]
        if not self._keys and self._tasks:
            self._stop()

    def _end(self, listener: Listener, code: Close) -> None:
        if listener in self._joining:
            self._joining[listener] = code
        self.leave(listener)
        listener.end(code)

    @property
    def last(self) -> int:
        """The highest number read so far."""
        return self._reader.last or 0

    def since(self, last: int, *, fresh_seconds: float) -> list[News] | None:
        """What came after `last` as far as memory goes, without a query; None where it does not go so far."""
        if not self._recent_from <= last <= self.last:
            return None
        fresh = self._loop.time() - fresh_seconds
        return [news for heard_at, news in self._recent if news.seq > last or heard_at > fresh]

    def _remember(self, news: News) -> None:
        if len(self._recent) == MOST_KEPT:
            self._recent_from = max(self._recent_from, self._recent[0][1].seq)
        self._recent.append((self._loop.time(), news))

    def _index(self, listener: Listener) -> None:
        """Under the keys it has now."""
        before, now = self._keys[listener], listener.keys
        for key in before - now:
            self._listeners[key].discard(listener)
        for key in now - before:
            self._listeners[key].add(listener)
        self._keys[listener] = now

    def _start(self) -> None:
        self._ready.clear()
        self._reader = changes.Reader()
        self._recent.clear()
        self._stop_hearing = doorbell.listen_here(self._hear_ring)
        work = [self._read(), self._guard()] + ([self._hear_redis()] if settings.REDIS_URL else [])
        self._tasks = [self._loop.create_task(one) for one in work]
        for task in self._tasks:
            task.add_done_callback(self._fell)

    def _stop(self) -> None:
        self._stop_hearing()
        for task in self._tasks:
            task.cancel()
        self._tasks = []
        self._ready.set()  # nobody waits for what has ended

    def _fell(self, task: asyncio.Task[None]) -> None:
        """Nobody may wait for a hub that is dead: they come again, and with the first of them it begins anew."""
        if task.cancelled() or task not in self._tasks:
            return
        log.error("the hub fell", exc_info=task.exception())
        for listener in list(self._keys):
            self._end(listener, Close.AWAY)
        self._ready.set()

    def _hear_ring(self, name: str) -> None:
        if name == changes.BELL and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._rung.set)

    async def _hear_redis(self) -> None:
        from operations import redis_bell  # only where there is one: its library takes megabytes

        while True:
            try:
                async for name in redis_bell.rings(lambda: self._set_prompt(True)):
                    self._hear_ring(name)
            except redis_bell.AWAY as error:
                if self.prompt:
                    log.warning("nobody rings while Redis is away; looking every few seconds: %s", error)
                self._set_prompt(False)
                await asyncio.sleep(REDIS_AGAIN_SECONDS)

    def _set_prompt(self, is_prompt: bool) -> None:
        self._rung.set()  # there may be something that nobody rang for
        if is_prompt == self.prompt:
            return
        self.prompt = is_prompt
        for listener in list(self._keys):
            listener.prompt(is_prompt)

    async def _read(self) -> None:
        while True:
            self._rung.clear()
            try:
                await self._read_on()
            except DatabaseError as error:
                log.warning("what changed cannot be read just now: %s", error)
                await asyncio.sleep(LOOK_DEAF_SECONDS)
            with suppress(TimeoutError):
                pause = LOOK_ANYWAY_SECONDS if self.prompt else LOOK_DEAF_SECONDS
                async with asyncio.timeout(pause):
                    await self._rung.wait()

    async def _read_on(self) -> None:
        if self._reader.last is None:
            self._recent_from = await _begin(self._reader)
        found = None
        while found is None or len(found) == changes.MOST_AT_ONCE:
            found = await _news(self._reader)
            for news in found:
                self._remember(news)
                await self._tell(news)
        self._ready.set()

    async def _tell(self, news: News) -> None:
        if news.kind == "person":
            await self._look_again([one for one in self._keys if one.actor.id == news.person])
            return
        keys = {news.person} if news.person else {news.project, news.tenant, None}
        for listener in set().union(*(self._listeners.get(key, ()) for key in keys)):
            if news.concerns(listener.actor):
                listener.hear(news)

    async def _guard(self) -> None:
        """Grants, tokens and sessions end by themselves too, and without a word."""
        asked_at, turn = self._loop.time(), 0
        while True:
            await asyncio.sleep(GUARD_SECONDS)
            everybody, began = list(self._keys), self._loop.time()
            comers = [(one.actor, one.token) for one in everybody]
            try:
                places = set(await _doubtful(comers, began - asked_at + OVERLAP_SECONDS))
                places |= {(turn + place) % len(everybody) for place in range(min(ALWAYS_AT_ONCE, len(everybody)))}
                await self._look_again([everybody[place] for place in places])
                asked_at, turn = began, turn + ALWAYS_AT_ONCE
            except DatabaseError as error:
                log.warning("rights cannot be read just now: %s", error)

    async def _look_again(self, listeners: list[Listener]) -> None:
        for first in range(0, len(listeners), MOST_AT_ONCE):
            part = listeners[first : first + MOST_AT_ONCE]
            again = await _actors([(one.actor, one.token) for one in part])
            self._take_over(zip(part, again, strict=True))

    def _take_over(self, again: Iterable[tuple[Listener, Actor | None]]) -> None:
        for listener, actor in again:
            if listener not in self._keys:
                continue
            if actor is None or not listener.still(actor):
                self._end(listener, Close.NOT_SIGNED_IN if actor is None else Close.DENIED)
            elif actor.rights != listener.actor.rights:
                listener.actor = actor
                self._index(listener)


@sync_to_async
def _news(reader: changes.Reader) -> list[News]:
    keep_fresh()
    return reader.news()


@sync_to_async
def _begin(reader: changes.Reader) -> int:
    keep_fresh()
    return reader.begin()


@sync_to_async
def _actors(comers: Iterable[tuple[Actor, Token | None]]) -> list[Actor | None]:
    keep_fresh()
    return actors_again(list(comers))


@sync_to_async
def _doubtful(comers: list[Comer], seconds: float) -> list[int]:
    keep_fresh()
    return doubtful(comers, seconds=seconds)


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """The one of the running loop."""
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())
