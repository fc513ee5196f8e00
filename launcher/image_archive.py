"""Container images as plain tar archives, made from files without any engine or network.

The same input always gives the same bytes, so an image's id is known before it is loaded.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

CREATED = "2026-01-01T00:00:00Z"
SECOND = 1767225600  # the same moment


@dataclass(frozen=True)
class Entry:
    """One thing in a layer: a file (`data`), a symbolic link (`link`) or else a folder."""

    path: str
    data: bytes | None = None
    link: str = ""
    mode: int = 0o755


@dataclass(frozen=True)
class Layer:
    """An uncompressed layer."""

    data: bytes

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class Image:
    """An image: its references (`name:tag`), layers and the engine's config for it."""

    references: tuple[str, ...]
    layers: tuple[Layer, ...]
    config: Mapping[str, object]
    architecture: str
    history: tuple[str, ...] = field(default=())

    @property
    def manifest(self) -> bytes:
        """The image's config file, whose digest is the image's id."""
        body = {
            "architecture": self.architecture,
            "config": self.config,
            "created": CREATED,
            "history": [{"created": CREATED, "created_by": text} for text in self.history],
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.digest}" for layer in self.layers]},
        }
        return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()

    @property
    def id(self) -> str:
        return f"sha256:{hashlib.sha256(self.manifest).hexdigest()}"


def pack(entries: Sequence[Entry]) -> Layer:
    """A layer with these entries, all of them root's and of one moment."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for entry in entries:
            add(archive, entry)
    return Layer(stream.getvalue())


def add(archive: tarfile.TarFile, entry: Entry) -> None:
    info = tarfile.TarInfo(entry.path)
    info.mode, info.mtime = entry.mode, SECOND
    if entry.data is not None:
        info.size = len(entry.data)
    elif entry.link:
        info.type, info.linkname = tarfile.SYMTYPE, entry.link
    else:
        info.type = tarfile.DIRTYPE
    archive.addfile(info, io.BytesIO(entry.data or b""))


def archive(images: Sequence[Image]) -> bytes:
    """What `POST /images/load` takes: these images, each shared layer once."""
    files: dict[str, bytes] = {}
    index = []
    for image in images:
        config = f"{image.id.removeprefix('sha256:')}.json"
        files[config] = image.manifest
        files |= {f"{layer.digest}/layer.tar": layer.data for layer in image.layers}
        paths = [f"{layer.digest}/layer.tar" for layer in image.layers]
        index.append({"Config": config, "RepoTags": list(image.references), "Layers": paths})
    files["manifest.json"] = json.dumps(index).encode()
    return pack([Entry(path, data=data, mode=0o644) for path, data in files.items()]).data
