"""The beginning of a request, read strictly: what could be understood in two ways is not passed on."""

import re
from dataclasses import dataclass, replace

LONGEST = 32 * 1024
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\x80-\xff\t]*?)[ \t]*\Z")
# Nothing that has to be decoded, no empty part and no dots alone: the registry reads a path exactly as we do.
PART = r"(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._:@+=~-]+"
NAME = rf"{PART}(?:/{PART})*"
MANIFEST = re.compile(rf"/v2/({NAME})/manifests/({PART})\Z")
UPLOADS = re.compile(rf"/v2/({NAME})/blobs/uploads/?\Z")
UPLOAD = re.compile(rf"/v2/({NAME})/blobs/uploads/({PART})\Z")
BLOB = re.compile(rf"/v2/({NAME})/blobs/({PART})\Z")
KINDS = (("manifest", MANIFEST), ("uploads", UPLOADS), ("upload", UPLOAD), ("blob", BLOB))
OTHERS = re.compile(rf"/v2/?\Z|/v2/_catalog\Z|/v2/{NAME}/tags/list\Z")
QUERY = re.compile(r"[\x21\x24-\x7e]*\Z")
HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "proxy-authorization", "te", "trailer", "upgrade", "expect"}
)


class Unclear(Exception):
    """A request that is not passed on; `status` says why."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


@dataclass(frozen=True)
class Head:
    """`fields` as they came, without what is between two neighbours only."""

    method: str
    target: str
    fields: tuple[tuple[str, str], ...]
    expects: bool = False

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    def get(self, name: str) -> str:
        return next((value for key, value in self.fields if key.lower() == name), "")

    @property
    def bearer(self) -> str:
        kind, _space, token = self.get("authorization").partition(" ")
        return token.strip() if kind.lower() == "bearer" else ""

    @property
    def writes(self) -> bool:
        return self.method not in ("GET", "HEAD", "OPTIONS")

    @property
    def aim(self) -> tuple[str, str, str]:
        """(kind, repository, reference); all empty where it is about no repository's contents."""
        for kind, form in KINDS:
            if found := form.match(self.path):
                return kind, found[1], found[2] if form.groups > 1 else ""
        return "", "", ""

    def without(self, *names: str) -> "Head":
        return replace(self, fields=tuple(one for one in self.fields if one[0].lower() not in names))

    def of_length(self, count: int) -> "Head":
        """For a body that is here already, in one piece."""
        kept = self.without("content-length", "transfer-encoding")
        return replace(kept, fields=(*kept.fields, ("Content-Length", str(count))), expects=False)

    def written(self) -> bytes:
        """As it goes to the registry: one request a connection, so that nothing can hide behind it."""
        lines = [f"{self.method} {self.target} HTTP/1.1", *(f"{name}: {value}" for name, value in self.fields)]
        if self.expects:
            lines.append("Expect: 100-continue")
        return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")


def read(raw: bytes) -> Head:
    """From the bytes up to the empty line. Raises `Unclear`."""
    line, *rest = raw.decode("latin-1").split("\r\n")
    words = line.split(" ")
    if len(words) != 3 or words[2] != "HTTP/1.1":
        raise Unclear(400, "Only HTTP/1.1 is spoken here.")
    method, target, _version = words
    if method not in METHODS:
        raise Unclear(405, "This method is not known here.")
    fields = [_field(one) for one in rest if one]
    names = [name.lower() for name, _value in fields]
    for once in ("host", "content-length", "transfer-encoding", "authorization"):
        if names.count(once) > 1:
            raise Unclear(400, f"{once} is said twice.")
    if "host" not in names:
        raise Unclear(400, "The host is missing.")
    found = Head(method, target, tuple(one for one in fields if one[0].lower() not in HOP))
    _check_length(found)
    _check_target(found)
    expects = any(one[0].lower() == "expect" for one in fields)
    return replace(found, expects=expects)


def _field(line: str) -> tuple[str, str]:
    found = FIELD.match(line)
    if found is None:
        raise Unclear(400, "A header is not understood.")
    return found[1], found[2]


def _check_length(head: Head) -> None:
    length, coding = head.get("content-length"), head.get("transfer-encoding")
    if length and coding or (length and not re.fullmatch(r"[0-9]{1,18}", length)):
        raise Unclear(400, "The length of the body is not clear.")
    if coding and coding.lower() != "chunked":
        raise Unclear(501, "This transfer encoding is not known here.")


def _check_target(head: Head) -> None:
    path, question, query = head.target.partition("?")
    known = path.startswith("/gate") or any(form.match(path) for _kind, form in KINDS) or OTHERS.match(path)
    if not known or (question and not QUERY.match(query)):
        raise Unclear(404, "There is nothing of this name.")
