"""A registry that answers whatever a test wants it to."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Hostile:
    """`says` gets each request. `heads`: (method, path, what was shown) of all of them."""

    port: int = 0
    says: Callable[["Asked"], None] = lambda asked: asked.answer(404)
    heads: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"


class Asked(BaseHTTPRequestHandler):
    """One request, and ways to answer it."""

    protocol_version = "HTTP/1.1"
    server: Any

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.begin(status, **{"Content_Length": str(len(body))} | headers)
        if self.command != "HEAD":
            self.wfile.write(body)

    def document(self, told: Any, status: int = 200, **headers: str) -> None:
        self.answer(status, json.dumps(told).encode(), **headers)

    def begin(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def without_end(self, piece: bytes, **headers: str) -> None:
        """Until whoever listens has had enough."""
        self.close_connection = True
        self.begin(200, **headers)
        with suppress(OSError):
            while True:
                self.wfile.write(piece)

    def drip(self) -> None:
        """A byte now and then."""
        self.close_connection = True
        self.begin(200)
        with suppress(OSError):
            while not self.server.over.wait(0.05):
                self.wfile.write(b" ")
                self.wfile.flush()

    def _any(self) -> None:
        hostile: Hostile = self.server.hostile
        hostile.heads.append((self.command, self.path, self.headers.get("Authorization", "")))
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        hostile.says(self)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _any  # noqa: N815  the library calls them so

    def log_message(self, *_words: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_words: Any) -> None:
        """Whoever listens goes away as they like."""


@contextmanager
def hostile() -> Iterator[Hostile]:
    server: Any = _Server(("127.0.0.1", 0), Asked)
    server.hostile, server.over = Hostile(server.server_port), threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.hostile
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
