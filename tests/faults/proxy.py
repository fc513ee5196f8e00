"""A proxy before an engine that can be slow, closed, deaf or forgetful, and that keeps what was asked.

It speaks HTTP/1 only as far as it must: it tells requests apart and passes every byte on as it came.
"""

import asyncio
import contextlib
import json
import ssl
import threading
from asyncio import StreamReader, StreamWriter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

PIECE = 64 * 1024


@dataclass(frozen=True)
class Asked:
    """One request as it went to the engine. `path` is decoded and has no query."""

    method: str
    path: str
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Ear:
    """Cuts the bytes of one connection into requests."""

    rest: bytes = b""
    deaf: bool = False  # after an upgrade the bytes are no HTTP any more

    def hear(self, piece: bytes) -> list[Asked]:
        self.rest += piece
        found = []
        while not self.deaf and (one := self._next()) is not None:
            found.append(one)
        return found

    def _next(self) -> Asked | None:
        head, end, body = self.rest.partition(b"\r\n\r\n")
        if not end:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): text.strip() for name, _colon, text in (line.partition(":") for line in lines)}
        size = int(headers.get("content-length", "0"))
        if len(body) < size:
            return None
        self.rest, self.deaf = body[size:], "upgrade" in headers
        method, target, _version = first.split(" ", 2)
        return Asked(method, unquote(target.partition("?")[0]), body[:size])


@dataclass(eq=False)
class Link:
    """One connection through the proxy."""

    near: StreamWriter
    far: StreamWriter
    asked: str = ""  # the last request as "POST /services/create"
    fresh: bool = False  # nothing of its answer has been passed on yet

    def break_off(self) -> None:
        self.near.transport.abort()
        self.far.transport.abort()


@dataclass
class FaultProxy:
    """Listens on a Unix socket at `path`, without one on a port; `upstream` is the engine's URL. Moods may be changed
    at any moment.
    """

    path: Path | None
    upstream: str
    identity: ssl.SSLContext | None = None  # as whom the engine is asked, where it wants to know
    refusing: bool = False  # closes every new connection at once
    losing: tuple[str, ...] = ()  # requests that begin so reach the engine; their answers are thrown away
    lost: int = 0
    halving: tuple[str, ...] = ()  # of the first answer to each that begins so half of its first piece is passed on
    halved: set[str] = field(default_factory=set)
    saying: dict[str, bytes] = field(
        default_factory=dict
    )  # to requests that begin so: this, and the engine hears nothing
    port: int = 0
    requests: list[Asked] = field(default_factory=list)
    _links: set[Link] = field(default_factory=set)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _free: asyncio.Event = field(default_factory=asyncio.Event)  # answers go on while it is set

    @property
    def url(self) -> str:
        return f"unix://{self.path}" if self.path else f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._loop.call_soon_threadsafe(self._free.set)
        self._do(self._listen())

    def stop(self) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)

    def well(self) -> None:
        self.refusing, self.losing, self.halving, self.saying = False, (), (), {}
        self.halved.clear()
        self._loop.call_soon_threadsafe(self._free.set)

    def hold(self) -> None:
        """Keep every answer back until `well`, or until its connection is cut."""

        async def keep() -> None:
            self._free.clear()

        self._do(keep())

    def asked(self, beginning: str) -> bool:
        """Whether a connection is open whose last request begins so."""
        return any(link.asked.startswith(beginning) for link in list(self._links))

    def cut(self, beginning: str = "") -> int:
        """Break off the open connections whose last request begins so; answers how many."""

        async def break_off() -> int:
            hit = [link for link in self._links if link.asked.startswith(beginning)]
            for link in hit:
                link.break_off()
            return len(hit)

        return int(self._do(break_off()))

    def _do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)

    async def _listen(self) -> None:
        if self.path:
            await asyncio.start_unix_server(self._serve, str(self.path))
            return
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await self._connect()
        except OSError:
            writer.transport.abort()
            return
        link = Link(writer, far_writer)
        self._links.add(link)
        with contextlib.suppress(OSError):
            await asyncio.gather(self._ask(link, reader), self._answer(link, far_reader))
        link.break_off()
        self._links.discard(link)

    async def _connect(self) -> tuple[StreamReader, StreamWriter]:
        parts = urlsplit(self.upstream)
        if parts.scheme == "unix":
            return await asyncio.open_unix_connection(parts.path)
        return await asyncio.open_connection(parts.hostname, parts.port, ssl=self.identity)

    async def _ask(self, link: Link, reader: StreamReader) -> None:
        ear = Ear()
        while piece := await reader.read(PIECE):
            for asked in ear.hear(piece):
                self.requests.append(asked)
                link.asked, link.fresh = f"{asked.method} {asked.path}", True
            if (said := self._instead(link)) is not None:
                link.near.write(said)
                await link.near.drain()
                continue
            link.far.write(piece)
            await link.far.drain()
        if link.far.can_write_eof():
            link.far.write_eof()

    def _instead(self, link: Link) -> bytes | None:
        """Only of requests without a body, which come in one piece."""
        said = next((said for beginning, said in self.saying.items() if link.asked.startswith(beginning)), None)
        return None if said is None else b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(said), said)

    async def _answer(self, link: Link, far_reader: StreamReader) -> None:
        while piece := await far_reader.read(PIECE):
            if link.fresh and self.losing and link.asked.startswith(self.losing):
                self.lost += 1
                link.break_off()
                return
            if link.fresh and link.asked.startswith(self.halving) and link.asked not in self.halved:
                self.halved.add(link.asked)
                link.near.write(piece[: len(piece) // 2])
                await link.near.drain()
                link.break_off()
                return
            if link.fresh:
                await self._free.wait()
            link.fresh = False
            link.near.write(piece)
            await link.near.drain()
        link.near.close()
