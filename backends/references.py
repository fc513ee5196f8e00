"""References to images, such as registry.example/shop/web:1.4@sha256:..., and the names registries give them."""

import re

from backends.contract import Credentials

# strict, because it becomes part of a path: no empty part and none of dots alone
REFERENCE = re.compile(
    r"(?P<name>(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]|\.(?!\.))*(?::[0-9]+)?/)?"
    r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_HUB = "docker.io"


def shown_for(reference: str, pull: Credentials | None) -> Credentials | None:
    """What is shown to the registry of this image: nothing to any registry but the one it is meant for."""
    return pull if pull is not None and full_name(reference).startswith(f"{pull.registry}/") else None


def full_name(name: str) -> str:
    """A repository with its registry, as hosts call it: `hello` is docker.io/library/hello."""
    first, slash, _ = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return name
    return f"{_HUB}/{name}" if slash else f"{_HUB}/library/{name}"
