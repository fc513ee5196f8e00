"""A manifest, which is small and has to be looked at whole: sent in one piece or in several."""

import asyncio
import re
import socket

from launcher.gate.heads import Head, Unclear
from launcher.gate.tunnel import LARGEST_PIECE, send_all

SECONDS = 60.0
LARGEST = 4 * 1024 * 1024  # as the registry itself has it
LONGEST_LINE = 1024
SIZE = re.compile(rb"[0-9a-fA-F]{1,8}\Z")


async def whole(client: socket.socket, head: Head, rest: bytes) -> bytes:
    """All of it. `rest`: what came with the head already. Raises `Unclear`, or TimeoutError."""
    length, pieces = head.get("content-length"), head.get("transfer-encoding")
    if not length and not pieces:
        raise Unclear(411, "Say how long the manifest is.")
    if length and int(length) > LARGEST:
        raise Unclear(413, "The manifest is too large.")
    if head.expects:
        await send_all(client, b"HTTP/1.1 100 Continue\r\n\r\n")
    reader = _Reader(client, rest)
    async with asyncio.timeout(SECONDS):
        return await reader.take(int(length)) if length else await _pieces(reader)


async def _pieces(reader: "_Reader") -> bytes:
    """What was sent in pieces, each with its size before it; what comes after the last is let go."""
    found = bytearray()
    while size := _size(await reader.line()):
        if len(found) + size > LARGEST:
            raise Unclear(413, "The manifest is too large.")
        found += await reader.take(size)
        if await reader.line():
            raise Unclear(400, "A piece is longer than it says.")
    while await reader.line():
        pass
    return bytes(found)


def _size(line: bytes) -> int:
    if not SIZE.match(line):
        raise Unclear(400, "The size of a piece is not understood.")
    return int(line, 16)


class _Reader:
    def __init__(self, client: socket.socket, rest: bytes) -> None:
        self._client, self._held = client, bytearray(rest)

    async def take(self, count: int) -> bytes:
        while len(self._held) < count:
            await self._more(count - len(self._held))
        found = bytes(self._held[:count])
        del self._held[:count]
        return found

    async def line(self) -> bytes:
        """Without its end."""
        while (at := self._held.find(b"\r\n")) < 0:
            if len(self._held) > LONGEST_LINE:
                raise Unclear(400, "A line is too long.")
            await self._more(LONGEST_LINE)
        if at > LONGEST_LINE:
            raise Unclear(400, "A line is too long.")
        return (await self.take(at + 2))[:-2]

    async def _more(self, wanted: int) -> None:
        some = await asyncio.get_running_loop().sock_recv(self._client, min(wanted, LARGEST_PIECE))
        if not some:
            raise ConnectionResetError
        self._held += some
