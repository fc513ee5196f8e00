"""The asynchronous way to an API server: a connection for each stream, so that closing one ends what it carried."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from typing import Any

import aiohttp
from kubernetes.aio.client import Configuration
from kubernetes.aio.stream import WsApiClient

from backends.contract import DriverError
from backends.failing import away, slow
from backends.kubernetes.access import Access
from backends.kubernetes.client import CONNECT_SECONDS, READ_SECONDS, bearer, configured, query_of, read_json
from backends.kubernetes.errors import refused

PIECE = 256 * 1024
#: a stream may be silent for long; a cable that was cut is told from that after 15 + 3 * 5 seconds
PROBES = {socket.TCP_KEEPIDLE: 15, socket.TCP_KEEPINTVL: 5, socket.TCP_KEEPCNT: 3}
_CHANNELS = "v5.channel.k8s.io"  # the first that can end a process's input
_FRAME = 32 * 1024


class Stream:
    """A body that flows until either side closes."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def read(self) -> bytes:
        """b"" at the end. Whoever does not read makes the server wait."""
        try:
            return await self._answer.content.readany()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise away(str(error)) from error


class Socket:
    """A websocket of numbered channels."""

    def __init__(self, api: Any, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._api = api
        self._socket = socket

    async def receive(self) -> tuple[int, bytes] | None:
        """A channel's number and what came on it; None at the end."""
        try:
            message = await self._socket.receive()
        except (aiohttp.ClientError, OSError) as error:
            raise away(str(error)) from error
        if message.type not in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT):
            return None
        data = message.data.encode() if isinstance(message.data, str) else message.data
        return (data[0], data[1:]) if data else (-1, b"")

    async def send(self, channel: int, data: bytes) -> None:
        try:
            for start in range(0, len(data), _FRAME):
                await self._socket.send_bytes(bytes([channel]) + data[start : start + _FRAME])
        except (aiohttp.ClientError, OSError) as error:
            raise away(str(error)) from error

    async def close(self) -> None:
        await self._api.close()


class Wire:
    """Nothing is kept between calls, so one may serve any number of event loops."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._told: Any = None

    async def get(self, path: str, **query: Any) -> Any:
        return read_json(await self.read(path, **query))

    async def read(self, path: str, **query: Any) -> bytes:
        """What it says, as it says it."""
        async with self.stream(path, **query) as stream:
            try:
                async with asyncio.timeout(READ_SECONDS):
                    return b"".join([piece async for piece in pieces(stream)])
            except TimeoutError as error:
                raise slow() from error

    @asynccontextmanager
    async def stream(self, path: str, **query: Any) -> AsyncIterator[Stream]:
        api = self._api()
        try:
            with closing(await self._ask(api, path, query)) as answer:
                yield Stream(answer)
        finally:
            await api.close()

    async def _ask(self, api: Any, path: str, query: dict[str, Any]) -> aiohttp.ClientResponse:
        url = f"{self._access.server}{path}{query_of(query)}"
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
        headers = {"Accept": "application/json, */*", **bearer(self._access)}
        try:
            async with asyncio.timeout(READ_SECONDS):
                told = await api.rest_client.request("GET", url, headers=headers, _request_timeout=limits)
                if told.status >= 400:
                    raise refused(told.status, await told.read())
        except TimeoutError as error:
            raise slow() from error
        except (aiohttp.ClientError, OSError) as error:
            raise away(str(error)) from error
        answer: aiohttp.ClientResponse = told.response
        _probe(answer)
        return answer

    async def socket(self, path: str, *, command: Sequence[str], **query: Any) -> Socket:
        """Errors: RefusedError with the number the server answered instead of opening one."""
        api = self._api()
        url = f"{self._access.server}{path}{query_of(query | {'command': list(command)})}"
        headers = {"sec-websocket-protocol": _CHANNELS, **bearer(self._access)}
        try:
            async with asyncio.timeout(READ_SECONDS):
                opening = await api.request("GET", url, headers=headers, _preload_content=False)
                return Socket(api, await opening)
        except (aiohttp.ClientError, OSError, TimeoutError, DriverError, asyncio.CancelledError) as error:
            await api.close()
            raise _not_opened(error) from error

    def _api(self) -> Any:
        if self._told is None:
            own = {"trust_env": False}  # a proxy named in the environment is not meant for engines
            try:
                self._told = configured(Configuration, self._access, client_session_kwargs=own)
            except (OSError, ValueError) as error:
                raise away(str(error)) from error
        return WsApiClient(self._told)


def _probe(answer: aiohttp.ClientResponse) -> None:
    """Has the machine ask now and then whether the other side is still there, which costs the server nothing."""
    transport = answer.connection.transport if answer.connection else None
    reached: socket.socket | None = transport.get_extra_info("socket") if transport else None
    if reached is not None:
        reached.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in PROBES.items():
            reached.setsockopt(socket.IPPROTO_TCP, option, value)


def _not_opened(error: BaseException) -> BaseException:
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return refused(error.status, error.message.encode())
    if isinstance(error, TimeoutError):
        return slow()
    return away(str(error)) if isinstance(error, (aiohttp.ClientError, OSError)) else error


async def pieces(stream: Stream) -> AsyncIterator[bytes]:
    while piece := await stream.read():
        yield piece
