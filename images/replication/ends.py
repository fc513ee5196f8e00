"""The two ends of a copy: our own registry and one elsewhere, asked in the same way."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import requests
from django.conf import settings

from images.registry import names, signing
from images.registry.scopes import REPOSITORY, Scope
from images.replication.problems import RemoteAway, RemoteProblem

CONNECT_SECONDS, READ_SECONDS = 2.0, 30.0
LARGEST = 4 * 1024 * 1024  # of a manifest, a configuration or a page of a list
PIECE = 256 * 1024


class Answer(Protocol):
    """As `core.outbound.Answer`."""

    status: int
    headers: Mapping[str, str]

    def read(self, limit: int = LARGEST) -> bytes: ...

    def chunks(self, size: int = PIECE) -> Iterator[bytes]: ...


class End(Protocol):
    """A registry that answers. `host` is what people call it."""

    host: str

    def ask(
        self,
        method: str,
        path: str,
        scopes: Sequence[Scope],
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> AbstractContextManager[Answer]:
        """`path` begins with /v2/ and may carry a query. Errors: RemoteAway, RemoteProblem."""
        ...


class _HomeAnswer:
    def __init__(self, answer: requests.Response) -> None:
        self.status, self._raw = answer.status_code, answer.raw
        self.headers: Mapping[str, str] = answer.headers

    def read(self, limit: int = LARGEST) -> bytes:
        told = b"".join(self.chunks(limit + 1))
        if len(told) > limit:
            raise RemoteProblem("remote_odd", host=names.address())
        return told

    def chunks(self, size: int = PIECE) -> Iterator[bytes]:
        try:
            while piece := self._raw.read(size, decode_content=False):
                yield bytes(piece)
        except (requests.RequestException, OSError, ValueError) as error:
            raise RemoteAway(names.address()) from error


class Home:
    """Our own registry, asked in the name of whoever wants the copy, so that it tells who brought an image."""

    def __init__(self, subject: str) -> None:
        self.host, self._subject = names.address(), subject

    @contextmanager
    def ask(
        self,
        method: str,
        path: str,
        scopes: Sequence[Scope],
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Iterator[Answer]:
        shown = {"Authorization": f"Bearer {signing.issue(self._subject, scopes)}", "Accept-Encoding": "identity"}
        more: dict[str, Any] = {"allow_redirects": False, "stream": True, "timeout": (CONNECT_SECONDS, READ_SECONDS)}
        with requests.Session() as session:
            session.trust_env = False
            url = str(settings.REGISTRY["url"]).rstrip("/") + path
            try:
                answer = session.request(method, url, headers={**shown, **(headers or {})}, data=content, **more)
            except requests.RequestException as error:
                raise RemoteAway(names.address()) from error
            yield _HomeAnswer(answer)


def on(path: str, *actions: str) -> Scope:
    """To do this with a repository."""
    return Scope(REPOSITORY, path, actions)


CATALOGUE = Scope("registry", "catalog", ("*",))
