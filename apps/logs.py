"""The newest lines of an app in one environment, read from its engine, as people read them."""

import asyncio
import re
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from backends.contract import Driver, LogLine, LogQuery

TAIL = 200
SEARCHED = 2000  # lines of each instance that a search looks through
SECONDS = 3.0
SERIES = 6
_ERROR = re.compile(r"\b(error|err|fatal|critical|crit|panic|exception|traceback)\b", re.IGNORECASE)
_WARN = re.compile(r"\bwarn(ing)?\b", re.IGNORECASE)


@dataclass(frozen=True)
class Line:
    """One line for a page. `series` 1-6 colours the instance; `level` (error, warn or "") is guessed."""

    at: datetime
    source: str
    text: str
    level: str
    series: int


async def newest(driver: Driver, query: LogQuery, *, search: str, most: int = TAIL) -> list[LogLine]:
    """At most `most` lines in the order of time. Raises DriverError, and TimeoutError after 3 seconds."""
    wanted = search.casefold()
    found: list[LogLine] = []
    async with asyncio.timeout(SECONDS), aclosing(driver.logs(query)) as lines:
        async for line in lines:
            if not wanted or wanted in text_of(line).casefold():
                found.append(line)
    return found[-most:]


def text_of(line: LogLine) -> str:
    return line.text.decode(errors="replace").replace("\0", "\ufffd")


def level_of(text: str) -> str:
    """error, warn or empty, by the words of the line."""
    start = text[:400]
    if _ERROR.search(start):
        return "error"
    return "warn" if _WARN.search(start) else ""


def lines_of(found: list[LogLine], sources: dict[tuple[str, int], int]) -> list[Line]:
    """Lines as a page shows them; `sources` gives each (service, number) its colour."""
    return [_line(line, sources) for line in found]


def _line(line: LogLine, sources: dict[tuple[str, int], int]) -> Line:
    text = text_of(line)
    seconds, rest = divmod(line.at_ns, 1_000_000_000)
    return Line(
        at=datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=rest // 1000),
        source=f"{line.service} {line.number}",
        text=text,
        level=level_of(text),
        series=sources.get((line.service, line.number), 0) or 1 + line.number % SERIES,
    )
