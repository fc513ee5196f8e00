"""What is asked of a registry, whichever end it is: lists, manifests, layers, and that it takes some."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import orjson

from images.registry.names import KINDS
from images.registry.scopes import Scope
from images.registry.telling import DIGEST, TAG
from images.replication.ends import CATALOGUE, Answer, End, on
from images.replication.problems import RemoteAway, RemoteProblem
from images.replication.references import LONGEST_NAME, is_name

PAGE = 1000
MOST_PAGES = 200
MOST_NAMES = 50_000
BUSY = frozenset({405, 408, 425, 429})  # 405: takes nothing while it is being cleaned
_NEXT = re.compile(r'<([^<>\s]{1,2000})>\s*;\s*rel="?next"?', re.ASCII | re.IGNORECASE)
_RANGE = re.compile(r"(?:bytes=)?0-(\d{1,15})\Z", re.ASCII)


@dataclass(frozen=True)
class Manifest:
    """As it lies there, to the byte: its digest is that of these bytes."""

    digest: str
    kind: str
    body: bytes
    document: dict[str, Any]


@dataclass(frozen=True)
class Upload:
    """A layer that is being sent: where to, and how much of it is there."""

    address: str
    offset: int


class UploadGone(Exception):
    """The registry knows nothing of it any more, or has another part of it than we thought."""


class Registry:
    """One end, spoken with. What is not there is None; all else that is no success is an error of problems.py."""

    def __init__(self, end: End) -> None:
        self.end, self.host = end, end.host

    def answers(self) -> None:
        """That there is a registry which lets us in."""
        with self.end.ask("GET", "/v2/", ()) as answer:
            self._good(answer, 200)

    def repositories(self) -> Iterator[str]:
        names = self._names("/v2/_catalog", (CATALOGUE,), "repositories")
        yield from (name for name in names if is_name(name))

    def tags(self, path: str) -> Iterator[str]:
        names = self._names(f"/v2/{path}/tags/list", (on(path, "pull"),), "tags")
        yield from (name for name in names if TAG.match(name))

    def digest_of(self, path: str, tag: str) -> str:
        """What a tag means now; empty where it means nothing."""
        with self._look("HEAD", f"/v2/{path}/manifests/{tag}", path) as answer:
            if not self._there(answer):
                return ""
            told = answer.headers.get("Docker-Content-Digest", "")
        if DIGEST.match(told):
            return told
        found = self.manifest(path, tag)
        return found.digest if found else ""

    def manifest(self, path: str, reference: str) -> Manifest | None:
        with self._look("GET", f"/v2/{path}/manifests/{reference}", path) as answer:
            if not self._there(answer):
                return None
            body = answer.read()
            kind, told = answer.headers.get("Content-Type", ""), answer.headers.get("Docker-Content-Digest", "")
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        for wanted in (told, reference if ":" in reference else ""):
            if wanted and wanted != digest:
                raise RemoteProblem("copy_digest_wrong", host=self.host, digest=wanted[:80])
        return Manifest(digest, kind.partition(";")[0].strip(), body, self._document(body))

    def configuration(self, path: str, digest: str) -> dict[str, Any]:
        """What an image says of itself; empty where it says nothing that can be read."""
        if not DIGEST.match(digest):
            return {}
        with self.layer(path, digest) as answer:
            body = answer.read() if answer else b"{}"
        try:
            found = orjson.loads(body)
        except orjson.JSONDecodeError:
            return {}
        return found if isinstance(found, dict) else {}

    def has(self, path: str, digest: str) -> bool:
        with self._look("HEAD", f"/v2/{path}/blobs/{digest}", path) as answer:
            return self._there(answer)

    @contextmanager
    def layer(self, path: str, digest: str, *, offset: int = 0) -> Iterator[Answer | None]:
        """Its bytes from `offset` on; None where it is not there."""
        wanted = {"Range": f"bytes={offset}-"} if offset else {}
        with self.end.ask("GET", f"/v2/{path}/blobs/{digest}", (on(path, "pull"),), headers=wanted) as answer:
            if answer.status == 404:
                yield None
                return
            self._good(answer, 206 if offset and answer.status == 206 else 200)
            yield answer

    def begin_upload(self, path: str, digest: str, *, mount_from: str = "") -> Upload | None:
        """Begin to send a layer; None where the registry could take it from another repository of its own."""
        query = "?" + urlencode({"mount": digest, "from": mount_from}) if mount_from else ""
        scopes = [on(path, "pull", "push"), *([on(mount_from, "pull")] if mount_from else [])]
        with self.end.ask("POST", f"/v2/{path}/blobs/uploads/{query}", scopes) as answer:
            if answer.status == 201 and mount_from:
                return None
            self._good(answer, 202)
            return Upload(self._place(answer), 0)

    def send(self, path: str, upload: Upload, part: bytes) -> Upload:
        """The next part. Raises UploadGone where it has to begin anew."""
        end = upload.offset + len(part)
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Range": f"{upload.offset}-{end - 1}",
        }
        with self._push("PATCH", path, upload.address, headers=headers, content=part) as answer:
            if answer.status in (400, 404, 416):
                raise UploadGone()
            self._good(answer, 202)
            told = _RANGE.match(answer.headers.get("Range", ""))
            if told and int(told[1]) + 1 != end:
                raise UploadGone()
            return Upload(self._place(answer), end)

    def finish(self, path: str, upload: Upload, digest: str) -> None:
        """The registry compares what it has with the digest itself. Raises UploadGone."""
        address = f"{upload.address}{'&' if '?' in upload.address else '?'}{urlencode({'digest': digest})}"
        with self._push("PUT", path, address) as answer:
            if answer.status == 404:
                raise UploadGone()
            if answer.status == 400:
                raise RemoteProblem("copy_digest_wrong", host=self.host, digest=digest)
            self._good(answer, 201)

    def drop(self, path: str, address: str) -> None:
        """Give up what was begun; that it is gone already is as good."""
        with self.end.ask("DELETE", address, (on(path, "pull", "push", "delete"),)):
            return

    def put(self, path: str, reference: str, manifest: Manifest) -> None:
        address, headers = f"/v2/{path}/manifests/{reference}", {"Content-Type": manifest.kind}
        with self._push("PUT", path, address, headers=headers, content=manifest.body) as answer:
            self._good(answer, 201)

    @contextmanager
    def _look(self, method: str, address: str, path: str) -> Iterator[Answer]:
        with self.end.ask(method, address, (on(path, "pull"),), headers={"Accept": ", ".join(KINDS)}) as answer:
            yield answer

    @contextmanager
    def _push(
        self, method: str, path: str, address: str, *, headers: Mapping[str, str] | None = None, content: bytes = b""
    ) -> Iterator[Answer]:
        scopes = (on(path, "pull", "push"),)
        with self.end.ask(method, address, scopes, headers=headers, content=content or None) as answer:
            yield answer

    def _names(self, address: str, scopes: Sequence[Scope], key: str) -> Iterator[str]:
        """All pages of a list. One that leads in circles or never ends is none."""
        seen, count, address = set[str](), 0, f"{address}?n={PAGE}"
        while address:
            if address in seen or len(seen) >= MOST_PAGES:
                raise RemoteProblem("remote_list", host=self.host)
            seen.add(address)
            with self.end.ask("GET", address, scopes) as answer:
                if not self._there(answer):
                    return
                found, onward = self._document(answer.read()).get(key), answer.headers.get("Link", "")
            for name in found if isinstance(found, list) else []:
                count += 1
                if count > MOST_NAMES:
                    raise RemoteProblem("remote_list", host=self.host)
                yield str(name)[: LONGEST_NAME + 1]
            address = self._onward(address, onward)

    def _onward(self, address: str, link: str) -> str:
        """The next page, which is of this registry whatever host it names."""
        found = _NEXT.search(link[:4000])
        return self._own(urljoin(address, found[1])) if found else ""

    def _place(self, answer: Answer) -> str:
        return self._own(urljoin("/v2/", answer.headers.get("Location", "")))

    def _own(self, url: str) -> str:
        """Path and query of what the registry names: nothing it answers leads us to another host."""
        try:
            parts = urlsplit(url)
        except ValueError:
            parts = urlsplit("")
        if not parts.path.startswith("/v2/") or "/../" in parts.path or len(url) > 4000:
            raise RemoteProblem("remote_odd", host=self.host)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    def _there(self, answer: Answer) -> bool:
        if answer.status == 404:
            return False
        self._good(answer, 200)
        return True

    def _good(self, answer: Answer, wanted: int) -> None:
        if answer.status == wanted:
            return
        if answer.status >= 500 or answer.status in BUSY:
            raise RemoteAway(self.host)
        if answer.status in (401, 403):
            raise RemoteProblem("remote_refused", host=self.host)
        raise RemoteProblem("remote_status", host=self.host, status=answer.status)

    def _document(self, body: bytes) -> dict[str, Any]:
        try:
            found = orjson.loads(body)
        except orjson.JSONDecodeError:
            found = None
        if not isinstance(found, dict):
            raise RemoteProblem("remote_odd", host=self.host)
        return found
