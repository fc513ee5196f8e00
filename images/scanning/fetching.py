"""An image as it lies in our registry: what its manifest says, believed only as far as digests bear it out."""

import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from images.registry import client
from images.scanning.archive import DIGEST, of_type
from images.scanning.limits import Limits
from images.scanning.problems import ScanProblem

LISTS = ("image.index.v1+json", "manifest.list.v2+json")
MOST_PARTS = 50
NO_IMAGE = "unknown/unknown"  # what builders write of their notes


@dataclass(frozen=True)
class Piece:
    """One layer: the digest and size of what lies in the registry, the digest of what it unpacks to."""

    digest: str
    size: int
    diff_id: str


@dataclass(frozen=True)
class Wanted:
    """One image, lowest layer first."""

    path: str
    digests: tuple[str, ...]
    config: dict[str, Any]
    raw_config: bytes
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Part:
    """One image of several, each for a platform of its own."""

    digest: str
    platform: str


def read(path: str, digest: str, limits: Limits) -> Wanted | list[Part]:
    """The image of this digest, or those it is a list of. Raises ScanProblem, and RegistryAway."""
    manifest = _document(path, digest, of="manifests")
    if "manifests" in manifest or str(manifest.get("mediaType", "")).endswith(LISTS):
        return _parts(manifest)
    told = manifest.get("config")
    if not isinstance(told, dict) or not isinstance(manifest.get("layers"), list):
        raise ScanProblem("not_an_image")
    config_digest = _digest(told.get("digest"))
    raw = _content(path, config_digest, of="blobs")
    config = _parsed(raw, config_digest)
    pieces = _pieces(manifest, config, limits)
    return Wanted(path, (digest, config_digest), config, raw, pieces)


def _pieces(manifest: dict[str, Any], config: dict[str, Any], limits: Limits) -> tuple[Piece, ...]:
    layers = [of_type(one, dict, "manifest") for one in manifest["layers"]]
    if len(layers) > limits.layers:
        raise ScanProblem("too_many_layers", count=len(layers), most=limits.layers)
    root = config.get("rootfs")
    diff_ids = root.get("diff_ids") if isinstance(root, dict) else None
    if not isinstance(diff_ids, list):
        raise ScanProblem("not_an_image")
    if len(diff_ids) != len(layers) or not all(isinstance(one, str) and DIGEST.match(one) for one in diff_ids):
        raise ScanProblem("archive_layers_differ", count=len(layers))
    pieces = tuple(
        Piece(_digest(one.get("digest")), _size(one.get("size")), diff_id)
        for one, diff_id in zip(layers, diff_ids, strict=True)
    )
    if sum(one.size for one in pieces) > limits.unpacked_bytes:
        raise ScanProblem("too_large", layer=len(pieces), most=limits.unpacked_bytes)
    return pieces


def _parts(manifest: dict[str, Any]) -> list[Part]:
    listed = of_type(manifest.get("manifests"), list, "manifest")[:MOST_PARTS]
    each = [of_type(one, dict, "manifest") for one in listed]
    parts = [Part(_digest(one.get("digest")), _platform(one.get("platform"))) for one in each]
    found = [one for one in parts if one.platform != NO_IMAGE]
    if not found:
        raise ScanProblem("not_an_image")
    return found


def _platform(told: Any) -> str:
    known = told if isinstance(told, dict) else {}
    return "/".join(str(known[key])[:20] for key in ("os", "architecture", "variant") if known.get(key))


def _digest(told: Any) -> str:
    if not isinstance(told, str) or not DIGEST.match(told):
        raise ScanProblem("document_broken", name="manifest")
    return told


def _size(told: Any) -> int:
    if not isinstance(told, int) or isinstance(told, bool) or told < 0:
        raise ScanProblem("document_broken", name="manifest")
    return told


def _document(path: str, digest: str, *, of: str) -> dict[str, Any]:
    return _parsed(_content(path, digest, of=of), digest)


def _content(path: str, digest: str, *, of: str) -> bytes:
    raw = client.content(path, digest, of=of)
    if raw is None:
        raise ScanProblem("registry_gone", name=digest[:19])
    if "sha256:" + hashlib.sha256(raw).hexdigest() != digest:
        raise ScanProblem("registry_digest", name=digest[:19])
    return raw


def _parsed(raw: bytes, digest: str) -> dict[str, Any]:
    try:
        document: dict[str, Any] = of_type(json.loads(raw), dict, digest[:19])
    except (ValueError, RecursionError) as error:
        raise ScanProblem("document_broken", name=digest[:19]) from error
    return document


@contextmanager
def opened(path: str, piece: Piece, limits: Limits) -> Iterator[Iterator[bytes]]:
    """The bytes of a layer as they come; the last of them only where all are what the digest says."""
    with client.blob(path, piece.digest) as pieces:
        if pieces is None:
            raise ScanProblem("registry_gone", name=piece.digest[:19])
        yield _checked(pieces, piece, limits)


def _checked(pieces: Iterator[bytes], piece: Piece, limits: Limits) -> Iterator[bytes]:
    seen, counted, end = hashlib.sha256(), 0, time.monotonic() + limits.wall_seconds
    for one in pieces:
        counted += len(one)
        if counted > piece.size:
            raise ScanProblem("registry_size", name=piece.digest[:19])
        if time.monotonic() > end:
            raise ScanProblem("out_of_time", most=limits.wall_seconds)
        seen.update(one)
        yield one
    if counted != piece.size:
        raise ScanProblem("registry_size", name=piece.digest[:19])
    if "sha256:" + seen.hexdigest() != piece.digest:
        raise ScanProblem("registry_digest", name=piece.digest[:19])
