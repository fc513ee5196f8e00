"""Engines that hang, hang up, refuse or are something else: each comes out as a DriverError, in time."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from backends.contract import DriverError, LogQuery, ReasonCode, ServiceRef
from backends.swarm.client import EngineClient
from backends.swarm.driver import SwarmDriver
from backends.swarm.wire import Wire

R = ReasonCode
Make = Callable[[bytes | None], str]
REFUSAL = b'{"message":"rpc error: update out of sequence"}'


def answer(status: int, body: bytes) -> bytes:
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (status, len(body)) + body


class Peer(threading.Thread):
    """Reads a request, says its words, and hangs up; without words it keeps the line open and stays silent."""

    def __init__(self, path: Path, words: bytes | None) -> None:
        super().__init__(daemon=True)
        self.words = words
        self.open: list[socket.socket] = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()

    def run(self) -> None:
        with suppress(OSError):  # closing the listener ends the loop
            while True:
                self.serve(self.listener.accept()[0])

    def serve(self, line: socket.socket) -> None:
        self.open.append(line)
        if self.words is not None:
            line.recv(65536)
            line.sendall(self.words)
            line.close()

    def stop(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        for one in (self.listener, *self.open):
            one.close()
        self.join(timeout=5)


@pytest.fixture
def peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """The address of an engine that answers everything with these words."""
    for module in ("client", "wire"):
        monkeypatch.setattr(f"backends.swarm.{module}.READ_SECONDS", 0.3)
    peers: list[Peer] = []

    def make(words: bytes | None) -> str:
        path = tmp_path / f"{len(peers)}.sock"
        peers.append(Peer(path, words))
        peers[-1].start()
        return f"unix://{path}"

    yield make
    for one in peers:
        one.stop()


CASES = [
    (None, R.ENGINE_SLOW),
    (b"", R.ENGINE_AWAY),
    (b"SSH-2.0-OpenSSH_9.2\r\n", R.ENGINE_AWAY),
    (answer(200, b"<html>hello</html>"), R.ENGINE_AWAY),
    (answer(500, REFUSAL), R.CONFLICT),
    (answer(502, b"<html>bad gateway</html>"), R.ENGINE_REFUSED),
]


@pytest.mark.parametrize(("words", "code"), CASES)
def test_blocking_calls(peer: Make, words: bytes | None, code: ReasonCode) -> None:
    """The peer keeps its connections open until the test is over: whoever comes back has not waited for its end."""
    client = EngineClient(peer(words))
    with pytest.raises(DriverError) as raised:
        client.get("/services")
    assert raised.value.reason.code == code


@pytest.mark.parametrize(("words", "code"), CASES)
async def test_flowing_calls(peer: Make, words: bytes | None, code: ReasonCode) -> None:
    with pytest.raises(DriverError) as raised:
        await Wire(peer(words)).get("/services")
    assert raised.value.reason.code == code


def test_health_is_an_answer_whatever_is_there(peer: Make) -> None:
    assert [SwarmDriver(peer(words)).health().ready for words, _ in CASES] == [False] * len(CASES)
    worker = answer(200, b'{"ServerVersion":"20.10","Swarm":{"LocalNodeState":"inactive","ControlAvailable":false}}')
    health = SwarmDriver(peer(worker)).health()
    assert health.version == "20.10"
    assert health.reason is not None
    assert health.reason.code == R.NOT_A_MANAGER


@pytest.mark.parametrize("url", ["unix:///nowhere/engine.sock", "tcp://127.0.0.1:1", "tcp://no-such-host.invalid:2375"])
async def test_nobody_there(url: str) -> None:
    driver = SwarmDriver(url)
    with pytest.raises(DriverError) as raised:
        driver.hosts()
    assert raised.value.reason.code == R.ENGINE_AWAY
    with pytest.raises(DriverError) as raised:
        await anext(driver.logs(LogQuery((ServiceRef("e", "a", "s"),))))
    assert raised.value.reason.code == R.ENGINE_AWAY


@pytest.mark.parametrize("url", ["", "gibberish", "ftp://x", "ssh://host", "unix://relative.sock"])
async def test_an_address_that_is_none(url: str) -> None:
    """Above all an empty one: it must not lead to the engine of this machine."""
    reason = SwarmDriver(url).health().reason
    assert reason is not None
    assert "unix:///" in reason.params["said"]
    with pytest.raises(DriverError):
        await Wire(url).get("/info")
