"""The few calls of the Docker Engine API the launcher needs, over a Unix socket or TCP."""

import http.client
import json
import os
import socket
import ssl
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from launcher.problems import Problem


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, *, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class EngineError(Exception):
    """The engine said no: `status` is the HTTP status, the text is its own words."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class EngineClient:
    """Calls to one engine. `url` is unix:///path, tcp://host:port or https://host:port."""

    def __init__(self, url: str, *, timeout_seconds: float = 10) -> None:
        self.url = url
        self.timeout_seconds = timeout_seconds
        parts = urlsplit(url)
        if parts.scheme not in {"unix", "tcp", "http", "https"}:
            raise Problem(
                f"“{url}” is not the address of an engine.",
                hint="Give --engine unix:///var/run/docker.sock or --engine tcp://HOST:PORT.",
            )
        self.parts = parts

    def connection(self) -> http.client.HTTPConnection:
        if self.parts.scheme == "unix":
            return UnixConnection(self.parts.path, timeout=self.timeout_seconds)
        host, port = self.parts.hostname or "localhost", self.parts.port or 2375
        if self.parts.scheme == "https" or os.environ.get("DOCKER_TLS_VERIFY"):
            return http.client.HTTPSConnection(host, port, timeout=self.timeout_seconds, context=client_context())
        return http.client.HTTPConnection(host, port, timeout=self.timeout_seconds)

    def call(self, method: str, path: str, *, body: object = None) -> Any:
        """One call; JSON in, JSON (or text) out.

        A bytes body goes as a tar archive. Raises EngineError when the engine refuses and OSError when it
        does not answer.
        """
        raw = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        kind = "application/x-tar" if isinstance(body, bytes) else "application/json"
        with closing(self.connection()) as connection:
            try:
                connection.request(method, path, body=raw, headers={"Content-Type": kind})
                answer = connection.getresponse()
                text = answer.read().decode(errors="replace")
            except http.client.HTTPException as error:
                raise ConnectionError(f"no sensible answer: {error!r}") from error
        return understood(answer.status, text)

    def answers(self) -> bool:
        """True if something that speaks like an engine is there."""
        try:
            self.call("GET", "/_ping")
        except (OSError, EngineError):
            return False
        return True

    def swarm(self) -> dict[str, Any]:
        """The Swarm part of the engine's own description."""
        found: dict[str, Any] = self.call("GET", "/info").get("Swarm") or {}
        return found


def understood(status: int, text: str) -> Any:
    """The decoded body of a good answer."""
    try:
        data = json.loads(text)
    except ValueError:
        data = text
    if status >= 400:
        raise EngineError(status, data.get("message", text) if isinstance(data, dict) else text)
    return data


def client_context() -> ssl.SSLContext:
    """TLS with the certificates Docker's own client would take (DOCKER_CERT_PATH, default ~/.docker)."""
    folder = Path(os.environ.get("DOCKER_CERT_PATH") or Path.home() / ".docker")
    try:
        context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
        context.load_cert_chain(str(folder / "cert.pem"), str(folder / "key.pem"))
    except OSError as error:
        raise Problem(
            f"The certificates for the engine in {folder} cannot be read: {error}.",
            hint="Set DOCKER_CERT_PATH to the folder with ca.pem, cert.pem and key.pem.",
        ) from error
    return context
