"""Requests that are too large, too slow or have too many headers, sent byte by byte to the real server."""

import contextlib
import json
import select
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from portal import patience
from portal.asgi import pages
from portal.patience import Bodies, Patient

MIB = 1024 * 1024
CLOSED_OR = {0}
SOON_SECONDS = 5.0
HEAD = b"POST /api/v1/tokens HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The portal's pages behind uvicorn, set up as `manage.py serve` does."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(Bodies(pages), http=Patient, lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join(10)


@contextlib.contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=SOON_SECONDS) as made:
        yield made


def answer_on(made: socket.socket) -> tuple[int, bytes]:
    """(status, everything after the head) until the server closes."""
    said = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := made.recv(65536):
            said += piece
    head, _gap, body = said.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def alive_in(port: int) -> float:
    """Seconds that a plain request takes."""
    begun = time.monotonic()
    with connected(port) as made:
        made.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        assert answer_on(made)[0] == 200
    return time.monotonic() - begun


@pytest.fixture
def spooled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes of bodies that went from memory to disk."""
    sizes: list[int] = []
    roll = tempfile.SpooledTemporaryFile.rollover

    def note(file: Any) -> None:
        sizes.append(file.tell())
        roll(file)

    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", note)
    return sizes


def test_two_gigabytes_that_say_so_are_refused_at_once(port: int, spooled: list[int]) -> None:
    with connected(port) as made:
        made.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % (2048 * MIB))
        status, body = answer_on(made)
    assert status == 413
    assert json.loads(body.partition(b"\r\n")[2].rpartition(b"\r\n0")[0] or body)["code"] == "too_large"
    assert spooled == []


def test_two_gigabytes_in_pieces_are_refused_when_they_are_too_much(port: int, spooled: list[int]) -> None:
    piece, sent = b"10000\r\n" + b"x" * 65536 + b"\r\n", 0
    with connected(port) as made:
        made.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while sent < 2048 * MIB and not _answered(made):
                made.sendall(piece)
                sent += 65536
        assert answer_on(made)[0] == 413
    assert sent < 16 * MIB
    assert spooled == []


def _answered(made: socket.socket) -> bool:
    made.setblocking(False)
    try:
        return bool(made.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False
    finally:
        made.settimeout(SOON_SECONDS)


def test_a_body_that_does_not_come_is_not_waited_for(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "BODY_SECONDS", 0.3)
    monkeypatch.setattr(patience, "LINGER_SECONDS", 0.1)
    with connected(port) as made:
        made.sendall(HEAD + b"Content-Length: 1000\r\n\r\n{")
        status, body = answer_on(made)
    assert status == 408
    assert b'"too_slow"' in body


@pytest.mark.parametrize("begun", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: b", b"\r\n\r\n"])
def test_a_head_that_does_not_come_is_not_waited_for(begun: bytes, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "HEAD_SECONDS", 0.3)
    with connected(port) as made:
        made.sendall(begun)
        assert answer_on(made)[0] == 408


def test_dripping_between_two_requests_gains_no_time(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "HEAD_SECONDS", 0.5)
    with connected(port) as made:
        made.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert made.recv(65536).startswith(b"HTTP/1.1 200")
        end = time.monotonic() + SOON_SECONDS
        with contextlib.suppress(ConnectionError):
            while not _answered(made):
                assert time.monotonic() < end, "the connection is held for ever"
                made.sendall(b"\r\n")
                select.select([made], [], [], 0.05)
        assert refused_with(made) in CLOSED_OR | {408}


def test_three_hundred_slow_ones_are_in_nobodys_way(port: int) -> None:
    with contextlib.ExitStack() as open_ones:
        for _one in range(300):
            made = open_ones.enter_context(connected(port))
            made.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-")
        assert min(alive_in(port) for _look in range(5)) < 1.0


def test_a_hundred_thousand_headers_are_refused(port: int) -> None:
    with connected(port) as made:
        made.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        with contextlib.suppress(ConnectionError):
            for _thousand in range(100):
                made.sendall(b"".join(b"X-%d: 1\r\n" % number for number in range(1000)))
        assert refused_with(made) in CLOSED_OR | {431}


def test_one_endless_header_is_refused(port: int) -> None:
    with connected(port) as made:
        made.sendall(b"GET /healthz HTTP/1.1\r\nX-Long: ")
        with contextlib.suppress(ConnectionError):
            for _piece in range(64):
                made.sendall(b"x" * 65536)
        assert refused_with(made) in CLOSED_OR | {431}


def refused_with(made: socket.socket) -> int:
    """The status; 0 where a sender that did not stop only sees that the connection is closed."""
    try:
        return answer_on(made)[0]
    except IndexError:
        return 0


def test_a_request_of_ordinary_size_goes_through(port: int) -> None:
    body = json.dumps({"name": "x" * (MIB - 100)}).encode()
    with connected(port) as made:
        made.sendall(HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body))
        for begin in range(0, len(body), 65536):
            made.sendall(body[begin : begin + 65536])
        assert answer_on(made)[0] == 401
