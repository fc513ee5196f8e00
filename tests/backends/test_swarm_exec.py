"""The order in which a console of a Swarm ends, which an engine shows only when it is too busy to end it."""

from typing import Any, cast

import pytest

from backends.contract import DriverError
from backends.failing import slow
from backends.swarm.exec import SwarmExec
from backends.swarm.wire import Wire


class Stream:
    """Nothing comes any more."""

    closed = False

    async def read(self, _limit: int = 0) -> bytes:
        return b""

    def close(self) -> None:
        self.closed = True


class Hunting:
    """An engine that notes whether the console's stream was still open when its processes were looked for."""

    def __init__(self, stream: Stream, *, refuses: bool = False) -> None:
        self.stream, self.refuses = stream, refuses
        self.open_then: list[bool] = []

    async def post(self, _path: str, _body: Any = None, **_query: Any) -> dict[str, str]:
        self.open_then.append(not self.stream.closed)
        if self.refuses:
            raise slow()
        return {"Id": "hunt"}

    async def hijack(self, _path: str, _body: Any, **_more: Any) -> Stream:
        return Stream()


def session(wire: Hunting) -> SwarmExec:
    return SwarmExec(cast("Wire", wire), "box", "1", cast("Any", wire.stream), token="t", tty=True, user="")


async def test_processes_are_ended_while_nobody_reads_what_they_write() -> None:
    wire = Hunting(Stream())
    await session(wire).close()
    assert (wire.open_then, wire.stream.closed) == ([True], True)


async def test_an_engine_that_is_slow_leaves_no_stream_open() -> None:
    wire = Hunting(Stream(), refuses=True)
    with pytest.raises(DriverError):
        await session(wire).close()
    assert wire.stream.closed
