"""Long work in parts that leave room between them, since it may run in the process that serves the pages.

Whoever else wants to write into an SQLite finds it free between two of them, too.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from time import monotonic, sleep
from typing import TypeVar

T = TypeVar("T")
ROWS = 25  # that one part writes: some 20 ms of the processor
REST = 2  # times as long as the part before took: what serves pages is then ours for a third of the time
LONGEST_REST = 0.25  # seconds


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
    """The same one after another, and before each but the first a rest that the one before it has earned."""
    rest = 0.0
    for each in work:
        sleep(rest)
        began = monotonic()
        yield each
        rest = min(REST * (monotonic() - began), LONGEST_REST)
