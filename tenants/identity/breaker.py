"""Spares a service that does not answer, and those who wait for it: after three failures nobody asks for 30 seconds."""

import threading
import time

FAILURES = 3
PAUSE_SECONDS = 30.0


class Breaker:
    """`open` while nobody should ask. One success closes it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._until = 0.0

    @property
    def open(self) -> bool:
        return time.monotonic() < self._until

    def failed(self) -> None:
        with self._lock:
            self._failures += 1
            if self._failures >= FAILURES:
                self._until = time.monotonic() + PAUSE_SECONDS

    def worked(self) -> None:
        with self._lock:
            self._failures, self._until = 0, 0.0
