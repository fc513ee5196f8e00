"""Lines of an app in one environment, read from its engine: which of them are wanted, and how people read them."""

import asyncio
import re
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apps.kept_logs.reading import Source
from apps.log_levels import Levels, at_least
from backends.contract import LogLine, LogQuery

TAIL = 200
SEARCHED = 2000  # lines of each instance that a search looks through
SECONDS = 3.0
SERIES = 6
BILLION = 1_000_000_000

# CSI, then strings (OSC, DCS, APC, PM, SOS) up to their end, then two-byte sequences; none of them is ever acted on
_SEQUENCES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|$)"
    r"|\x1b[ -/]*[0-~]?"
)
_UNSEEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Filters:
    """What is left of the lines an engine gives: those with the text (case aside), of this level and above, of the
    instances with this number, and not after `until_ns`."""

    search: str = ""
    level: str = ""
    number: int | None = None
    until_ns: int | None = None

    @property
    def any(self) -> bool:
        return bool(self.search or self.level or self.number is not None or self.until_ns is not None)


@dataclass(frozen=True, slots=True)
class Marked:
    """A line with its text as Unicode, its level (or ""), and whether it goes on with the line before it."""

    line: LogLine
    text: str
    level: str
    goes_on: bool


class Sieve:
    """Lets through what is wanted of one stream; it must see every line, since levels go on from line to line."""

    def __init__(self, filters: Filters) -> None:
        self._filters, self._levels = filters, Levels()
        self._search = filters.search.casefold()

    def marked(self, line: LogLine) -> Marked | None:
        """None for what is not wanted."""
        asked = self._filters
        if asked.number is not None and line.number != asked.number:
            return None
        text = line.text.decode(errors="replace")
        level, goes_on = self._levels.of(line, text)
        if asked.until_ns is not None and line.at_ns > asked.until_ns:
            return None
        if not at_least(level, asked.level) or (self._search and self._search not in text.casefold()):
            return None
        return Marked(line, text, level, goes_on)

    def passes(self, line: LogLine) -> bool:
        """For those who want bytes only: does no more than the filters need."""
        if self._filters.level or self._filters.number is not None or self._filters.until_ns is not None:
            return self.marked(line) is not None
        return not self._search or self._search in line.text.decode(errors="replace").casefold()


@dataclass(frozen=True)
class Line:
    """One line for a page. `series` 1-6 colours the instance; `level` is one of LEVELS or ""; `goes_on`: it belongs
    to the line before."""

    at: datetime
    source: str
    text: str
    level: str
    series: int
    goes_on: bool = False


async def newest(
    source: Source, query: LogQuery, *, filters: Filters, most: int = TAIL, first: bool = False
) -> list[Marked]:
    """The last (or the `first`) lines, at most `most`. Raises DriverError, and TimeoutError after 3 seconds."""
    found: deque[Marked] = deque(maxlen=most)
    async with asyncio.timeout(SECONDS), aclosing(marked(source.logs(query), filters)) as lines:
        async for line in lines:
            found.append(line)
            if first and len(found) == most:
                break
    return list(found)


async def marked(lines: AsyncGenerator[LogLine, None], filters: Filters) -> AsyncGenerator[Marked, None]:
    sieve = Sieve(filters)
    async with aclosing(lines):
        async for line in lines:
            if (wanted := sieve.marked(line)) is not None:
                yield wanted


def shown(text: str) -> str:
    """Text that does nothing but be read: without escape sequences, and with a picture for every other control."""
    if not _UNSEEN.search(text):
        return text
    return _UNSEEN.sub(_picture, _SEQUENCES.sub("", text))


def _picture(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code == 0:
        return "\ufffd"
    return chr(0x2400 + code) if code < 0x20 else f"\u2039U+{code:04X}\u203a"


def lines_of(found: list[Marked], sources: dict[tuple[str, int], int]) -> list[Line]:
    """Lines as a page shows them; `sources` gives each (service, number) its colour."""
    return [_line(one, sources) for one in found]


def _line(one: Marked, sources: dict[tuple[str, int], int]) -> Line:
    line = one.line
    return Line(
        at=moment(line.at_ns),
        source=f"{line.service} {line.number}",
        text=shown(one.text),
        level=one.level,
        series=sources.get((line.service, line.number), 0) or 1 + line.number % SERIES,
        goes_on=one.goes_on,
    )


def moment(at_ns: int) -> datetime:
    """Aware, to the microsecond."""
    seconds, rest = divmod(at_ns, BILLION)
    return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=rest // 1000)


def nanoseconds(at: datetime) -> int:
    """Of the end of the microsecond that `at` names, so that a line written in it is not after it."""
    return round(at.timestamp() * 1_000_000) * 1000 + 999
