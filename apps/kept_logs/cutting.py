"""A log with a time before each line, in pieces of any length, cut to whole lines that are wanted. Pure."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from backends.stamps import Clock

LEVEL = 1  # text shrinks tenfold even so


@dataclass
class Mark:
    """A place in a log: a time, and how many lines of just that time stand before it."""

    at_ns: int = 0
    lines: int = 0

    def note(self, at_ns: int) -> None:
        if at_ns >= self.at_ns:
            self.lines = self.lines + 1 if at_ns == self.at_ns else 1
            self.at_ns = at_ns


@dataclass
class Past:
    """Leaves out what stands before a mark: a log is asked for by the second, so some lines come again."""

    mark: Mark
    met: bool = False  # a line of the mark's own time, or one before it, came again: nothing is missing in between
    _skipped: int = 0

    def fresh(self, at_ns: int) -> bool:
        if at_ns > self.mark.at_ns:
            return True
        self.met = True
        if at_ns == self.mark.at_ns and self._skipped < self.mark.lines:
            self._skipped += 1
            return False
        return at_ns == self.mark.at_ns


@dataclass
class Cut:
    """Whole lines out of pieces: (when, the line with its time, where its text begins)."""

    _rest: bytes = b""
    _clock: Clock = field(default_factory=Clock)

    def of(self, piece: bytes) -> Iterator[tuple[int, bytes, int]]:
        *whole, self._rest = (self._rest + piece).split(b"\n")
        for line in whole:
            at_ns, start = self._clock.nanoseconds(line)
            if at_ns:  # all else is no line of the app
                yield at_ns, line, start

    def rest(self) -> Iterator[tuple[int, bytes, int]]:
        return self.of(b"\n") if self._rest else iter(())


@dataclass(frozen=True)
class Packed:
    """Lines that belong together. `lost`: a `KeptChunk.Lost`, of what is missing before them."""

    content: bytes
    first_ns: int
    last_ns: int
    last_lines: int  # of the log, so far, of just the last time
    lines: int
    lost: str


@dataclass
class Intake:
    """What an instance writes, from a mark on, until it is taken away to be kept."""

    mark: Mark
    lost: str = ""
    _past: Past | None = None
    _cut: Cut = field(default_factory=Cut)
    _lines: list[bytes] = field(default_factory=list)
    _first_ns: int = 0
    size: int = 0

    def __post_init__(self) -> None:
        self._past = Past(Mark(self.mark.at_ns, self.mark.lines)) if self.mark.at_ns else None

    def add(self, piece: bytes, *, lost: str) -> None:
        """`lost`: what it means when the line of the mark does not come again."""
        for at_ns, line, _start in self._cut.of(piece):
            if self._past is not None:
                if not self._past.fresh(at_ns):
                    continue
                if not self._past.met:
                    self.lost = self.lost or lost
                self._past = None if at_ns > self._past.mark.at_ns else self._past
            self._first_ns = self._first_ns or at_ns
            self.mark.note(at_ns)
            self._lines.append(line)
            self.size += len(line) + 1

    def take(self) -> Packed | None:
        if not self._lines:
            return None
        raw = b"\n".join([*self._lines, b""])
        about = (self._first_ns, self.mark.at_ns, self.mark.lines, len(self._lines), self.lost)
        made = Packed(zlib.compress(raw, LEVEL), *about)
        self._lines, self._first_ns, self.size, self.lost = [], 0, 0, ""
        return made


def unpacked(content: bytes) -> bytes:
    return zlib.decompress(content)
