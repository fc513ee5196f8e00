"""An image of our registry as one file, for programs that read nothing else. It is there while they read it."""

import hashlib
import io
import json
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from images.scanning import fetching
from images.scanning.fetching import Piece, Wanted
from images.scanning.limits import GIB, Limits
from images.scanning.problems import ScanProblem

LEFT_FREE = 2 * GIB
TIMES = 4  # such a program unpacks it as well


@contextmanager
def packed(wanted: Wanted, limits: Limits, *, tool: str) -> Iterator[Path]:
    """As `docker save` writes it. Raises ScanProblem where the disk has no room for it and its unpacking."""
    size = sum(one.size for one in wanted.pieces)
    with tempfile.TemporaryDirectory(prefix="berth-scan-") as folder:
        if shutil.disk_usage(folder).free < size * TIMES + LEFT_FREE:
            raise ScanProblem("no_room", tool=tool, bytes=size)
        path = Path(folder) / "image.tar"
        with tarfile.open(path, "w") as tar:
            _write(tar, wanted, limits)
        yield path


def _write(tar: tarfile.TarFile, wanted: Wanted, limits: Limits) -> None:
    config = f"{hashlib.sha256(wanted.raw_config).hexdigest()}.json"
    files = [f"{number}/layer.tar" for number in range(len(wanted.pieces))]
    for name, piece in zip(files, wanted.pieces, strict=True):
        with fetching.opened(wanted.path, piece, limits) as pieces:
            tar.addfile(_entry(name, piece.size), cast(IO[bytes], Reader(pieces, piece)))
    _small(tar, config, wanted.raw_config)
    manifest = [{"Config": config, "RepoTags": ["berth/scan:1"], "Layers": files}]
    _small(tar, "manifest.json", json.dumps(manifest).encode())


def _small(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    tar.addfile(_entry(name, len(data)), io.BytesIO(data))


def _entry(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = size
    return info


class Reader:
    """Pieces as a file. Whoever has read the last byte has read to the end, where the digest is checked."""

    def __init__(self, pieces: Iterator[bytes], piece: Piece) -> None:
        self.pieces, self.left, self.held = pieces, piece.size, b""

    def read(self, size: int) -> bytes:
        while len(self.held) < size and (more := next(self.pieces, b"")):
            self.held += more
        told, self.held = self.held[:size], self.held[size:]
        self.left -= len(told)
        if not self.left:
            next(self.pieces, b"")
        return told
