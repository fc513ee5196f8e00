"""Real registries on this machine, and what lies in them."""

import base64
import hashlib
import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit

from images.registry import signing
from images.registry.scopes import read
from launcher.keys import make_registry_keys
from launcher.paths import State
from launcher.processes import Mark, spawn, until
from launcher.registry import PROGRAM, Berth, PrivateRegistry, clean_environment
from launcher.services import answers_at, free_at
from portal import environment as environments

SECONDS = 30
USER, PASSWORD = "mirror", "sesame"
HTPASSWD = f"{USER}:$2y$05$abcdefghijklmnopqrstuuKcS.CYWVYVaLiiCKrrc0A5s3mGesJ9O\n"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
OCI_INDEX, OCI_MANIFEST = "application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json"


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass
class Depot:
    """A registry's process that can be killed and started again, with what it holds. `auth` as its settings say it."""

    folder: Path
    auth: dict[str, Any] = field(default_factory=dict)
    port: int = 0
    mark: Mark | None = None

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def start(self) -> "Depot":
        self.folder.mkdir(exist_ok=True)
        self.port = self.port or free_at("127.0.0.1", 0)
        said: dict[str, Any] = {
            "version": 0.1,
            "log": {"level": "error", "accesslog": {"disabled": True}},
            "http": {"addr": self.host, "secret": "the same after each start"},
            "storage": {"filesystem": {"rootdirectory": str(self.folder / "data")}, "delete": {"enabled": True}},
        }
        config = self.folder / "config.json"
        config.write_text(json.dumps(said | ({"auth": self.auth} if self.auth else {})))
        with (self.folder / "log").open("ab") as log:
            process = spawn([PROGRAM, "serve", str(config)], log=log, env=clean_environment())
        self.mark = Mark.of(process.pid)
        assert until(lambda: answers_at("127.0.0.1", self.port), seconds=SECONDS), (self.folder / "log").read_text()
        return self

    def kill(self) -> None:
        if self.mark:
            self.mark.kill()
            self.mark.wait(seconds=SECONDS)

    def put(
        self, path: str, tag: str, *layers: bytes, labels: dict[str, str] | None = None, built: str = "", name: str = ""
    ) -> str:
        """An image of these layers; answers its digest. `name`: by its digest, for a list."""
        config = json.dumps(
            {
                "architecture": "amd64", "os": "linux", "created": built or "2026-01-01T00:00:00Z",
                "config": {"Labels": labels or {}}, "rootfs": {"type": "layers", "diff_ids": []}, "x": name,
            }
        ).encode()  # fmt: skip
        for content in (config, *layers):
            self._blob(path, content)
        document = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": _described(config, CONFIG),
            "layers": [_described(one, LAYER) for one in layers],
        }
        return self._manifest(path, tag, json.dumps(document).encode(), MANIFEST)

    def put_list(self, path: str, tag: str, digests: list[tuple[str, int]]) -> str:
        """An image for several platforms, each of which lies there already."""
        listed = [
            {
                "mediaType": MANIFEST, "digest": digest, "size": size,
                "platform": {"os": "linux", "architecture": name},
            }
            for (digest, size), name in zip(digests, ("amd64", "arm64"), strict=True)
        ]  # fmt: skip
        document = {"schemaVersion": 2, "mediaType": LIST, "manifests": listed}
        return self._manifest(path, tag, json.dumps(document).encode(), LIST)

    def size(self, path: str, digest: str) -> int:
        return len(self.get(f"/v2/{path}/manifests/{digest}"))

    def digest(self, path: str, tag: str) -> str:
        """Empty where there is none."""
        body = self.get(f"/v2/{path}/manifests/{tag}")
        return digest_of(body) if body else ""

    def get(self, address: str, **headers: str) -> bytes:
        accept = ", ".join((MANIFEST, LIST, OCI_INDEX, OCI_MANIFEST))
        request = urllib.request.Request(self.url + address, headers={"Accept": accept} | self._shown() | headers)
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:
                return bytes(answer.read())
        except HTTPError as error:
            if error.code != 404:
                raise
            return b""

    def _manifest(self, path: str, tag: str, body: bytes, kind: str) -> str:
        digest = digest_of(body)
        self._send("PUT", f"/v2/{path}/manifests/{tag or digest}", body, kind)
        return digest

    def _blob(self, path: str, content: bytes) -> None:
        place = urlsplit(self._send("POST", f"/v2/{path}/blobs/uploads/", b"", "application/octet-stream"))
        address = f"{place.path}?{place.query}&digest={digest_of(content)}"
        self._send("PUT", address, content, "application/octet-stream")

    def _send(self, method: str, address: str, body: bytes, kind: str) -> str:
        headers = {"Content-Type": kind, "Content-Length": str(len(body))} | self._shown()
        request = urllib.request.Request(self.url + address, data=body, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            return str(answer.headers.get("Location", ""))

    def _shown(self) -> dict[str, str]:
        pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        return {"Authorization": f"Basic {pair}"} if "htpasswd" in self.auth else {}


def _described(content: bytes, kind: str) -> dict[str, Any]:
    return {"mediaType": kind, "digest": digest_of(content), "size": len(content)}


def with_password(folder: Path) -> Depot:
    """One that asks for user and password itself."""
    folder.mkdir()
    (folder / "users").write_text(HTPASSWD)
    return Depot(folder, {"htpasswd": {"realm": "depot", "path": str(folder / "users")}})


@contextmanager
def own(folder: Path, *, realm: str = "") -> Iterator[tuple[PrivateRegistry, dict[str, str]]]:
    """The registry of a portal, and what the portal's settings say of it. What it tells goes nowhere."""
    state = State(folder)
    state.prepare()
    make_registry_keys(state.keys)
    registry = PrivateRegistry(state)
    try:
        registry.start("127.0.0.1", Berth(realm or "http://127.0.0.1:9/token", ""))
        yield registry, environments.registry(state.keys)
    finally:
        registry.destroy()


@contextmanager
def token_server() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Where a registry elsewhere sends those who want in; and what was asked there: (password shown, scopes)."""
    asked: list[tuple[str, str]] = []

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            shown = self.headers.get("Authorization", "")
            asked.append((shown, " ".join(query.get("scope", []))))
            body = json.dumps({"token": signing.issue("mirror", list(read(query.get("scope", []))))}).encode()
            self.send_response(200 if shown else 401)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/token", asked
    finally:
        server.shutdown()
        server.server_close()
