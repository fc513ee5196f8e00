"""The strict grammar of image references: [registry[:port]/]path[:tag][@sha256:digest], and nothing else."""

import re
from dataclasses import dataclass, replace

HUB = "docker.io"
DOMAIN = re.compile(
    r"(?=.{1,255}\Z)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*(?::[0-9]{1,5})?\Z",
    re.ASCII,
)
COMPONENT = re.compile(r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*\Z", re.ASCII)
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\Z", re.ASCII)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z", re.ASCII)
IMAGE_ID = re.compile(r"(?:sha256:)?[0-9a-f]{64}\Z", re.ASCII)
LONGEST = 512
LONGEST_NAME = 255


class BadImageReference(ValueError):
    """`code` is a key of the sentences table."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class ImageReference:
    """`repository` is the path inside the registry ("library/nginx"). At least one of tag and digest is given."""

    registry: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    @property
    def name(self) -> str:
        """Complete, without tag and digest: docker.io/library/nginx."""
        return f"{self.registry}/{self.repository}"

    @property
    def short_name(self) -> str:
        """As people write it: nginx, grafana/grafana, registry.example.com/team/web."""
        short = self.repository.removeprefix("library/")
        if self.registry != HUB or "/" not in self.repository:
            return self.name
        if "/" not in short:
            return short
        return self.name if _is_registry(self.repository.partition("/")[0]) else self.repository

    @property
    def _version(self) -> str:
        return (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")

    def __str__(self) -> str:
        return self.short_name + self._version

    @property
    def complete(self) -> str:
        return self.name + self._version

    def pinned(self, digest: str) -> str:
        """name@digest: what an engine is asked to run."""
        return f"{self.name}@{digest}"


def parse(text: str) -> ImageReference:
    """Raises BadImageReference. No tag and no digest mean the tag "latest"."""
    if not text or len(text) > LONGEST:
        raise BadImageReference("image_grammar")
    if IMAGE_ID.match(text):
        raise BadImageReference("image_is_an_id")
    rest, _at, digest = text.partition("@")
    if _at and not DIGEST.match(digest):
        raise BadImageReference("image_digest")
    rest, tag = _split_tag(rest)
    registry, repository = _split_registry(rest)
    if len(registry) + len(repository) + 1 > LONGEST_NAME:
        raise BadImageReference("image_grammar")
    found = ImageReference(registry, repository, tag, digest or None)
    return found if tag or digest else replace(found, tag="latest")


def _split_tag(text: str) -> tuple[str, str | None]:
    head, slash, last = text.rpartition("/")
    last, colon, tag = last.partition(":")
    if not colon:
        return text, None
    if not TAG.match(tag):
        raise BadImageReference("image_tag")
    return head + slash + last, tag


def _split_registry(text: str) -> tuple[str, str]:
    first, slash, path = text.partition("/")
    if not slash or not _is_registry(first):
        first, path = HUB, text
    if not DOMAIN.match(first):
        raise BadImageReference("image_registry")
    if not all(COMPONENT.match(part) for part in path.split("/")):
        raise BadImageReference("image_capitals" if path != path.lower() else "image_grammar")
    first = HUB if first.lower() in ("index.docker.io", "registry-1.docker.io") else first.lower()
    return first, f"library/{path}" if first == HUB and "/" not in path else path


def _is_registry(first: str) -> bool:
    return "." in first or ":" in first or first == "localhost"


def is_pinned(text: str) -> bool:
    """name@sha256:..., or the id of an image."""
    if IMAGE_ID.match(text):
        return True
    try:
        return parse(text).digest is not None
    except BadImageReference:
        return False
