"""How usage is kept: tiers of time, and chunks of points in few bytes. Pure."""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

GAP = 0xFFFFFFFF
KIBIBYTE = 1024


class Point(NamedTuple):
    """Of one step of time. CPU in millicores, memory in bytes, network in bytes a second; None: not known."""

    cpu: int | None = None
    cpu_peak: int | None = None
    memory: int | None = None
    received: int | None = None
    sent: int | None = None


NOTHING = Point()
WIDTH = len(Point._fields)


@dataclass(frozen=True)
class Tier:
    """`step`: seconds of a point. A chunk holds `length` points; an instance has `slots` chunks, used in turn.

    So an instance can never have more rows than slots, whoever forgets to clean up.
    """

    step: int
    length: int
    slots: int

    @property
    def seconds(self) -> int:
        """Of one chunk."""
        return self.step * self.length

    @property
    def kept_seconds(self) -> int:
        """What is surely there: the slot in use is not full yet."""
        return self.seconds * (self.slots - 1)

    def starts(self, at: int) -> int:
        """When the chunk that holds `at` begins."""
        return at - at % self.seconds

    def slot(self, starts: int) -> int:
        return starts // self.seconds % self.slots


FINE = Tier(step=10, length=30, slots=13)  # an hour
COARSE = Tier(step=60, length=60, slots=49)  # two days
TIERS = (FINE, COARSE)


class Chunk:
    """The points of one stretch of time."""

    def __init__(self, tier: Tier, at: int, packed: bytes = b"") -> None:
        self.tier = tier
        self.starts = tier.starts(at)
        count = tier.length * WIDTH
        self._words = list(struct.unpack(f"<{count}I", packed)) if len(packed) == 4 * count else [GAP] * count

    def holds(self, at: int) -> bool:
        return self.starts <= at < self.starts + self.tier.seconds

    def put(self, at: int, point: Point) -> None:
        place = (at - self.starts) // self.tier.step * WIDTH
        memory = None if point.memory is None else point.memory // KIBIBYTE
        words = point._replace(memory=memory)
        self._words[place : place + WIDTH] = [GAP if word is None else min(max(word, 0), GAP - 1) for word in words]

    def packed(self) -> bytes:
        return struct.pack(f"<{len(self._words)}I", *self._words)


def unpacked(packed: bytes, *, starts: int, step: int) -> Iterator[tuple[int, Point]]:
    """(when, point) of a stored chunk, gaps left out."""
    words = struct.unpack(f"<{len(packed) // 4}I", packed)
    for place in range(0, len(words), WIDTH):
        if any(word != GAP for word in words[place : place + WIDTH]):
            cpu, peak, memory, received, sent = (None if word == GAP else word for word in words[place : place + WIDTH])
            kept = None if memory is None else memory * KIBIBYTE
            yield starts + place // WIDTH * step, Point(cpu, peak, kept, received, sent)


def columns(packed: bytes) -> tuple[tuple[int, ...], ...]:
    """The words of a stored chunk, one row for each field of `Point`, a word for each step; GAP where nothing is known.

    Memory is in KiB. For sums over many chunks, where `unpacked` would make a tuple of each step.
    """
    words = struct.unpack(f"<{len(packed) // 4}I", packed)
    return tuple(words[field::WIDTH] for field in range(WIDTH))


def together(points: Iterable[Point]) -> Point:
    """One point for several: averages, but the highest of peaks and of memory."""
    some = list(points)
    if len(some) == 1:
        return some[0]
    return Point(
        cpu=_average(point.cpu for point in some),
        cpu_peak=_highest(point.cpu_peak for point in some),
        memory=_highest(point.memory for point in some),
        received=_average(point.received for point in some),
        sent=_average(point.sent for point in some),
    )


def _average(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known)) if known else None


def _highest(values: Iterable[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)
