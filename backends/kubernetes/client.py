"""Blocking calls to one API server: raw JSON in and out over the library's connections."""

import threading
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

import orjson
from kubernetes.client import ApiClient, Configuration
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError, ReadTimeoutError

from backends.failing import NO_ENGINE, away, slow
from backends.kubernetes import kinds, names
from backends.kubernetes.access import Access
from backends.kubernetes.errors import RefusedError, refused
from backends.memory_files import in_memory

CONNECT_SECONDS = 2.0
READ_SECONDS = 10.0
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
_POOL = 10
_NO_STORE = b"[-]etcd"  # a line of what the API says of its own readiness

Raw = Mapping[str, Any]


def configured(kind: Any, access: Access, **more: Any) -> Any:
    """The library's configuration, blocking or not; nothing of the machine's own settings counts."""
    told = kind(host=access.server, retries=False if kind is Configuration else None, **more)
    told.proxy = None
    told.ca_cert_data = access.authority or None
    told.verify_ssl = True
    if access.key:
        told.cert_file = in_memory("certificate", access.certificate)
        told.key_file = in_memory("key", access.key)
    return told


def bearer(access: Access) -> dict[str, str]:
    return {"Authorization": f"Bearer {access.token}"} if access.token else {}


def query_of(asked: Mapping[str, Any]) -> str:
    """With the question mark; None is left out, a list is asked several times."""
    plain = {name: str(value).lower() if isinstance(value, bool) else value for name, value in asked.items()}
    text = urlencode({name: value for name, value in plain.items() if value is not None}, doseq=True)
    return f"?{text}" if text else ""


class ApiServer:
    """One per cluster, shared by threads; connects at the first call."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._lock = threading.Lock()
        self._session: Any = None

    def get(self, path: str, **query: Any) -> Any:
        return self._call("GET", path, query=query)

    def holds(self) -> None:
        """Errors: ENGINE_AWAY where what the API keeps everything in is gone. It then goes on answering from its
        memory, as if all were well, and can change nothing.
        """
        status, told = self._ask("GET", "/readyz", query={})
        if status >= 500 and _NO_STORE in told:
            raise away("its API answers, but what that keeps everything in does not")

    def items(self, kind: str, namespace: str = "", **query: Any) -> list[dict[str, Any]]:
        """All of a kind, as the API has them in its memory: at most a moment old, and cheap for both sides."""
        found = self.get(kinds.path(kind, namespace), **query)
        items = found.get("items") if isinstance(found, dict) else None
        if not isinstance(items, list):
            raise away(NO_ENGINE)
        return items

    def find(self, kind: str, namespace: str, name: str) -> dict[str, Any] | None:
        """None: there is no such thing."""
        try:
            found: dict[str, Any] = self.get(kinds.path(kind, namespace, name))
        except RefusedError as error:
            if error.status == 404:
                return None
            raise
        return found

    def post(self, path: str, body: Raw) -> Any:
        """Ask something that takes a body."""
        return self._call("POST", path, query={}, body=body)

    def apply(self, one: Raw) -> Any:
        """Make it so, whether it is there or not; what others have set beside it stays."""
        query = {"fieldManager": names.MANAGER, "force": True, "fieldValidation": "Strict"}
        return self._call("PATCH", kinds.path_of(one), query=query, body=one, content=APPLY)

    def merge(self, path: str, change: Raw) -> Any:
        """Change a few fields of what is there, as somebody else than the one who applies: an apply leaves them be."""
        query = {"fieldManager": names.MOVER, "fieldValidation": "Strict"}
        return self._call("PATCH", path, query=query, body=change, content=MERGE)

    def own(self, one: Raw) -> None:
        """What others have set in it counts as ours: the next `apply` leaves nothing of it that we do not say too."""
        about = {"managedFields": names.taken_over(one), "resourceVersion": one["metadata"]["resourceVersion"]}
        query = {"fieldManager": names.MANAGER}
        self._call("PATCH", kinds.path_of(one), query=query, body={"metadata": about}, content=MERGE)

    def delete(self, path: str, **query: Any) -> None:
        """Of what is not there: nothing happens."""
        try:
            self._call("DELETE", path, query={"propagationPolicy": "Background"} | query)
        except RefusedError as error:
            if error.status != 404:
                raise

    def delete_all(self, some: Iterable[str], namespace: str, *, labels: Mapping[str, str]) -> None:
        """Everything of these kinds that bears these labels."""
        for kind in some:
            self.delete(kinds.path(kind, namespace), labelSelector=names.selector(labels))

    def read(self, path: str, **query: Any) -> bytes:
        """What it says, as it says it."""
        return self._answer("GET", path, query=query)

    def _call(self, method: str, path: str, **asked: Any) -> Any:
        return read_json(self._answer(method, path, **asked))

    def _answer(self, method: str, path: str, **asked: Any) -> bytes:
        status, told = self._ask(method, path, **asked)
        if status >= 400:
            raise refused(status, told)
        return told

    def _ask(
        self, method: str, path: str, *, query: Mapping[str, Any], body: Any = None, content: str = "application/json"
    ) -> tuple[int, bytes]:
        session = self._connected()
        headers = {"Content-Type": content, "Accept": "application/json", **bearer(self._access)}
        limits = (CONNECT_SECONDS, READ_SECONDS)
        url = f"{self._access.server}{path}{query_of(query)}"
        try:
            answer = session.request(method, url, headers=headers, body=body, _request_timeout=limits)
            told = answer.read()
        except ReadTimeoutError as error:
            raise slow() from error
        except (HTTPError, OSError) as error:
            raise away(str(error)) from error
        except ApiException as error:  # a handshake that failed
            raise away(str(error.reason)) from error
        return answer.status, told

    def _connected(self) -> Any:
        with self._lock:
            if self._session is None:
                try:
                    told = configured(Configuration, self._access, connection_pool_maxsize=_POOL)
                    self._session = ApiClient(told).rest_client
                except (OSError, ValueError) as error:
                    raise away(str(error)) from error
            return self._session


def read_json(told: bytes) -> Any:
    """Whoever does not answer in JSON is no engine."""
    try:
        return orjson.loads(told)
    except orjson.JSONDecodeError as error:
        raise away(NO_ENGINE) from error
