"""What runs by itself, every so many seconds: sent by one of however many beats there are, and done once.

No clock that somebody can set decides anything here, nor does it matter how far those of two machines are apart:
beats count on their own seconds, and who leads is a key of the shared cache that goes away by itself.
"""

import logging
import os
import socket
import time
from collections.abc import Mapping
from typing import Any

from celery import Task, beat
from django.conf import settings
from django.core.cache import cache

log = logging.getLogger(__name__)
LEADS = "berth-beat"
LEASE_SECONDS = 20  # so long after its end another takes over, and the time of one look
LOOK_SECONDS = 5.0
SOON_SECONDS = 60.0  # after its start, for what is rarer than that


def _away() -> tuple[type[Exception], ...]:
    """What a cache raises that is not there; one in the process's own memory always is."""
    if not settings.REDIS_URL:
        return ()
    from redis import RedisError  # only where there is one: its library takes megabytes

    return (RedisError,)


class Seat:
    """Whose turn it is to send. Two may believe so for a moment when the cache was emptied: `Periodic` bears it."""

    def __init__(self) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}:{id(self)}"

    def held(self) -> bool:
        """Take it if it is free, and keep it for some seconds more; False where another has it or nobody can tell."""
        try:
            if cache.add(LEADS, self.name, timeout=LEASE_SECONDS):
                log.info("this beat leads from now on")
                return True
            return bool(cache.get(LEADS) == self.name and cache.touch(LEADS, LEASE_SECONDS))
        except _away():
            return False

    def leave(self) -> None:
        try:
            if cache.get(LEADS) == self.name:
                cache.delete(LEADS)
        except _away():
            log.info("the seat could not be left; it goes away by itself")


class Scheduler(beat.Scheduler):  # type: ignore[misc]  # celery is untyped
    """Plain intervals, counted by a clock that only goes forward."""

    def __init__(self, *args: Any, **more: Any) -> None:
        self._due: dict[str, float] = {}
        self._seat = Seat()
        super().__init__(*args, **more)

    def tick(self, *_: Any, **__: Any) -> float:
        """Send what is due; answers the seconds until the next look."""
        if not self._seat.held():
            self._due.clear()
            return LOOK_SECONDS
        now = time.monotonic()
        for name, entry in self.schedule.items():
            every = entry.schedule.run_every.total_seconds()
            if self._due.setdefault(name, now + min(every, SOON_SECONDS)) <= now:
                self._due[name] = now + every
                self.apply_entry(entry, producer=self.producer)
        return float(min(LOOK_SECONDS, max(0.0, min(self._due.values()) - time.monotonic())))

    def close(self) -> None:
        self._seat.leave()
        super().close()


class Periodic(Task):  # type: ignore[misc]  # celery is untyped
    """A task; of what beats sent of it, at most one is done in half of its interval.

    Messages of a beat pile up while no worker runs, and come twice when two beats lead. They carry no time at which
    they are over: a worker whose clock is ahead would throw away every one.
    """

    abstract = True

    def __call__(self, *args: Any, **params: Any) -> Any:
        if self.sent_by_beat() and not cache.add(f"ran:{self.name}", "", timeout=max(1.0, every(self.name) / 2)):
            return None
        return super().__call__(*args, **params)

    def sent_by_beat(self) -> bool:
        headers: Mapping[str, Any] = self.request.headers or {}
        return bool(headers.get("celery_beat_task"))


def every(task: str) -> float:
    """The shortest interval of a task, in seconds; 0 where beats do not send it."""
    schedule: dict[str, dict[str, Any]] = settings.CELERY_BEAT_SCHEDULE
    return min((float(entry["schedule"]) for entry in schedule.values() if entry["task"] == task), default=0.0)
