"""The test engine behind TLS: it only talks to who shows a certificate of its authority."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.accepting import accepting
from tests.certificates import Pair, signed
from tests.engine import LiveEngine


@dataclass(frozen=True)
class Guarded:
    """The engine behind TLS, at `address`, with what a client needs."""

    address: str
    authority: Pair
    client: Pair


@pytest.fixture
def guarded(engine: LiveEngine, tmp_path: Path) -> Iterator[Guarded]:
    with behind_tls(engine, tmp_path) as found:
        yield found


@contextmanager
def behind_tls(engine: LiveEngine, folder: Path) -> Iterator[Guarded]:
    """`folder` takes the files of the door."""
    authority = signed("test authority")
    server, client = signed("engine", by=authority), signed("portal", by=authority)
    for name, text in (("ca", authority.pem), ("cert", server.pem), ("key", server.key_pem)):
        (folder / name).write_text(text)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(folder / "ca"))
    context.load_cert_chain(folder / "cert", folder / "key")
    context.verify_mode = ssl.CERT_REQUIRED
    door = socket.create_server(("127.0.0.1", 0))

    def serve(plain: socket.socket) -> None:
        words = (plain, context, engine.url.removeprefix("unix://"))
        threading.Thread(target=_let_in, args=words, daemon=True).start()

    with accepting(door, serve) as port:
        yield Guarded(f"tcp://127.0.0.1:{port}", authority, client)


def _let_in(plain: socket.socket, context: ssl.SSLContext, engine: str) -> None:
    with suppress(OSError), socket.socket(socket.AF_UNIX) as inside:
        caller = context.wrap_socket(plain, server_side=True)
        inside.connect(engine)
        threading.Thread(target=_carry, args=(inside, caller), daemon=True).start()
        _carry(caller, inside)


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
