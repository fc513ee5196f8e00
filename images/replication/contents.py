"""What an image is made of: its manifests, those of every platform, and the layers they name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from images.registry.telling import DIGEST
from images.replication.problems import RemoteProblem
from images.replication.talking import Manifest, Registry

MOST_MANIFESTS = 200
MOST_LAYERS = 2000
DEEPEST = 3  # a list of lists of images
MOST_BYTES = 100 * 1024**3
ELSEWHERE = ("nondistributable", "foreign")  # layers that nobody may hand on; what runs them fetches them by itself


@dataclass(frozen=True)
class Layer:
    """Or a configuration: what lies there under a digest."""

    digest: str
    size: int


@dataclass
class Contents:
    """`manifests`: those that others name come before those."""

    manifests: list[Manifest] = field(default_factory=list)
    layers: dict[str, Layer] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return sum(layer.size for layer in self.layers.values())

    @property
    def top(self) -> Manifest:
        return self.manifests[-1]


def contents(source: Registry, path: str, first: Manifest) -> Contents:
    """All that belongs to an image. Errors: RemoteProblem for what has no bounds or is not there."""
    found = Contents()
    _gather(source, path, first, found, set(), 0)
    return found


def _gather(source: Registry, path: str, manifest: Manifest, found: Contents, seen: set[str], depth: int) -> None:
    image = f"{source.host}/{path}@{manifest.digest}"
    seen.add(manifest.digest)
    if len(seen) > MOST_MANIFESTS or depth > DEEPEST:
        raise RemoteProblem("copy_too_large", image=image)
    for digest in _named(manifest.document.get("manifests")):
        if digest in seen:
            continue
        below = source.manifest(path, digest)
        if below is None:
            raise RemoteProblem("copy_not_there", image=f"{source.host}/{path}@{digest}")
        _gather(source, path, below, found, seen, depth + 1)
    for layer in _layers(manifest.document, source.host):
        found.layers[layer.digest] = layer
    if len(found.layers) > MOST_LAYERS or found.size > MOST_BYTES:
        raise RemoteProblem("copy_too_large", image=image)
    found.manifests.append(manifest)


def _named(listed: Any) -> Iterator[str]:
    for one in listed if isinstance(listed, list) else []:
        digest = str(one.get("digest", "")) if isinstance(one, Mapping) else ""
        if DIGEST.match(digest):
            yield digest


def _layers(document: Mapping[str, Any], host: str) -> Iterator[Layer]:
    listed = document.get("layers")
    for one in [document.get("config"), *(listed if isinstance(listed, list) else [])]:
        if not isinstance(one, Mapping) or any(word in str(one.get("mediaType", "")) for word in ELSEWHERE):
            continue
        digest, size = str(one.get("digest", "")), one.get("size")
        if not DIGEST.match(digest) or not isinstance(size, int) or size < 0:
            raise RemoteProblem("remote_odd", host=host)
        yield Layer(digest, size)
