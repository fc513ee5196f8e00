"""The asynchronous way to an engine: one connection a request, so that closing one ends exactly what it carried.

Streams are asked for in HTTP/1.0: the engine then sends the bare bytes until it closes, instead of wrapping every
log line in a chunk of its own. That is half of the cost of reading a long log.
"""

import asyncio
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import orjson

from backends.contract import DriverError, Readable
from backends.failing import away, slow
from backends.swarm.client import CONNECT_SECONDS, READ_SECONDS, TlsFiles, read_json, read_message, refuse_other_schemes
from backends.swarm.errors import refused

PIECE = 256 * 1024
_BUFFER = 2 * PIECE


class Stream:
    """A body that flows until either side closes."""

    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self, limit: int = PIECE) -> bytes:
        """b"" at the end. Whoever does not read makes the engine wait."""
        try:
            return await self._reader.read(limit)
        except OSError as error:
            raise away(str(error)) from error

    async def write(self, data: bytes) -> None:
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError as error:
            raise away(str(error)) from error

    def end_input(self) -> bool:
        """False where the transport cannot close one direction alone (TLS)."""
        if not self._writer.can_write_eof():
            return False
        self._writer.write_eof()
        return True

    def close(self) -> None:
        self._writer.transport.abort()


class Wire:
    """Nothing is kept between calls, so one may serve any number of event loops."""

    def __init__(self, url: str, *, tls: TlsFiles | None = None) -> None:
        self._url = url
        self._tls = tls

    async def get(self, path: str, **query: Any) -> Any:
        return await self._json("GET", path, None, query)

    async def post(self, path: str, body: Any, **query: Any) -> Any:
        return await self._json("POST", path, body, query)

    async def delete(self, path: str, **query: Any) -> Any:
        return await self._json("DELETE", path, None, query)

    @asynccontextmanager
    async def sent(
        self, path: str, *, body: Readable | None, size: int, headers: Mapping[str, str], **query: Any
    ) -> AsyncIterator[Stream]:
        """Post a body of `size` bytes; what is answered flows until either side closes. The caller has the clock."""
        reader, writer = await self._open(_BUFFER)
        stream = Stream(reader, writer)
        try:
            await stream.write(_head("POST", path, query, size=size, headers=headers))
            with suppress(DriverError):  # it may say no before it has all of it, and say why
                while body is not None and (piece := body.read(PIECE)):
                    await stream.write(piece)
            status = await _status(reader)
            if status >= 400:
                raise refused(status, await _said(stream))
            yield stream
        finally:
            stream.close()

    @asynccontextmanager
    async def stream(self, path: str, **query: Any) -> AsyncIterator[Stream]:
        stream, _ = await self._ask("GET", path, None, query)
        try:
            yield stream
        finally:
            stream.close()

    async def hijack(self, path: str, body: Any, *, ahead: int = _BUFFER) -> Stream:
        """A connection that is a plain two-way pipe from here on; the caller closes it.

        At most twice `ahead` bytes are held of what nobody has read yet; then the engine waits.
        """
        stream, _ = await self._ask("POST", path, body, {}, upgrade=True, ahead=ahead)
        return stream

    async def _json(self, method: str, path: str, body: Any, query: Mapping[str, Any]) -> Any:
        stream, _ = await self._ask(method, path, body, query)
        try:
            async with asyncio.timeout(READ_SECONDS):
                told = b"".join([piece async for piece in _pieces(stream)])
        except TimeoutError as error:
            raise slow() from error
        finally:
            stream.close()
        return read_json(told)

    async def _ask(
        self,
        method: str,
        path: str,
        body: Any,
        query: Mapping[str, Any],
        *,
        upgrade: bool = False,
        ahead: int = _BUFFER,
    ) -> tuple[Stream, int]:
        reader, writer = await self._open(ahead)
        stream = Stream(reader, writer)
        try:
            async with asyncio.timeout(READ_SECONDS):
                await stream.write(_request(method, path, body, query, upgrade=upgrade))
                status = await _status(reader)
                if status >= 400:
                    raise refused(status, await _said(stream))
        except TimeoutError as error:
            stream.close()
            raise slow() from error
        except (DriverError, asyncio.CancelledError):
            stream.close()
            raise
        return stream, status

    async def _open(self, ahead: int) -> tuple[StreamReader, StreamWriter]:
        refuse_other_schemes(self._url)
        parts = urlsplit(self._url)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                if parts.scheme == "unix":
                    return await asyncio.open_unix_connection(parts.path, limit=ahead)
                context = _context(self._tls) if self._tls else None
                return await asyncio.open_connection(parts.hostname, parts.port, ssl=context, limit=ahead)
        except (OSError, TimeoutError) as error:
            raise away(str(error)) from error


def _context(tls: TlsFiles) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=tls.ca)
    context.load_cert_chain(tls.cert, tls.key)
    return context


def _request(method: str, path: str, body: Any, query: Mapping[str, Any], *, upgrade: bool) -> bytes:
    data = b"" if body is None else orjson.dumps(body)
    headers = {"Content-Type": "application/json"}
    if upgrade:
        headers |= {"Connection": "Upgrade", "Upgrade": "tcp"}
    return _head(method, path, query, size=len(data), headers=headers, version="1.1" if upgrade else "1.0") + data


def _head(
    method: str, path: str, query: Mapping[str, Any], *, size: int, headers: Mapping[str, str], version: str = "1.0"
) -> bytes:
    asked = urlencode({name: _plain(value) for name, value in query.items() if value is not None})
    lines = [
        f"{method} {quote(path)}{'?' + asked if asked else ''} HTTP/{version}",
        "Host: engine",
        f"Content-Length: {size}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return orjson.dumps(value).decode()
    return str(int(value)) if isinstance(value, bool) else str(value)


async def _status(reader: StreamReader) -> int:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1])
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, IndexError, OSError) as error:
        raise away(f"no answer in HTTP: {error}") from error


async def _said(stream: Stream) -> str:
    return read_message(b"".join([piece async for piece in _pieces(stream)]))


async def _pieces(stream: Stream) -> AsyncIterator[bytes]:
    while piece := await stream.read():
        yield piece
