"""Images made for a test: layers as tar files, around them what `docker save` or an OCI layout writes."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zstandard

DEBIAN = b'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n'
ALPINE = b'ID=alpine\nVERSION_ID=3.20.3\nPRETTY_NAME="Alpine Linux v3.20"\n'
ROCKY = b'ID="rocky"\nVERSION_ID="9.4"\n'


@dataclass(frozen=True)
class Link:
    to: str
    hard: bool = False


@dataclass(frozen=True)
class File:
    data: bytes
    mode: int = 0o644


FOLDER = object()
Entry = bytes | str | Link | File | object


def layer(entries: Mapping[str, Entry] | Iterable[tuple[str, Entry]]) -> bytes:
    """A layer of these entries, in their order."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, entry in entries.items() if isinstance(entries, Mapping) else entries:
            info = tarfile.TarInfo(name)
            if isinstance(entry, Link):
                info.type, info.linkname = (tarfile.LNKTYPE if entry.hard else tarfile.SYMTYPE), entry.to
                tar.addfile(info)
            elif entry is FOLDER:
                info.type = tarfile.DIRTYPE
                tar.addfile(info)
            else:
                data, info.mode = _bytes(entry)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    return made.getvalue()


def _bytes(entry: Entry) -> tuple[bytes, int]:
    if isinstance(entry, File):
        return entry.data, entry.mode
    return (entry.encode() if isinstance(entry, str) else bytes(entry)), 0o644  # type: ignore[call-overload]


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


@dataclass
class Made:
    """An image of layers, to be written in either form."""

    layers: Sequence[bytes]
    names: Sequence[str] = ("shop/web:1",)
    env: Sequence[str] = ()
    commands: Sequence[str] = ()
    packed: bool | str = False  # True: gzip; or "zstd"
    diff_ids: Sequence[str] = ()
    links: dict[str, Link] = field(default_factory=dict)

    @property
    def config(self) -> bytes:
        ids = list(self.diff_ids) or [digest(one) for one in self.layers]
        document = {
            "os": "linux",
            "architecture": "amd64",
            "config": {"Env": list(self.env)},
            "rootfs": {"type": "layers", "diff_ids": ids},
            "history": [{"created_by": command} for command in self.commands],
        }
        return json.dumps(document).encode()

    def docker(self, folder: Path) -> Path:
        """As `docker save` writes it."""
        config = digest(self.config).removeprefix("sha256:") + ".json"
        files = {config: self.config}
        names = [f"{number}/layer.tar" for number in range(len(self.layers))]
        files |= {name: data for name, data in zip(names, self.laid(), strict=True) if name not in self.links}
        manifest = [{"Config": config, "RepoTags": list(self.names), "Layers": names}]
        return write(folder / "image.tar", files | {"manifest.json": json.dumps(manifest).encode()}, self.links)

    def oci(self, folder: Path) -> Path:
        """As an OCI layout."""
        blobs = [*self.laid(), self.config, self.manifest]
        entry: dict[str, Any] = {"digest": digest(self.manifest), "platform": {"os": "linux", "architecture": "amd64"}}
        entry |= {"annotations": {"org.opencontainers.image.ref.name": self.names[0]}} if self.names else {}
        files = {f"blobs/sha256/{digest(one).removeprefix('sha256:')}": one for one in blobs}
        index = json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode()
        return write(folder / "layout.tar", files | {"oci-layout": b"{}", "index.json": index}, {})

    @property
    def manifest(self) -> bytes:
        layers = [{"digest": digest(one), "size": len(one)} for one in self.laid()]
        return json.dumps({"config": {"digest": digest(self.config)}, "layers": layers}).encode()

    def laid(self) -> list[bytes]:
        if self.packed == "zstd":
            return [zstandard.compress(one) for one in self.layers]
        return [gzip.compress(one, mtime=0) if self.packed else one for one in self.layers]


def write(path: Path, files: Mapping[str, bytes], links: Mapping[str, Link]) -> Path:
    path.write_bytes(layer({**files, **links}))
    return path


def deb(name: str, version: str, *, source: str = "", state: str = "install ok installed") -> str:
    line = f"Source: {source}\n" if source else ""
    return (
        f"Package: {name}\nStatus: {state}\n{line}Architecture: amd64\nVersion: {version}\nDescription: text\n more\n\n"
    )


def rpm_header(values: Mapping[int, str | int | list[str] | list[int]]) -> bytes:
    """A header of rpm: numbered values, then their bytes."""
    entries, store = b"", b""
    for tag, value in values.items():
        listed = value if isinstance(value, list) else [value]
        if isinstance(listed[0], int):
            store += b"\0" * (-len(store) % 4)
            kind, data = 4, b"".join(int(one).to_bytes(4, "big") for one in listed)
        else:
            kind, data = (8 if isinstance(value, list) else 6), b"".join(str(one).encode() + b"\0" for one in listed)
        entries += b"".join(part.to_bytes(4, "big") for part in (tag, kind, len(store), len(listed)))
        store += data
    return len(values).to_bytes(4, "big") + len(store).to_bytes(4, "big") + entries + store


def go_program(version: str, modules: str, *, before: int = 70_000) -> bytes:
    """The part of a program of Go that tells how it was built, behind other bytes."""

    def text(data: bytes) -> bytes:
        length, count = b"", len(data)
        while count >= 0x80:
            length, count = length + bytes([count & 0x7F | 0x80]), count >> 7
        return length + bytes([count]) + data

    start = b"\x7fELF" + b"\0" * (before - 4)
    start += b"\0" * (-len(start) % 16)
    header = b"\xff Go buildinf:" + bytes([8, 2]) + b"\0" * 16
    framed = b"\x01" * 16 + modules.encode() + b"\x02" * 16
    return start + header + text(version.encode()) + text(framed) + b"\0" * 5000
