"""What several tests of usage need."""

import time

import pytest

from apps.models import AppEnvironment
from apps.observing import observe
from backends.contract import UsageCount
from observe.keeping import Book
from observe.points import FINE
from tests.conftest import Cast
from tests.engine import engine

__all__ = ["engine"]

SECOND = 1_000_000_000


class Meter:
    """Readings of instances that use so many millicores and so much memory, one every ten seconds."""

    def __init__(self, book: Book, at: int) -> None:
        self.book, self.start, self.at = book, at, at
        self.cpu_ns: dict[str, int] = {}

    def tick(self, *, cpu: int = 250, memory: int = 64 << 20, steps: int = 1) -> None:
        for _step in range(steps):
            rows = self.book.instances()
            self.book.take(self.at, rows, [self._count(row.engine_id, cpu, memory) for row in rows])
            self.at += FINE.step

    def _count(self, instance: str, cpu: int, memory: int) -> UsageCount:
        used = self.cpu_ns[instance] = self.cpu_ns.get(instance, 0) + cpu * 10 * SECOND // 1000
        seconds = self.at - self.start
        return UsageCount(self.at * SECOND, instance, used, memory, 1000 * seconds, 2000 * seconds)


@pytest.fixture
def lately(cast: Cast, running: AppEnvironment) -> Meter:
    """Ten minutes of numbers of `web` 1, 2 and 3, the newest of now."""
    observe(cast.cluster)
    meter = Meter(Book(cast.cluster), int(time.time()) // 10 * 10 - 590)
    meter.tick(steps=30)
    meter.tick(cpu=900, steps=1)
    meter.tick(steps=29)
    return meter
