"""A real git server on this machine, by https: git's own, behind a small server of the web."""

import base64
import os
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.certificates import signed


@dataclass
class GitServer:
    """`asked`: what came of each request to sign in. `leads`: where every request is led to instead."""

    folder: Path
    authority: Path
    port: int = 0
    password: str = ""
    leads: str = ""
    asked: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self.port}/team/web.git"

    def commit(self, files: dict[str, str], *, branch: str = "main") -> str:
        """Put these files there; answers the commit."""
        work = self.folder / "work"
        if not work.exists():
            self._git("init", "-q", "-b", "main", str(work))
        self._git("-C", str(work), "checkout", "-q", "-B", branch)
        for name, text in files.items():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            (work / name).write_text(text)
        self._git("-C", str(work), "add", "-A")
        self._git("-C", str(work), "commit", "-q", "-m", "x")
        bare = self.folder / "team" / "web.git"
        if not bare.exists():
            self._git("init", "-q", "--bare", "-b", "main", str(bare))
        self._git("-C", str(work), "push", "-q", str(bare), f"{branch}:{branch}")
        return self._git("-C", str(work), "rev-parse", "HEAD").strip()

    def _git(self, *words: str) -> str:
        who = {f"GIT_{part}_{what}": "x@example.com" for part in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        env = os.environ | who | {"GIT_CONFIG_GLOBAL": "/dev/null", "HOME": str(self.folder)}
        done = subprocess.run(["git", *words], env=env, capture_output=True, text=True, check=True, timeout=60)
        return done.stdout


@contextmanager
def served(folder: Path) -> Iterator[GitServer]:
    authority = signed("authority")
    own = signed("127.0.0.1", by=authority)
    (folder / "ca.pem").write_text(authority.pem)
    (folder / "pair.pem").write_text(own.key_pem + own.pem)
    told = GitServer(folder, folder / "ca.pem")
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"told": told}))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "pair.pem")
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    told.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()


class Handler(BaseHTTPRequestHandler):
    told: GitServer

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *_told: object) -> None:
        pass

    def _answer(self) -> None:
        shown, told = self.headers.get("Authorization", ""), self.told
        told.asked.append(shown)
        if told.leads:
            self._plain(302, {"Location": told.leads + self.path})
            return
        if told.password and shown != "Basic " + base64.b64encode(f"me:{told.password}".encode()).decode():
            self._plain(401, {"WWW-Authenticate": 'Basic realm="x"'})
            return
        head, _empty, body = self._by_git().partition(b"\r\n\r\n")
        lines = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self._send(int(lines.pop("Status", "200").split()[0]), lines, body)

    def _plain(self, status: int, headers: dict[str, str]) -> None:
        self._send(status, headers, b"")

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _by_git(self) -> bytes:
        path, _mark, query = self.path.partition("?")
        size = int(self.headers.get("Content-Length") or 0)
        env = os.environ | {
            "GIT_PROJECT_ROOT": str(self.told.folder), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path,
            "QUERY_STRING": query, "REQUEST_METHOD": self.command, "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(size),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }  # fmt: skip
        words = ["git", "http-backend"]
        return subprocess.run(
            words, input=self.rfile.read(size), env=env, capture_output=True, check=True, timeout=60
        ).stdout
