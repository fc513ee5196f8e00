"""What flows out of the world in memory: logs, usage, and a shell that knows a handful of words."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import UTC, datetime

from backends.contract import DriverError, LogLine, LogQuery, Reason, ReasonCode, UsageCount, UsageSample, Written
from backends.fake.world import Instance

LOOK_SECONDS = 0.02
SAMPLE_SECONDS = 1.0
MILLICORES = 12.5
_KNOWN = {"sh", "/bin/sh", "cat", "true", "env"}
_NANO = 1_000_000_000

Lookup = Callable[[], list[Instance]]


async def lines(lookup: Lookup, query: LogQuery) -> AsyncGenerator[LogLine, None]:
    told: dict[str, int] = {}
    past = [line for one in lookup() for line in _newest(_within(one, query, told), query.tail)]
    for line in _newest(sorted(past, key=lambda line: line.at_ns), query.newest):
        yield line
    while query.follow:
        fresh = [line for one in lookup() for line in _within(one, query, told)]
        for line in sorted(fresh, key=lambda line: line.at_ns):
            yield line
        await asyncio.sleep(LOOK_SECONDS)


def _within(one: Instance, query: LogQuery, told: dict[str, int]) -> list[LogLine]:
    start = told.get(one.status.id, 0)
    told[one.status.id] = len(one.lines)
    return [line for line in one.lines[start:] if _between(line, query.since, query.until)]


def _newest(some: list[LogLine], tail: int | None) -> list[LogLine]:
    return some if tail is None else some[max(0, len(some) - tail) :]


def _between(line: LogLine, since: datetime | None, until: datetime | None) -> bool:
    at = line.at_ns / _NANO
    return (since is None or at >= since.timestamp()) and (until is None or at <= until.timestamp())


async def plain(find: Callable[[], Instance], written: Written) -> AsyncGenerator[bytes, None]:
    told = 0
    one = find()
    while True:
        over = not one.status.wanted
        for line in one.lines[told:]:
            told += 1
            if _between(line, written.since, written.until):
                yield _plain(line, timestamps=written.timestamps)
        if over or not written.follow:
            return
        await asyncio.sleep(LOOK_SECONDS)


def _plain(line: LogLine, *, timestamps: bool) -> bytes:
    stamp = datetime.fromtimestamp(line.at_ns // _NANO, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S")
    head = f"{stamp}.{line.at_ns % _NANO:09d}Z ".encode() if timestamps else b""
    return head + line.text + b"\n"


async def usage(find: Callable[[], Instance], *, follow: bool) -> AsyncGenerator[UsageSample, None]:
    """As `count`; followed, it breaks off when the engine goes away."""
    one = find()
    while one.status.wanted:
        now = count(one)
        limit = one.spec.resources.memory_limit or 16 << 30
        received, sent = now.network_in_bytes, now.network_out_bytes
        yield UsageSample(now.at_ns, one.status.id, MILLICORES, now.memory_bytes, limit, received, sent)
        if not follow:
            return
        await asyncio.sleep(SAMPLE_SECONDS)
        find()


def count(one: Instance) -> UsageCount:
    """Every instance uses 12.5 millicores and 8 MiB, takes in 1000 bytes a second and gives out 2000."""
    now = time.time_ns()
    memory = min(8 << 20, one.spec.resources.memory_limit or 16 << 30)
    received = now // 1_000_000  # a thousand a second
    return UsageCount(now, one.status.id, int(now * MILLICORES / 1000), memory, received, 2 * received)


class FakeExec:
    """Echoes what is typed, as a terminal does, and answers `echo X`, `stty size` and `exit N`."""

    user = ""

    def __init__(self, command: Sequence[str], *, tty: bool, columns: int, rows: int) -> None:
        if not command or command[0] not in _KNOWN:
            reason = Reason(ReasonCode.NO_SHELL, {"command": command[0] if command else ""})
            raise DriverError(reason, permanent=True)
        self._tty = tty
        self._plain = command[0] == "cat"
        self._size = (rows, columns)
        self._output = asyncio.Queue[bytes]()
        self._typed = b""
        self._code: int | None = None
        if command[0] in {"true", "env"}:
            self._finish(0)
        elif tuple(command[1:2]) == ("-c",):
            for part in command[2].split(";"):
                self._do(part.strip().encode())
            self._finish(self._code or 0)

    async def __aenter__(self) -> "FakeExec":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def read(self, limit: int = 65536) -> bytes:
        if self._code is not None and self._output.empty():
            return b""
        return (await self._output.get())[:limit]

    async def write(self, data: bytes) -> None:
        if self._code is not None:
            return
        if self._plain or self._tty:
            self._output.put_nowait(data)
        if self._plain:
            return
        *whole, self._typed = (self._typed + data).replace(b"\r", b"\n").split(b"\n")
        for line in whole:
            self._do(line.strip())

    async def end_input(self) -> None:
        self._finish(0)

    async def resize(self, *, columns: int, rows: int) -> None:
        self._size = (rows, columns)

    async def exit_code(self) -> int | None:
        return self._code

    async def close(self) -> None:
        self._finish(129)

    def _do(self, line: bytes) -> None:
        word, _, rest = line.partition(b" ")
        if word == b"exit":
            self._finish(int(rest or b"0"))
        elif word == b"echo":
            self._output.put_nowait(rest + b"\r\n" if self._tty else rest + b"\n")
        elif line == b"stty size":
            self._output.put_nowait(b"%d %d\r\n" % self._size)

    def _finish(self, code: int) -> None:
        if self._code is None:
            self._code = code
            self._output.put_nowait(b"")
