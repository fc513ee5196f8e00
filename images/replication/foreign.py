"""A registry elsewhere, as a client that believes nothing it is told.

Where to sign in is told by the registry itself. A password goes there only if it is the registry's own address, or the
one that was written down beside the password; every address is under the rules of `core.outbound`.
"""

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from urllib.parse import urlencode

import orjson

from core import outbound
from core.secrets import Secret
from images.registry.scopes import Scope
from images.replication.address import place_of, shown
from images.replication.ends import Answer
from images.replication.problems import RemoteAway, RemoteProblem

SECONDS = 60.0  # of one question with its answer, layers included: what is left of one is asked for anew
SIGN_IN_SECONDS = 15.0
LARGEST_TOKEN = 64 * 1024
FOLLOW = 3  # layers lie in other places than manifests; only ever followed without the password
TOKEN = re.compile(r"[\x21-\x7e]{1,16000}\Z", re.ASCII)
_PART = re.compile(r'([a-z_]+)="([^"\\]{0,2000})"', re.ASCII | re.IGNORECASE)


class Foreign:
    """`signs_in_at` is `host[:port]`; empty where that is the address itself."""

    def __init__(
        self,
        address: str,
        *,
        signs_in_at: str = "",
        user: str = "",
        secret: Secret | None = None,
        seconds: float = 0.0,
    ) -> None:
        self.address, self.host, self.place = address, shown(address), place_of(address)
        self._signs_in_at, self._seconds = signs_in_at, seconds or SECONDS
        self._basic = _basic(user, secret) if secret else ""
        self._tokens: dict[str, str] = {}  # what to show, by what is asked for

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
        key = " ".join(str(one) for one in scopes)
        with self._asked(method, path, self._tokens.get(key, ""), headers, content) as first:
            if first.status != 401:
                yield first
                return
            challenge = first.headers.get("WWW-Authenticate", "")
        self._tokens[key] = self._sign_in(challenge, scopes)
        with self._asked(method, path, self._tokens[key], headers, content) as second:
            yield second

    @contextmanager
    def _asked(
        self, method: str, path: str, shows: str, headers: Mapping[str, str] | None, content: bytes | None
    ) -> Iterator[Answer]:
        with (
            _told_plainly(self.host),
            outbound.opened(
                method,
                self.address + path,
                headers=headers,
                content=content,
                credentials=outbound.Credentials(self.place, shows) if shows else None,
                seconds=self._seconds,
                follow=FOLLOW,
            ) as answer,
        ):
            yield answer

    def _sign_in(self, challenge: str, scopes: Sequence[Scope]) -> str:
        """What to show from now on. Errors: RemoteProblem."""
        way, _space, rest = challenge[:4000].partition(" ")
        if way.lower() == "basic" and self._basic:
            return self._basic
        if way.lower() != "bearer":
            raise RemoteProblem("remote_refused", host=self.host)
        said = {name.lower(): value for name, value in _PART.findall(rest)}
        return f"Bearer {self._token(said.get('realm', ''), said.get('service', ''), scopes)}"

    def _token(self, realm: str, service: str, scopes: Sequence[Scope]) -> str:
        where = place_of(realm)
        if not where or (self.place.startswith("https:") and not where.startswith("https:")):
            raise RemoteProblem("remote_realm", host=self.host)
        if self._basic and where not in self._known():
            raise RemoteProblem("remote_signs_in_elsewhere", host=self.host, realm=shown(where))
        asked = [("service", service)] + [("scope", str(one)) for one in scopes]
        url = f"{realm}{'&' if '?' in realm else '?'}{urlencode(asked)}"
        kept = outbound.Credentials(where, self._basic) if self._basic else None
        with _told_plainly(self.host), outbound.opened("GET", url, credentials=kept, seconds=SIGN_IN_SECONDS) as answer:
            if answer.status in (400, 401, 403, 404):
                raise RemoteProblem("remote_refused", host=self.host)
            if answer.status != 200:
                raise RemoteAway(self.host)
            return _token_in(answer.read(LARGEST_TOKEN), self.host)

    def _known(self) -> set[str]:
        """Where the password may go."""
        scheme = self.place.partition("://")[0]
        return {self.place} | ({place_of(f"{scheme}://{self._signs_in_at}")} if self._signs_in_at else set())


@contextmanager
def _told_plainly(host: str) -> Iterator[None]:
    try:
        yield
    except outbound.Refused as error:
        raise RemoteProblem("remote_not_allowed", host=host) from error
    except outbound.Unreached as error:
        raise RemoteAway(host, error.message, hint=error.hint) from error


def _token_in(told: bytes, host: str) -> str:
    try:
        found = orjson.loads(told)
    except orjson.JSONDecodeError:
        found = None
    token = (found.get("token") or found.get("access_token")) if isinstance(found, dict) else None
    if not isinstance(token, str) or not TOKEN.match(token):
        raise RemoteProblem("remote_odd", host=host)
    return token


def _basic(user: str, secret: Secret) -> str:
    return "Basic " + base64.b64encode(f"{user}:{secret.reveal()}".encode()).decode()
