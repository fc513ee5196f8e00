"""A server that says, byte for byte, what a test gives it to say."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tests.accepting import accepting

Says = Callable[[socket.socket, bytes], None]  # (line, head of the request)


@contextmanager
def speaking(says: Says, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Its port on 127.0.0.1."""

    def serve(line: socket.socket) -> None:
        threading.Thread(target=_answer, args=(line, says, tls), daemon=True).start()

    with accepting(socket.create_server(("127.0.0.1", 0)), serve) as port:
        yield port


def _answer(line: socket.socket, says: Says, tls: ssl.SSLContext | None) -> None:
    with suppress(OSError), line, tls.wrap_socket(line, server_side=True) if tls else line as spoken:
        head = b""
        while b"\r\n\r\n" not in head:
            if not (piece := spoken.recv(65536)):
                return
            head += piece
        says(spoken, head)


def whole(body: bytes = b"yes", *, status: str = "200 OK", headers: str = "") -> Says:
    """One ordinary answer."""
    told = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body
    return lambda line, _head: line.sendall(told)
