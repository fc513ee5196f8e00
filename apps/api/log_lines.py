"""Log lines as bytes: plain text for people and grep, JSON lines for programs."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

import orjson

from apps.logs import Filters, Marked, Sieve
from backends.contract import LogLine

InstanceIds = Callable[[str], Awaitable[str | None]]
BILLION = 1_000_000_000


class Writer(Protocol):
    """Writes lines of instances it has met."""

    content_type: str
    met: dict[str, bytes]

    async def meet(self, line: LogLine) -> None: ...

    def bytes_of(self, sieve: Sieve, line: LogLine) -> bytes:
        """Empty for a line that is not wanted."""
        ...


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


def stamp(at_ns: int) -> str:
    """RFC 3339 in UTC with all nine digits, so that lines sort as text."""
    seconds, rest = divmod(at_ns, BILLION)
    return f"{_second(seconds)}.{rest:09d}Z"


class PlainText:
    """`time service.number text`; the text is what the app wrote, byte for byte. Without `timestamps` only the text."""

    content_type = "text/plain; charset=utf-8"

    def __init__(self, *, timestamps: bool = True) -> None:
        self.met: dict[str, bytes] = {}
        self._timestamps = timestamps

    async def meet(self, line: LogLine) -> None:
        self.met[line.instance] = f" {line.service}.{line.number} ".encode()

    def bytes_of(self, sieve: Sieve, line: LogLine) -> bytes:
        if not sieve.passes(line):
            return b""
        if not self._timestamps:
            return line.text + b"\n"
        return b"%b%b%b\n" % (stamp(line.at_ns).encode(), self.met[line.instance], line.text)


class JsonLines:
    """One object a line; bytes that are no UTF-8 become U+FFFD.

    `longest`: characters of a text that are sent; of a longer one `bytes` says how long it is.
    """

    content_type = "application/x-ndjson"

    def __init__(self, instance_ids: InstanceIds, *, longest: int | None = None) -> None:
        self.met: dict[str, bytes] = {}
        self._instance_ids, self._longest = instance_ids, longest

    async def meet(self, line: LogLine) -> None:
        about = {
            "service": line.service,
            "number": line.number,
            "instance": await self._instance_ids(line.instance),
        }
        self.met[line.instance] = orjson.dumps(about)[1:-1]

    def bytes_of(self, sieve: Sieve, line: LogLine) -> bytes:
        marked = sieve.marked(line)
        return b"" if marked is None else self._object(marked)

    def _object(self, marked: Marked) -> bytes:
        line, text, more = marked.line, marked.text, b""
        if self._longest is not None and len(text) > self._longest:
            text, more = text[: self._longest], b',"bytes":%d' % len(line.text)
        if marked.goes_on:
            more += b',"goes_on":true'
        return b'{"written_at":"%b",%b,"stream":"%b","level":"%b","text":%b%b}\n' % (
            stamp(line.at_ns).encode(),
            self.met[line.instance],
            line.stream.encode(),
            marked.level.encode(),
            orjson.dumps(text),
            more,
        )


async def written(
    lines: AsyncGenerator[LogLine, None], writer: Writer, *, filters: Filters
) -> AsyncGenerator[bytes, None]:
    """The wanted lines as bytes, one by one."""
    sieve, met = Sieve(filters), writer.met
    async with aclosing(lines):
        async for line in lines:
            if line.instance not in met:
                await writer.meet(line)
            if piece := writer.bytes_of(sieve, line):
                yield piece
