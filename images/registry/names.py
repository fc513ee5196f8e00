"""Names of repositories in our registry: tenant/project/name."""

import re
from dataclasses import dataclass

from django.conf import settings

LONGEST = 200
KINDS = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
)
"""What an image is, or a list of images for several platforms."""
# As the registry itself takes them, and nothing else: no capitals, no dots in a row, no empty part, no wildcard.
PART = re.compile(r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*\Z", re.ASCII)


@dataclass(frozen=True)
class Path:
    """`name` may have slashes of its own."""

    tenant: str
    project: str
    name: str

    def __str__(self) -> str:
        return f"{self.tenant}/{self.project}/{self.name}"


def parse(text: str) -> Path | None:
    """None for whatever is not the name of a repository of some project."""
    if len(text) > LONGEST or not all(PART.match(part) for part in text.split("/")):
        return None
    tenant, _slash, rest = text.partition("/")
    project, _slash, name = rest.partition("/")
    return Path(tenant, project, name) if name else None


def address() -> str:
    """HOST:PORT of the registry, as it stands before a repository's name; empty where there is none."""
    return str(settings.REGISTRY["url"]).partition("://")[2].rstrip("/")


def reference(path: str) -> str:
    """A repository's name as engines and people write it."""
    return f"{address()}/{path}"


def path_of(reference: str) -> Path | None:
    """The repository of ours that an image's name (without tag and digest) means; None of any other registry."""
    host, _slash, rest = reference.partition("/")
    return parse(rest) if rest and host == address() else None


def plain() -> bool:
    """Whether it is asked without https."""
    return str(settings.REGISTRY["url"]).startswith("http://")
