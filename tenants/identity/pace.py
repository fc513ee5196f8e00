"""Long work in parts that leave room between them, since it may run in the process that serves the pages."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from time import monotonic, sleep
from typing import TypeVar

T = TypeVar("T")
LONGEST_PAUSE = 0.25  # seconds
ROWS = 100  # that one part writes


def parts(items: Sequence[T], most: int = ROWS) -> Iterator[Sequence[T]]:
    return (items[first : first + most] for first in range(0, len(items), most))


def weighed(weights: Mapping[T, int], most: int = ROWS) -> Iterator[list[T]]:
    """Neighbours together until they weigh enough; one alone may weigh more."""
    part: list[T] = []
    weight = 0
    for item, more in weights.items():
        if part and weight + more > most:
            yield part
            part, weight = [], 0
        part.append(item)
        weight += more
    if part:
        yield part


def unhurried(work: Iterable[T]) -> Iterator[T]:
    """The same one after another, and before each but the first a rest as long as the one before it took."""
    rest = 0.0
    for each in work:
        sleep(rest)
        began = monotonic()
        yield each
        rest = min(monotonic() - began, LONGEST_PAUSE)
