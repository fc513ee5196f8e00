"""A registry that a test fills, over real HTTP: it answers as one does, or lies as the test says."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.images import doors
from tests.scanning.images import Made, digest

CHUNK = b"\0" * 65536
Lie = str  # "gone" | "away" | "endless" | "cut" | "moved" | "slow"


@dataclass
class Shelf:
    """What lies there, by digest; how it lies, by digest; and what was asked for, in order."""

    url: str = ""
    things: dict[str, bytes] = field(default_factory=dict)
    lies: dict[str, Lie] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    away: bool = False
    sent: int = 0  # bytes of what has no end

    def put(self, made: Made, **changed: Any) -> str:
        """The image's blobs and its manifest, whose digest this is. `changed` members of the manifest are false."""
        for one in (*made.laid(), made.config):
            self.things[digest(one)] = one
        return self.add(json.dumps(json.loads(made.manifest) | changed).encode())

    def add(self, data: bytes) -> str:
        self.things[digest(data)] = data
        return digest(data)


class Handler(BaseHTTPRequestHandler):
    shelf: Shelf
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        self.shelf.asked.append(name)
        lie = self.shelf.lies.get(name, "")
        data = self.shelf.things.get(name)
        if self.shelf.away or lie == "away":
            self._say(503, b"")
        elif lie == "moved":
            self.send_response(307)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif data is None or lie == "gone":
            self._say(404, b"")
        elif lie == "endless":
            self._endless(data)
        else:
            self._say(200, data, cut=lie == "cut")

    def _say(self, status: int, data: bytes, *, cut: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if cut else data)
        self.close_connection = self.close_connection or cut

    def _endless(self, data: bytes) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for piece in (data, *(CHUNK for _more in range(100_000))):
                self.wfile.write(b"%x\r\n" % len(piece) + piece + b"\r\n")
                self.shelf.sent += len(piece)
        except OSError:
            self.close_connection = True

    def log_message(self, *_words: Any) -> None:
        """Nobody reads it."""


@contextmanager
def opened(settings: Any) -> Iterator[Shelf]:
    shelf = Shelf()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Own", (Handler,), {"shelf": shelf}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    shelf.url = f"http://127.0.0.1:{server.server_port}"
    settings.REGISTRY = doors.SETTINGS | {"url": shelf.url}
    try:
        yield shelf
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)
