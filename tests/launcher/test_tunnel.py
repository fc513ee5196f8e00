"""What goes through the gate in bulk: whole, in both directions, and to an end whoever goes away."""

import asyncio
import contextlib
import hashlib
import os
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from launcher.gate.tunnel import tunnel

MANY = 24 * 1024 * 1024  # more than all that lies between two sockets can hold
SECONDS = 60


class Ends:
    """The two that talk, and the two that the gate has between them."""

    def __init__(self, *, behind_by_path: bool) -> None:
        self.client, self.inner_client = _connected()
        self.registry, self.inner_registry = socket.socketpair() if behind_by_path else _connected()

    def close(self) -> None:
        for one in (self.client, self.inner_client, self.registry, self.inner_registry):
            one.close()

    def through(self, *, bulk_up: bool) -> None:
        """What the gate does. Raises TimeoutError where it never ends."""
        for one in (self.inner_client, self.inner_registry):
            one.setblocking(False)

        async def run() -> None:
            async with asyncio.timeout(SECONDS):
                await tunnel(self.inner_client, self.inner_registry, bulk_up=bulk_up)

        asyncio.run(run())


def _connected() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = socket.create_connection(listener.getsockname(), timeout=SECONDS)
        return near, listener.accept()[0]


@pytest.fixture(params=[False, True], ids=["by port", "by path"])
def ends(request: pytest.FixtureRequest) -> Iterator[Ends]:
    made = Ends(behind_by_path=request.param)
    yield made
    made.close()


def beside(deed: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=deed, daemon=True)
    thread.start()
    return thread


def taken(place: socket.socket, count: int) -> str:
    """The sum of so many bytes."""
    found = hashlib.sha256()
    while count:
        some = place.recv(min(count, 50_000))
        if not some:
            raise EOFError(f"{count} bytes are missing")
        found.update(some)
        count -= len(some)
    return found.hexdigest()


def test_a_layer_goes_up_whole_and_is_answered(ends: Ends) -> None:
    layer, came, answer = os.urandom(MANY), list[str](), list[bytes]()

    def push() -> None:
        ends.client.sendall(layer)
        answer.append(ends.client.recv(100))

    def take() -> None:
        came.append(taken(ends.registry, MANY))
        ends.registry.sendall(b"HTTP/1.1 202 Accepted")
        ends.registry.close()

    threads = [beside(push), beside(take)]
    ends.through(bulk_up=True)
    ends.inner_client.close()
    for thread in threads:
        thread.join(SECONDS)
    assert came == [hashlib.sha256(layer).hexdigest()]
    assert answer == [b"HTTP/1.1 202 Accepted"]


def test_a_layer_comes_down_whole(ends: Ends) -> None:
    layer, came = os.urandom(MANY), list[str]()

    def give() -> None:
        ends.registry.sendall(layer)
        ends.registry.close()

    threads = [beside(give), beside(lambda: came.append(taken(ends.client, MANY)))]
    ends.through(bulk_up=False)
    for thread in threads:
        thread.join(SECONDS)
    assert came == [hashlib.sha256(layer).hexdigest()]


def test_what_the_registry_says_before_it_has_all_reaches_the_client(ends: Ends) -> None:
    """It refuses after the first part, and reads no further."""
    answer = list[bytes]()

    def push() -> None:
        ends.client.sendall(b"x" * 100_000)
        answer.append(ends.client.recv(100))

    def refuse() -> None:
        taken(ends.registry, 10)
        ends.registry.sendall(b"HTTP/1.1 401 Unauthorized")
        taken(ends.registry, 100_000 - 10)
        ends.registry.close()

    threads = [beside(push), beside(refuse)]
    ends.through(bulk_up=True)
    for thread in threads:
        thread.join(SECONDS)
    assert answer == [b"HTTP/1.1 401 Unauthorized"]


def test_a_client_that_goes_away_in_the_middle_ends_it(ends: Ends) -> None:
    """And the registry is told nothing that the client did not send."""
    ends.client.sendall(b"x" * 1000)
    ends.client.close()
    ends.through(bulk_up=True)
    ends.inner_registry.close()
    assert taken(ends.registry, 1000) == hashlib.sha256(b"x" * 1000).hexdigest()
    assert ends.registry.recv(10) == b""


def test_a_client_that_does_not_read_holds_no_files_open_after_it_is_gone(ends: Ends) -> None:
    before = len(os.listdir("/proc/self/fd"))
    ends.registry.settimeout(SECONDS)

    def give() -> None:
        with contextlib.suppress(OSError):
            while True:
                ends.registry.sendall(b"x" * 100_000)

    def leave() -> None:
        taken(ends.client, 10)
        ends.client.close()

    threads = [beside(give), beside(leave)]
    ends.through(bulk_up=False)
    ends.inner_client.close()
    ends.inner_registry.close()
    for thread in threads:
        thread.join(SECONDS)
    assert len(os.listdir("/proc/self/fd")) <= before - 2
