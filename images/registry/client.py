"""What Berth itself asks the registry for: catalogue, tags, manifests; that one be deleted, or be elsewhere as well."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import orjson
import requests
from django.conf import settings
from django.utils.translation import gettext as _
from requests.exceptions import BaseHTTPError  # type: ignore[attr-defined]  # what its own stream raises

from core.errors import Unavailable
from images.registry import signing
from images.registry.names import KINDS
from images.registry.scopes import REPOSITORY, Scope

CONNECT_SECONDS, READ_SECONDS = 2.0, 10.0
LARGEST = 4 * 1024 * 1024  # of a manifest or a configuration
PIECE = 256 * 1024
PAGE = 500
MOST_PAGES = 2000
OURSELVES = "system:berth"
GATE = "Berth-Gate"  # by it the gate in front of the registry knows us, and does not ask us back


class RegistryAway(Unavailable):
    code = "registry_away"


@dataclass(frozen=True)
class Found:
    """A manifest as it lies there."""

    digest: str
    size: int
    body: dict[str, Any]


@dataclass(frozen=True)
class Written:
    """A manifest to the byte, and what kind it says it is: what its digest was made of."""

    kind: str
    content: bytes

    @property
    def body(self) -> dict[str, Any]:
        return _document(self.content)


def catalogue() -> Iterator[str]:
    """Every repository's name."""
    yield from _pages("/v2/_catalog", Scope("registry", "catalog", ("*",)), "repositories")


def tags(path: str) -> Iterator[str]:
    yield from _pages(f"/v2/{path}/tags/list", Scope(REPOSITORY, path, ("pull",)), "tags")


def manifest(path: str, reference: str) -> Found | None:
    """None where there is none of this tag or digest."""
    answer = _ask("GET", f"/v2/{path}/manifests/{reference}", Scope(REPOSITORY, path, ("pull",)))
    if answer is None:
        return None
    told = _read(answer)
    return Found(answer.headers.get("Docker-Content-Digest", ""), len(told), _document(told))


def digest_of(path: str, tag: str) -> str:
    """The digest that a tag means now; empty where it means nothing."""
    answer = _ask("HEAD", f"/v2/{path}/manifests/{tag}", Scope(REPOSITORY, path, ("pull",)))
    return answer.headers.get("Docker-Content-Digest", "") if answer is not None else ""


def configuration(path: str, digest: str) -> dict[str, Any]:
    """What an image says of itself; empty where nothing is there."""
    answer = _ask("GET", f"/v2/{path}/blobs/{digest}", Scope(REPOSITORY, path, ("pull",)))
    return _document(_read(answer)) if answer is not None else {}


def size_of(path: str, digest: str) -> int | None:
    """How large a layer or a configuration is as it lies there; None where it does not."""
    answer = _ask("HEAD", f"/v2/{path}/blobs/{digest}", Scope(REPOSITORY, path, ("pull",)))
    length = answer.headers.get("Content-Length", "") if answer is not None else ""
    return int(length) if length.isascii() and length.isdigit() else None


def content(path: str, digest: str, *, of: str) -> bytes | None:
    """A small thing of `manifests` or `blobs` as it lies there; None where it is gone. Check its digest yourself."""
    answer = _ask("GET", f"/v2/{path}/{of}/{digest}", Scope(REPOSITORY, path, ("pull",)))
    return _read(answer) if answer is not None else None


@contextmanager
def blob(path: str, digest: str) -> Iterator[Iterator[bytes] | None]:
    """A large thing in pieces as they come; None where it is gone. Its size and digest are yours to check."""
    answer = _ask("GET", f"/v2/{path}/blobs/{digest}", Scope(REPOSITORY, path, ("pull",)))
    if answer is None:
        yield None
        return
    with answer:
        yield _pieces(answer)


def _pieces(answer: requests.Response) -> Iterator[bytes]:
    try:
        while piece := answer.raw.read1(PIECE, decode_content=False):
            yield bytes(piece)
    except (requests.RequestException, BaseHTTPError, OSError) as error:
        raise away() from error


def delete(path: str, digest: str) -> bool:
    """False where it was gone already."""
    return _ask("DELETE", f"/v2/{path}/manifests/{digest}", Scope(REPOSITORY, path, ("delete",))) is not None


def place_blob(path: str, data: bytes, *, digest: str) -> None:
    """A small one of our own, in one piece."""
    scope = Scope(REPOSITORY, path, ("pull", "push"))
    if _ask("HEAD", f"/v2/{path}/blobs/{digest}", scope) is not None:
        return
    begun = _ask("POST", f"/v2/{path}/blobs/uploads/", scope)
    place = urlsplit(begun.headers.get("Location", "")) if begun is not None else None
    if place is None or not place.path.startswith(f"/v2/{path}/blobs/uploads/"):
        raise away()
    _ask("PUT", place.path, scope, params=dict(parse_qsl(place.query)) | {"digest": digest}, data=data)


def place_manifest(path: str, tag: str, data: bytes, *, kind: str) -> str:
    """Gives back its digest."""
    scope = Scope(REPOSITORY, path, ("pull", "push"))
    answer = _ask("PUT", f"/v2/{path}/manifests/{tag}", scope, data=data, kind=kind)
    if answer is None:
        raise away()
    return answer.headers.get("Docker-Content-Digest", "")


def written(path: str, digest: str) -> Written | None:
    """None where there is none of this digest, or what is there is not of this digest."""
    answer = _ask("GET", f"/v2/{path}/manifests/{digest}", Scope(REPOSITORY, path, ("pull",)))
    if answer is None:
        return None
    content = _read(answer)
    if digest != f"sha256:{hashlib.sha256(content).hexdigest()}":
        return None
    return Written(answer.headers.get("Content-Type", "").partition(";")[0].strip(), content)


def mount(path: str, digest: str, *, source: str) -> bool:
    """Have a layer in another repository as well, without moving a byte. False where the other has it not."""
    answer = _ask(
        "POST",
        f"/v2/{path}/blobs/uploads/",
        Scope(REPOSITORY, path, ("pull", "push")),
        Scope(REPOSITORY, source, ("pull",)),
        params={"mount": digest, "from": source},
    )
    return answer is not None and answer.status_code == 201


def write(path: str, digest: str, manifest: Written) -> bool:
    """Put a manifest there under its digest. False where the registry misses something that it names."""
    scope = Scope(REPOSITORY, path, ("pull", "push"))
    place = f"/v2/{path}/manifests/{digest}"
    return _ask("PUT", place, scope, data=manifest.content, kind=manifest.kind, missing=(400, 404)) is not None


def _pages(address: str, scope: Scope, key: str) -> Iterator[str]:
    after = ""
    for _turn in range(MOST_PAGES):
        answer = _ask("GET", address, scope, params={"n": PAGE, **({"last": after} if after else {})})
        found = (_document(_read(answer)).get(key) or []) if answer is not None else []
        yield from (str(name) for name in found)
        if len(found) < PAGE or str(found[-1]) == after:
            return
        after = str(found[-1])


def gate(method: str, address: str) -> tuple[int, bytes]:
    """(status, answer) of the gate before the registry, about itself."""
    answer = _send(method, address, headers={})
    return answer.status_code, _read(answer)


def _ask(
    method: str,
    address: str,
    *scopes: Scope,
    params: dict[str, Any] | None = None,
    data: bytes | None = None,
    kind: str = "application/octet-stream",
    missing: tuple[int, ...] = (404,),
) -> requests.Response | None:
    """None: it, or what it needs, is not there."""
    if not settings.REGISTRY["url"]:
        raise RegistryAway(
            _("There is no registry here."), hint=_("./berth up starts one; the operators' guide tells how.")
        )
    headers = {"Authorization": f"Bearer {signing.issue(OURSELVES, scopes)}", "Accept": ", ".join(KINDS)}
    if data is not None:
        headers["Content-Type"] = kind
    answer = _send(method, address, headers=headers, params=params, data=data)
    if answer.status_code in missing:
        return None
    if answer.status_code >= 300:
        raise away()
    return answer


def _send(
    method: str,
    address: str,
    *,
    headers: dict[str, str],
    params: dict[str, Any] | None = None,
    data: bytes | None = None,
) -> requests.Response:
    """Nothing that answers can send us on to another host."""
    session = requests.Session()
    session.trust_env = False
    try:
        return session.request(
            method,
            urljoin(settings.REGISTRY["url"] + "/", address.lstrip("/")),
            params=params,
            data=data,
            headers=headers | {GATE: settings.REGISTRY["notices"]},
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            allow_redirects=False,
            stream=True,
        )
    except requests.RequestException as error:
        raise away() from error


def _read(answer: requests.Response) -> bytes:
    try:
        told = answer.raw.read(LARGEST + 1, decode_content=True)
    except (requests.RequestException, BaseHTTPError, OSError) as error:
        raise away() from error
    if len(told) > LARGEST:
        raise away()
    return bytes(told)


def _document(told: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(told)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def away() -> RegistryAway:
    return RegistryAway(
        _("The registry does not answer."), hint=_("Try again in a minute; an operator can see its log.")
    )
