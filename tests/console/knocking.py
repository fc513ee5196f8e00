"""Somebody who opens a socket: a person's browser on one of our pages, or a program with its token."""

import asyncio
from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import Client

from portal.routing import sockets

HERE = b"http://127.0.0.1"


def knock(
    path: str, *, who: Any = None, origin: bytes | None = HERE, token: str = "", client: Client | None = None
) -> Any:
    """A socket to be connected; `client` is a browser that is signed in already."""
    headers = [(b"host", b"127.0.0.1")] + ([(b"origin", origin)] if origin is not None else [])
    if who is not None:
        client = Client()
        client.force_login(who)
    if client is not None:
        headers.append((b"cookie", f"berth_session={client.cookies['berth_session'].value}".encode()))
    if token:
        headers.append((b"authorization", f"Bearer {token}".encode()))
    return WebsocketCommunicator(sockets, path, headers=headers)


async def opened(path: str, **options: Any) -> Any:
    """As `knock`, connected."""
    made = await sync_to_async(knock)(path, **options)
    assert (await made.connect(timeout=5))[0], "it was refused"
    return made


async def closed_with(socket: Any, *, seconds: float = 3) -> int:
    """The code it is closed with; what is said before that is passed over."""
    async with asyncio.timeout(seconds):
        while True:
            said = await socket.receive_output(timeout=seconds)
            if said["type"] == "websocket.close":
                return int(said["code"])


async def until(true: Callable[[], bool], *, seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)
