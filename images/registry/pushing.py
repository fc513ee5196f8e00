"""Putting an image into our own registry in somebody's name: layers in pieces, then the manifest under its tags."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import requests
from django.conf import settings
from django.utils.translation import gettext as _

from images.registry import signing
from images.registry.client import CONNECT_SECONDS, READ_SECONDS, RegistryAway
from images.registry.scopes import Scope

SAID = 8192  # bytes of a refusal that are read


class Refused(Exception):
    """The registry's no. Where it is not `final`, beginning that part anew may help."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"{status}: {said}")
        self.status, self.said = status, said

    @property
    def final(self) -> bool:
        """It may not be, whatever is sent how often."""
        return self.status in (401, 403, 405, 409, 413)


@dataclass(frozen=True)
class Door:
    """One repository, for one person. `scopes` are what they may there (images.registry.scopes.granted)."""

    path: str
    subject: str
    scopes: tuple[Scope, ...]

    def holds(self, digest: str) -> bool:
        """Whether this blob lies there already."""
        return self._ask("HEAD", f"/v2/{self.path}/blobs/{digest}", fine=(200, 404)).status_code == 200

    def begin(self) -> str:
        """The address to send a blob to."""
        return self._place(self._ask("POST", f"/v2/{self.path}/blobs/uploads/", fine=(202,)))

    def send(self, place: str, data: bytes, *, at: int) -> str:
        """Send a piece that begins `at`; answers the address for the next one."""
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Range": f"{at}-{at + len(data) - 1}",
        }
        return self._place(self._ask("PATCH", place, data=data, headers=headers, fine=(202,)))

    def close(self, place: str, digest: str) -> None:
        """That was all of it. The registry hashes what it got and refuses what is not this digest."""
        self._ask("PUT", place, params={"digest": digest}, fine=(201,), seconds=600.0)

    def put(self, reference: str, manifest: str, kind: str) -> str:
        """Put a manifest under a tag or digest; answers the digest it has there."""
        address = f"/v2/{self.path}/manifests/{reference}"
        answer = self._ask("PUT", address, data=manifest.encode(), headers={"Content-Type": kind}, fine=(201,))
        return str(answer.headers.get("Docker-Content-Digest", ""))

    def _place(self, answer: requests.Response) -> str:
        """Only ever an address of this registry's own."""
        found = urlsplit(urljoin(settings.REGISTRY["url"] + "/", answer.headers.get("Location", "")))
        if not found.path.startswith(f"/v2/{self.path}/blobs/uploads/"):
            raise _away()
        return f"{found.path}?{found.query}"

    def _ask(
        self,
        method: str,
        address: str,
        *,
        fine: Iterable[int],
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        seconds: float = READ_SECONDS * 6,
    ) -> requests.Response:
        session = requests.Session()
        session.trust_env = False
        shown = {"Authorization": f"Bearer {signing.issue(self.subject, self.scopes)}"}
        try:
            answer = session.request(
                method,
                urljoin(settings.REGISTRY["url"] + "/", address.lstrip("/")),
                params=params,
                data=data,
                headers=shown | dict(headers or {}),
                timeout=(CONNECT_SECONDS, seconds),
                allow_redirects=False,
                stream=True,
            )
            said = b"" if answer.status_code in fine else answer.raw.read(SAID, decode_content=True)
            answer.close()
        except (requests.RequestException, OSError) as error:
            raise _away() from error
        if answer.status_code in fine:
            return answer
        if answer.status_code >= 500 or answer.status_code == 429:
            raise _away()
        raise Refused(answer.status_code, _words(said))


def _words(said: bytes) -> str:
    """What a refusal says to people: the messages of its errors, else all of it."""
    text = said.decode("utf-8", "replace").strip()
    try:
        told = json.loads(text)["errors"]
        return " ".join(str(one["message"]) for one in told)
    except (ValueError, KeyError, TypeError):
        return text


def _away() -> RegistryAway:
    return RegistryAway(
        _("The registry does not answer."), hint=_("Try again in a minute; an operator can see its log.")
    )
