"""Blocking calls to one engine: raw JSON in and out over the docker SDK's transport (unix socket, TCP, TLS)."""

import base64
import threading
from dataclasses import dataclass
from typing import Any

import docker
import orjson
import requests
from docker.errors import DockerException
from docker.tls import TLSConfig

from backends.contract import Credentials, DriverError
from backends.failing import NO_ENGINE, away, slow
from backends.swarm.errors import refused

CONNECT_SECONDS = 2.0
READ_SECONDS = 10.0
_SPOKEN = "1.41"  # only keeps the SDK from asking for a version: our paths carry none, so the engine uses its own


@dataclass(frozen=True)
class TlsFiles:
    """Paths of PEM files: the cluster's authority, and our certificate with its key."""

    ca: str
    cert: str
    key: str


class EngineClient:
    """One per cluster, shared by threads; connects at the first call."""

    def __init__(self, url: str, *, tls: TlsFiles | None = None) -> None:
        self._url = url
        self._tls = tls
        self._lock = threading.Lock()
        self._session: docker.APIClient | None = None

    def get(self, path: str, *, pull: Credentials | None = None, **query: Any) -> Any:
        return self._call("GET", path, query=query, pull=pull)

    def post(self, path: str, body: Any, *, pull: Credentials | None = None, **query: Any) -> Any:
        """`pull`: what the engine, and each host that fetches the image later, shows to its registry."""
        return self._call("POST", path, query=query, body=body, pull=pull)

    def delete(self, path: str, **query: Any) -> None:
        self._call("DELETE", path, query=query)

    def _call(
        self, method: str, path: str, *, query: dict[str, Any], body: Any = None, pull: Credentials | None = None
    ) -> Any:
        session = self._connected()
        try:
            answer = session.request(
                method,
                session.base_url + path,
                params={name: _plain(value) for name, value in query.items() if value is not None},
                data=None if body is None else orjson.dumps(body),
                headers={"Content-Type": "application/json"} | _shown(pull),
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,  # no engine sends us elsewhere, least of all with our certificate
            )
        except (requests.ConnectTimeout, requests.ConnectionError) as error:
            raise _unanswered(error) from error
        except requests.Timeout as error:
            raise slow() from error
        except requests.RequestException as error:
            raise away(str(error)) from error
        return _read(answer)

    def _connected(self) -> docker.APIClient:
        with self._lock:
            if self._session is None:
                self._session = _session(self._url, tls=self._tls)
            return self._session


def refuse_other_schemes(url: str) -> None:
    """The SDK would take an empty address for the machine's own engine."""
    if not url.startswith(("unix:///", "tcp://")):
        raise away("the address of an engine begins with unix:/// or tcp://")


def _session(url: str, *, tls: TlsFiles | None) -> docker.APIClient:
    refuse_other_schemes(url)
    try:
        config = TLSConfig(client_cert=(tls.cert, tls.key), ca_cert=tls.ca, verify=True) if tls else False
        session = docker.APIClient(base_url=url, version=_SPOKEN, timeout=int(CONNECT_SECONDS), tls=config)
    except (DockerException, OSError, ValueError) as error:
        raise away(str(error)) from error
    session.trust_env = False  # a certificate bundle or a proxy named in the environment is not meant for engines
    return session


def _shown(pull: Credentials | None) -> dict[str, str]:
    if pull is None:
        return {}
    told = {"username": pull.username, "password": pull.password.reveal(), "serveraddress": pull.registry}
    return {"X-Registry-Auth": base64.urlsafe_b64encode(orjson.dumps(told)).decode()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return orjson.dumps(value).decode()
    return str(value).lower() if isinstance(value, bool) else value


def _unanswered(error: requests.RequestException) -> DriverError:
    # urllib3 reports a read that timed out on a pooled unix connection as a connection error
    return slow() if "timed out" in str(error) and "connect" not in str(error).lower() else away(str(error))


def _read(answer: requests.Response) -> Any:
    if answer.status_code < 400:
        return read_json(answer.content)
    raise refused(answer.status_code, read_message(answer.content))


def read_json(told: bytes) -> Any:
    """Whoever does not answer in JSON is no engine."""
    try:
        return orjson.loads(told) if told else None
    except orjson.JSONDecodeError as error:
        raise away(NO_ENGINE) from error


def read_message(told: bytes) -> str:
    try:
        return str(orjson.loads(told)["message"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return told.decode(errors="replace")
