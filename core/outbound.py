"""The one client for addresses that people give: webhooks, registries elsewhere, sources.

An address is looked up once, every number it has is judged, and one of those numbers is called. Nothing is followed
unless asked for, and then only under the same rules. Credentials go to the place they were kept for and nowhere else.
All that answers is bounded, in bytes and in time.
"""

import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from http.client import HTTPException
from types import TracebackType
from urllib.parse import urljoin

import certifi
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from urllib3 import BaseHTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, SSLError

from core.errors import Unavailable
from core.foreign import Refused as Refused
from core.foreign import Target, target

CONNECT_SECONDS, SILENT_SECONDS = 5.0, 15.0
LARGEST = 4 * 1024 * 1024
PIECE = 256 * 1024
MOST_NUMBERS = 3  # of one name
AGENT = "Berth"
_LEADS_ON = frozenset({301, 302, 303, 307, 308})


class Unreached(Unavailable):
    code = "no_answer"
    hint = _("Check the address, and try again in a minute.")


@dataclass(frozen=True)
class Credentials:
    """What to show, and the place that it was kept for (`foreign.Target.place`)."""

    place: str
    authorization: str = field(repr=False)


class Answer:
    """What came back. Its body is read once, in one of two ways."""

    def __init__(self, url: str, called: Target, raw: BaseHTTPResponse, ends_at: float) -> None:
        self.url, self.target, self.status = url, called, raw.status
        self.headers: Mapping[str, str] = raw.headers
        self._raw, self._ends_at = raw, ends_at

    def read(self, limit: int = LARGEST) -> bytes:
        """All of it, which is at most `limit` bytes. Errors: Unreached, also for more than that."""
        told = bytearray()
        for piece in self.chunks():
            told += piece
            if len(told) > limit:
                raise Unreached(_("%(host)s answers with more than was expected.") % {"host": self.target.shown})
        return bytes(told)

    def chunks(self, size: int = PIECE) -> Iterator[bytes]:
        """The body in pieces as they come, each at most `size` bytes. Errors: Unreached, also where it breaks off."""
        if self.headers.get("Content-Encoding", "identity") != "identity":
            raise Unreached(_("%(host)s packs its answer, which was not asked for.") % {"host": self.target.shown})
        with _plainly(self.target):
            while piece := self._raw.read1(size):
                yield piece
        if time.monotonic() > self._ends_at:
            raise _silent(self.target)


@contextmanager
def opened(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes | Iterator[bytes] | None = None,
    credentials: Credentials | None = None,
    seconds: float = 30.0,
    follow: int = 0,
) -> Iterator[Answer]:
    """Ask, and hold the answer while its body is read. All of it takes `seconds` at most.

    `follow`: how often it may lead on to another address (GET and HEAD only); status 3xx is answered as it is beyond.
    Errors: Refused for an address that is not called; Unreached where nothing answers, in time and as it should.
    """
    ends_at = time.monotonic() + seconds
    with ExitStack() as stack:
        for turn in range(follow + 1):
            called = target(url)
            raw = stack.enter_context(_asked(called, method, headers, content, credentials, ends_at))
            onward = raw.headers.get("Location", "") if raw.status in _LEADS_ON else ""
            if not onward or turn == follow or method not in ("GET", "HEAD"):
                break
            url = urljoin(url, onward)
        yield Answer(url, called, raw, ends_at)


@contextmanager
def _asked(
    called: Target,
    method: str,
    headers: Mapping[str, str] | None,
    content: bytes | Iterator[bytes] | None,
    credentials: Credentials | None,
    ends_at: float,
) -> Iterator[BaseHTTPResponse]:
    sent = {"User-Agent": AGENT, "Accept-Encoding": "identity", **(headers or {}), "Host": called.shown}
    if credentials is not None and credentials.place == called.place:
        sent["Authorization"] = credentials.authorization
    with _Line(called, ends_at) as line:
        with _plainly(called):
            line.call()
            line.connection.request(
                method, called.path, body=content, headers=sent, preload_content=False, decode_content=False
            )
            raw = line.connection.getresponse()
        yield raw


class _Line:
    """One connection. It is cut at its end: where each byte is in time, all of them need not be."""

    def __init__(self, called: Target, ends_at: float) -> None:
        self._called, self._left = called, max(ends_at - time.monotonic(), 0.001)
        self._socket: socket.socket | None = None
        self.connection = self._to(called.numbers[0])
        self._timer = threading.Timer(self._left, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> "_Line":
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._timer.cancel()
        self._cut()
        self.connection.close()

    def call(self) -> None:
        """The numbers that were judged, and nothing that the name may mean by now."""
        for turn, number in enumerate(self._called.numbers[:MOST_NUMBERS], start=1):
            self.connection = self._to(number)
            try:
                self.connection.connect()
            except (HTTPError, OSError):
                if turn == len(self._called.numbers[:MOST_NUMBERS]):
                    raise
                continue
            break
        self._socket = self.connection.sock
        self.connection.sock.settimeout(min(SILENT_SECONDS, self._left))

    def _to(self, number: str) -> HTTPConnection:
        waits = min(CONNECT_SECONDS, self._left)
        if self._called.scheme == "http":
            return HTTPConnection(number, self._called.port, timeout=waits)
        return HTTPSConnection(
            number,
            self._called.port,
            timeout=waits,
            ssl_context=_trust(settings.OUTBOUND["authorities"]),
            cert_reqs="CERT_REQUIRED",
            assert_hostname=self._called.host,  # the certificate is the name's, not the number's
            server_hostname=self._called.host,
        )

    def _cut(self) -> None:
        held = self._socket or self.connection.sock
        if held is not None:
            with suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)


@lru_cache(maxsize=4)
def _trust(authorities: str) -> ssl.SSLContext:
    """Whom the system trusts, the usual authorities, and those that operators add."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    if authorities:
        context.load_verify_locations(authorities)
    return context


@contextmanager
def _plainly(called: Target) -> Iterator[None]:
    """Whatever goes wrong on the way is one sentence, which repeats nothing of what was answered."""
    try:
        yield
    except ssl.SSLError as error:
        raise _untrusted(called) from error
    except HTTPError as error:
        raise (_untrusted(called) if isinstance(error, SSLError) else _silent(called)) from error
    except (OSError, HTTPException) as error:
        raise _silent(called) from error


def _silent(called: Target) -> Unreached:
    return Unreached(_("%(host)s does not answer, or not as it should.") % {"host": called.shown})


def _untrusted(called: Target) -> Unreached:
    return Unreached(
        _("%(host)s shows a certificate that is not trusted.") % {"host": called.shown},
        hint=_("An operator adds the authority that signed it (OUTBOUND_CA_FILE)."),
    )
