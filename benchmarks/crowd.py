"""Thousands of open pages, as far as a portal notices: `python -m benchmarks.crowd PORT < session-keys`.

One socket for each session key, with the headers a browser sends. Every line read afterwards is a command; each answers
with one line of JSON when it is done:
  open SECONDS       open all, evenly spread over so many seconds
  lose               cut all at once; each comes back as a page does, after 1 to 30 seconds
  tell               how many are open
"""

import asyncio
import json
import os
import random
import resource
import sys
import time
from typing import Any

LONGEST_LINE = 1 << 20  # bytes: the keys of all sessions
PATIENCE_SECONDS = 180.0
BROWSER = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\n"
    "Pragma: no-cache\r\nCache-Control: no-cache\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"
)


class Page(asyncio.Protocol):
    """One socket. It is open when the feed has said hello."""

    def __init__(self, crowd: "Crowd", key: str) -> None:
        self.crowd, self.key = crowd, key
        self.rest, self.upgraded = b"", False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        host = f"127.0.0.1:{self.crowd.port}"
        transport.write(
            f"GET /ws/v1/feed HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n{BROWSER}"
            "Sec-WebSocket-Version: 13\r\n"
            f"Cookie: berth_session={self.key}; language=en; theme=dark\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        self.rest += data
        if not self.upgraded:
            head, end, rest = self.rest.partition(b"\r\n\r\n")
            if not end:
                return
            if b" 101 " not in head[:20]:
                self.crowd.refused += 1
                self.transport.abort()
                return
            self.rest, self.upgraded = rest, True
        while (start := self.start()) and len(self.rest) >= start[0] + start[1]:
            begin, size = start
            self.frame(self.rest[0] & 15, self.rest[begin : begin + size])
            self.rest = self.rest[begin + size :]

    def start(self) -> tuple[int, int] | None:
        """Where the body of the next frame begins and how long it is; None before that can be told."""
        if len(self.rest) < 2:
            return None
        if (size := self.rest[1] & 127) < 126:
            return 2, size
        return (4, int.from_bytes(self.rest[2:4])) if len(self.rest) >= 4 else None

    def frame(self, kind: int, body: bytes) -> None:
        if kind == 9:
            mask = os.urandom(4)
            masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(body))
            self.transport.write(bytes([0x8A, 0x80 | len(body)]) + mask + masked)
        elif kind == 1 and b"hello" in body:
            self.crowd.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.crowd.lost(self)


class Crowd:
    def __init__(self, port: int, keys: list[str]) -> None:
        self.port, self.keys = port, keys
        self.pages: set[Page] = set()
        self.refused = 0
        self.coming_back = False

    def opened(self, page: Page) -> None:
        self.pages.add(page)

    def lost(self, page: Page) -> None:
        self.pages.discard(page)
        if self.coming_back:
            asyncio.ensure_future(self.come(page.key, 1 + random.random() * 29))  # noqa: S311  as a page waits

    async def come(self, key: str, wait: float) -> None:
        await asyncio.sleep(wait)
        try:
            await asyncio.get_running_loop().create_connection(lambda: Page(self, key), "127.0.0.1", self.port)
        except OSError:
            await self.come(key, 1 + random.random() * 29)  # noqa: S311

    async def open(self, seconds: float) -> dict[str, Any]:
        came = [asyncio.ensure_future(self.come(key, random.random() * seconds)) for key in self.keys]  # noqa: S311
        return await self.whole() | {"tried": len(came)}

    async def lose(self) -> dict[str, Any]:
        self.coming_back = True
        for page in list(self.pages):
            page.transport.abort()
        await asyncio.sleep(0.1)
        found = await self.whole()
        self.coming_back = False
        return found

    async def whole(self) -> dict[str, Any]:
        """Until all are open, or patience is at its end."""
        began = time.monotonic()
        while len(self.pages) < len(self.keys) and time.monotonic() - began < PATIENCE_SECONDS:
            await asyncio.sleep(0.05)
        return self.tell() | {"seconds": time.monotonic() - began}

    def tell(self) -> dict[str, Any]:
        return {"open": len(self.pages), "refused": self.refused}


async def main(port: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    reader = asyncio.StreamReader(limit=LONGEST_LINE)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    keys = (await reader.readline()).decode().split()
    crowd = Crowd(port, keys)
    while line := (await reader.readline()).decode().split():
        if line[0] == "open":
            found = await crowd.open(float(line[1]))
        else:
            found = await crowd.lose() if line[0] == "lose" else crowd.tell()
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
