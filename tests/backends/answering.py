"""A small server that answers as an engine of one's choice would: for what no real one of tests can be made to say."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[str, Any], tuple[int, Any]]  # (path, body) -> (status, what is sent as JSON)


@contextmanager
def answering(answer: Answer) -> Iterator[str]:
    """Its host and port, as long as it is there."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _say(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            sent = json.loads(self.rfile.read(length)) if length else None
            status, told = answer(self.path.partition("?")[0], sent)
            text = told if isinstance(told, bytes) else json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            if status in (301, 302, 307):
                self.send_header("Location", "http://169.254.169.254/")
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = _say  # noqa: N815  as the library names them

        def log_message(self, *_words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
