"""Log lines as bytes: plain text for people and grep, JSON lines for programs."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

from backends.contract import LogLine
from core.api.formats import as_json

InstanceIds = Callable[[str], Awaitable[str | None]]
BILLION = 1_000_000_000


class Writer(Protocol):
    content_type: str

    async def bytes_of(self, line: LogLine) -> bytes: ...


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


def stamp(at_ns: int) -> str:
    """RFC 3339 in UTC with all nine digits, so that lines sort as text."""
    seconds, rest = divmod(at_ns, BILLION)
    return f"{_second(seconds)}.{rest:09d}Z"


class PlainText:
    """`time service.number text`; the text is what the app wrote, byte for byte."""

    content_type = "text/plain; charset=utf-8"

    async def bytes_of(self, line: LogLine) -> bytes:
        return f"{stamp(line.at_ns)} {line.service}.{line.number} ".encode() + line.text + b"\n"


class JsonLines:
    """One object a line; bytes that are no UTF-8 become U+FFFD."""

    content_type = "application/x-ndjson"

    def __init__(self, instance_ids: InstanceIds) -> None:
        self._instance_ids = instance_ids

    async def bytes_of(self, line: LogLine) -> bytes:
        document = {
            "written_at": stamp(line.at_ns),
            "service": line.service,
            "number": line.number,
            "instance": await self._instance_ids(line.instance),
            "stream": line.stream,
            "text": line.text.decode(errors="replace"),
        }
        return as_json(document) + b"\n"


async def written(
    lines: AsyncGenerator[LogLine, None], writer: Writer, *, search: str = ""
) -> AsyncGenerator[bytes, None]:
    """The lines that hold the text, case aside, as bytes."""
    wanted = search.casefold()
    async with aclosing(lines):
        async for line in lines:
            if not wanted or wanted in line.text.decode(errors="replace").casefold():
                yield await writer.bytes_of(line)
