"""A zip that is written while it is sent: nothing on disk, little in memory, any size."""

import asyncio
import io
import zipfile
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from datetime import UTC, datetime

from backends.contract import DriverError, ReasonCode

Member = tuple[str, AsyncGenerator[bytes, None]]
LEVEL = 1  # log text shrinks tenfold even so, and more effort would be slower than the engine
LEFT_OUT = "left-out.txt"


class Outlet(io.RawIOBase):
    """What zipfile writes into; it cannot be sought in, so sizes follow their member (and may need 64 bits)."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]  # a buffer, as RawIOBase promises
        self._pieces.append(piece)
        return len(piece)

    def take(self) -> bytes:
        taken, self._pieces = b"".join(self._pieces), []
        return taken


async def zipped(members: Iterable[Member]) -> AsyncGenerator[bytes, None]:
    """Each member in full. One whose instance is gone from its engine is named in a file of its own instead."""
    outlet, left_out = Outlet(), list[str]()
    # closed by `with` also when the reader has gone: left open, it would write its end when nobody expects it
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive:
        for name, content in members:
            async with aclosing(_member(archive, outlet, name, content, left_out)) as pieces:
                async for piece in pieces:
                    yield piece
        if left_out:
            archive.writestr(_info(LEFT_OUT), "\n".join(left_out) + "\n")
    yield outlet.take()


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, datetime.now(UTC).timetuple()[:6])
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info


async def _member(
    archive: zipfile.ZipFile, outlet: Outlet, name: str, content: AsyncGenerator[bytes, None], left_out: list[str]
) -> AsyncGenerator[bytes, None]:
    async with aclosing(content):
        try:
            first = await anext(content, b"")
        except DriverError as error:
            if error.reason.code not in (ReasonCode.INSTANCE_GONE, ReasonCode.HOST_NOT_REACHABLE):
                raise
            left_out.append(f"{name}: {error.reason.code}")
            return
        with archive.open(_info(name), "w", force_zip64=True) as member:
            await asyncio.to_thread(member.write, first)
            async for piece in content:
                await asyncio.to_thread(member.write, piece)  # compressing 64 KB takes a millisecond
                yield outlet.take()
    yield outlet.take()
