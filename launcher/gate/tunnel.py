"""Bytes from one socket to another and back, with as much memory for a layer of any size."""

import asyncio
import contextlib
import fcntl
import os
import socket
from collections.abc import Iterator

IDLE_SECONDS = 600.0
LARGEST_PIECE = 256 * 1024
LARGEST_STEP = 1024 * 1024
SMALL_PIECE = 16 * 1024
PIPE = 256 * 1024  # a person who is not root may have 256 of them; more get small ones, which only take longer
LINGER_SECONDS = 2.0


class _Pulse:
    """When something went through last, in either direction."""

    def __init__(self) -> None:
        self.at = asyncio.get_running_loop().time()

    def beat(self) -> None:
        self.at = asyncio.get_running_loop().time()


async def tunnel(client: socket.socket, behind: socket.socket, *, bulk_up: bool) -> None:
    """Until the registry has answered and closed, the client is gone, or nothing moves any more.

    `bulk_up`: what is large goes up to the registry, else it comes down.
    """
    pulse = _Pulse()
    up = asyncio.create_task(_pass_on(client, behind, pulse) if bulk_up else _copy(client, behind, pulse))
    down = asyncio.create_task(_copy(behind, client, pulse) if bulk_up else _pass_on(behind, client, pulse))
    watch = asyncio.create_task(_watch(pulse))
    try:
        await asyncio.wait({up, down, watch}, return_when=asyncio.FIRST_COMPLETED)
        if up.done() and not down.done() and not watch.done() and up.exception() is not None:
            # the registry may have refused before it read all: what it said is still to come
            await asyncio.wait({down, watch}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (up, down, watch):
            task.cancel()
        await asyncio.gather(up, down, watch, return_exceptions=True)


async def _copy(source: socket.socket, target: socket.socket, pulse: _Pulse) -> None:
    loop, held = asyncio.get_running_loop(), memoryview(bytearray(SMALL_PIECE))
    while count := await loop.sock_recv_into(source, held):
        await loop.sock_sendall(target, held[:count])
        pulse.beat()


async def _pass_on(source: socket.socket, target: socket.socket, pulse: _Pulse) -> None:
    """The same for much: the system hands the bytes on through a pipe, and they never come to us."""
    with _pipe() as (inlet, outlet):
        while count := await _move(source.fileno(), inlet, LARGEST_STEP, wait_for=source):
            while count:
                count -= await _move(outlet, target.fileno(), count, wait_for=target)
                pulse.beat()


async def _move(here: int, there: int, most: int, *, wait_for: socket.socket) -> int:
    """Bytes moved, 0 at the end. One of the two is a pipe that is never waited for: it is filled only when empty."""
    while True:
        try:
            return os.splice(here, there, most)
        except BlockingIOError:
            await _ready(wait_for, to_write=wait_for.fileno() == there)


async def _ready(place: socket.socket, *, to_write: bool) -> None:
    loop, found = asyncio.get_running_loop(), asyncio.Event()
    add, remove = (loop.add_writer, loop.remove_writer) if to_write else (loop.add_reader, loop.remove_reader)
    add(place.fileno(), found.set)
    try:
        await found.wait()
    finally:
        remove(place.fileno())


@contextlib.contextmanager
def _pipe() -> Iterator[tuple[int, int]]:
    """(where in, where out)"""
    outlet, inlet = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):  # many pipes of one person get no more than the usual size
            fcntl.fcntl(inlet, fcntl.F_SETPIPE_SZ, PIPE)
        yield inlet, outlet
    finally:
        os.close(inlet)
        os.close(outlet)


async def _watch(pulse: _Pulse) -> None:
    loop = asyncio.get_running_loop()
    while (left := pulse.at + IDLE_SECONDS - loop.time()) > 0:
        await asyncio.sleep(left)


async def send_all(target: socket.socket, data: bytes) -> None:
    """All of it, or TimeoutError: whoever does not read is not waited for."""
    async with asyncio.timeout(IDLE_SECONDS):
        await asyncio.get_running_loop().sock_sendall(target, data)


async def linger(client: socket.socket) -> None:
    """Let what is still being sent run out: who closes on it makes the other side lose the answer too."""
    loop = asyncio.get_running_loop()
    with contextlib.suppress(TimeoutError, OSError):
        client.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(LINGER_SECONDS):
            while await loop.sock_recv(client, LARGEST_PIECE):
                pass
