"""What of an archive goes into the registry: where each part lies in the file, its digest, and the manifest.

Every byte of the image is read for it once: each layer has to be what the image names, and hold no path that leads out.
"""

import hashlib
import json
from collections.abc import Callable
from typing import IO, Any

from images.scanning.archive import Archive, Image, Layer, blob, image_in, of_type
from images.scanning.limits import Budget, Limits
from images.scanning.problems import ScanProblem
from images.scanning.unpacking import CHUNK, members
from images.uploading.walking import Walk

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
PACKINGS = {b"\x1f\x8b": "+gzip", b"\x28\xb5\x2f\xfd": "+zstd"}
MOST_NAMES = 10

Tell = Callable[[dict[str, Any]], None]


class Hashed:
    """A part of the archive that counts and hashes what is read of it."""

    def __init__(self, raw: IO[bytes]) -> None:
        self.raw, self.hash, self.size, self.start = raw, hashlib.sha256(), 0, b""

    def read(self, size: int = -1) -> bytes:
        data = self.raw.read(size)
        self.start = self.start or data[:4]
        self.hash.update(data)
        self.size += len(data)
        return data

    def digest(self) -> str:
        """Of all of it: what nobody read yet is read now."""
        while self.read(CHUNK):
            pass
        return "sha256:" + self.hash.hexdigest()


def plan(file: IO[bytes], size: int, limits: Limits, *, name: str, platform: str, tell: Tell) -> dict[str, Any]:
    """`{"manifest", "kind", "digest", "blobs": [{"at", "size", "digest"}], "names", "platform"}`."""
    walk = Walk({}, names=set())
    walk.on(file, size)
    walk.finish(size)
    if walk.packed:
        raise ScanProblem("archive_packed", packing=walk.packed)
    file.seek(0)
    archive = Archive(file, limits)
    image = image_in(archive, name=name, platform=platform)
    budget, layers = Budget(limits), []
    for layer in image.layers:
        tell({"done": layer.number - 1, "count": len(image.layers)})
        layers.append(_layer(archive, layer, budget))
    config = _part(archive, image.config_file)
    manifest = _given(archive, image, config, layers) if _is_layout(archive) else _made(config, layers)
    return manifest | {
        "blobs": [*_once(layers), config],
        "names": [one[:300] for one in image.names[:MOST_NAMES]],
        "platform": image.platform,
    }


def _is_layout(archive: Archive) -> bool:
    return "index.json" in archive


def _layer(archive: Archive, layer: Layer, budget: Budget) -> dict[str, Any]:
    hashed = Hashed(layer.open())
    same = Layer(layer.number, layer.diff_id, lambda: hashed, layer.file)  # type: ignore[arg-type, return-value]  # all that is asked of it is `read`
    for _member in members(same, budget):
        pass
    digest = hashed.digest()
    packing = next((word for mark, word in PACKINGS.items() if hashed.start.startswith(mark)), "")
    return {"at": archive.find(layer.file).offset_data, "size": hashed.size, "digest": digest, "kind": LAYER + packing}


def _part(archive: Archive, name: str) -> dict[str, Any]:
    hashed = Hashed(archive.open(name))
    digest = hashed.digest()
    return {"at": archive.find(name).offset_data, "size": hashed.size, "digest": digest, "kind": CONFIG}


def _once(layers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A layer that an image has twice lies in the registry once."""
    return list({layer["digest"]: layer for layer in layers}.values())


def _made(config: dict[str, Any], layers: list[dict[str, Any]]) -> dict[str, Any]:
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _descriptor(config),
        "layers": [_descriptor(layer) for layer in layers],
    }
    text = json.dumps(document, separators=(",", ":"))
    return {"manifest": text, "kind": MANIFEST, "digest": "sha256:" + hashlib.sha256(text.encode()).hexdigest()}


def _descriptor(part: dict[str, Any]) -> dict[str, Any]:
    return {"mediaType": part["kind"], "digest": part["digest"], "size": part["size"]}


def _given(archive: Archive, image: Image, config: dict[str, Any], layers: list[dict[str, Any]]) -> dict[str, Any]:
    """The layout's own manifest, byte for byte; what it says of its parts has to be so."""
    digest = image.digests[0]
    raw = archive.open(blob(digest)).read()
    document = of_type(json.loads(raw), dict, digest)
    told = [document["config"], *document["layers"]]
    for said, found in zip(told, [config, *layers], strict=True):
        if said.get("digest") != found["digest"] or said.get("size") != found["size"]:
            raise ScanProblem("archive_digest", name=str(said.get("digest"))[:100])
    kind = document.get("mediaType") or MANIFEST
    return {"manifest": raw.decode(), "kind": of_type(kind, str, digest), "digest": digest}
