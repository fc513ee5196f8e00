"""A receiver of webhooks: a real server on this machine that keeps what came and answers as it is told."""

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.outbound.speaking import whole

Answers = Callable[[socket.socket, bytes], None]
OK = whole(b"thanks")


@dataclass
class Came:
    """One request."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """`answers`: how it answers from now on. `came`: what was sent to it, in order."""

    answers: Answers = OK
    came: list[Came] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def says(self, line: socket.socket, head: bytes) -> None:
        told, _gap, body = head.partition(b"\r\n\r\n")
        first, *rest = told.decode().split("\r\n")
        headers = {name.lower(): value for name, _colon, value in (one.partition(": ") for one in rest)}
        while len(body) < int(headers.get("content-length", "0")):
            body += line.recv(65536)
        with self._lock:
            self.came.append(Came(first, headers, body))
        self.answers(line, head)
