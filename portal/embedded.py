"""One process that is all: worker, beat, observer and collector run as threads beside the pages.

Only without `REDIS_URL`. The broker is memory; the operations' rows are the truth, so a kill loses nothing.
"""

import logging
import resource
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import sync_to_async
from celery import current_app
from celery.worker import WorkController
from django.conf import settings

from apps.observer import Observer
from console import registry
from core.sqlite3.base import SPARE
from observe.collecting import Collector
from portal import lean, sqlite_log
from portal.beat import Scheduler

log = logging.getLogger(__name__)
WORKER_THREADS = 4
MOST_FILES = 65_536
SPARE_CONNECTIONS = 2  # of SQLite; each holds two megabytes
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Scope]]
Send = Callable[[Scope], Awaitable[None]]


class Companions:
    """Worker, beat, observer and collector of the embedded mode."""

    def __init__(self) -> None:
        self.worker = WorkController(
            app=current_app._get_current_object(),
            pool_cls="threads",
            concurrency=WORKER_THREADS,
            without_heartbeat=True,
            without_mingle=True,
            without_gossip=True,
        )
        self.stop_beat = threading.Event()
        self.observer = Observer()
        self.collector = Collector()
        self.threads: list[threading.Thread] = []

    def start(self) -> None:
        for name, work in (
            ("worker", self.worker.start),
            ("beat", self._beat),
            ("observer", self.observer.run),
            ("collector", self.collector.run),
        ):
            thread = threading.Thread(target=work, name=f"berth-{name}", daemon=True)
            thread.start()
            self.threads.append(thread)
        current_app.send_task("operations.sweep", ignore_result=True)

    def _beat(self) -> None:
        scheduler = Scheduler(app=current_app._get_current_object())
        while not self.stop_beat.wait(scheduler.tick()):
            pass
        scheduler.close()

    def stop(self) -> None:
        self.stop_beat.set()
        self.observer.stop()
        self.collector.stop()
        self.worker.stop()


def _allow_many_sockets() -> None:
    """As many open files as the machine lets us have: each socket that waits is one, and the usual limit is 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and (hard == resource.RLIM_INFINITY or soft < hard):
        wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


class Lifespan:
    """Answers the server's start and stop, and starts the companions where this process is all there is."""

    def __init__(self, application: Any) -> None:
        self.application = application
        self.companions: Companions | None = None
        self.log: sqlite3.Connection | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self.application(scope, receive, send)
            return
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self._start()
                lean.leave_alone_what_stays()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self._stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _start(self) -> None:
        _allow_many_sockets()
        SPARE.keep(SPARE_CONNECTIONS)
        if not settings.EMBEDDED:
            return
        self.log = await sync_to_async(sqlite_log.keep_open)()
        self.companions = await sync_to_async(Companions)()
        await sync_to_async(self.companions.start)()

    async def _stop(self) -> None:
        await registry.leave_all()  # nothing of a console stays in an instance
        if self.companions is not None:
            await sync_to_async(self.companions.stop)()
        SPARE.end()
        if self.log is not None:
            self.log.close()
