"""A layer as a stream: unpacked while it is read, within limits, its paths checked, no link followed."""

import hashlib
import posixpath
import tarfile
import zlib
from collections.abc import Iterator
from typing import IO

from zstandard import ZstdDecompressor, ZstdError

from images.scanning.archive import Layer, StrictHeader, forget
from images.scanning.limits import MIB, Budget
from images.scanning.problems import ScanProblem

CHUNK = MIB
STEP = 64 * 1024  # unpacked at a time: whatever reads on from the middle of it copies all that is left
PACKED_STEP = 128 * 1024  # for the same reason
GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
LARGEST_WINDOW = 128 * MIB  # of zstd; what it takes in memory, and as much as other programs take
OTHERS = {b"BZh": "bzip2", b"\xfd7zXZ": "xz"}


class Unpacked:
    """The bytes of a layer, unpacked; what `tarfile` reads from. Counts, hashes, and stops at what is too much."""

    def __init__(self, layer: Layer, budget: Budget) -> None:
        self.number = layer.number
        self.budget = budget
        self.raw = layer.open()
        self.hash = hashlib.sha256()
        self.taken = 0  # packed bytes
        self.given = 0  # unpacked bytes
        self.packed = self.raw.read(PACKED_STEP)
        self.taken += len(self.packed)
        self.gzip = self.packed.startswith(GZIP)
        for mark, name in OTHERS.items():
            if self.packed.startswith(mark):
                raise ScanProblem("layer_packing", layer=self.number, packing=name)
        self.inflate = zlib.decompressobj(31)
        self.zstd = _zstd(self) if self.packed.startswith(ZSTD) else None

    def read(self, size: int = CHUNK) -> bytes:
        data = self._unpacked(size)
        self.given += len(data)
        self.hash.update(data)
        self.budget.unpack(len(data), layer=self.number)
        limits = self.budget.limits
        if self.given > limits.ratio_from_bytes and self.given > self.taken * limits.ratio:
            raise ScanProblem("layer_bomb", layer=self.number, most=limits.ratio)
        return data

    def _unpacked(self, size: int) -> bytes:
        if self.zstd is not None:
            return self.zstd.read(size)  # never more than was asked for, however much a piece unpacks to
        return self._inflated(size) if self.gzip else self._plain(size)

    def _more(self) -> bytes:
        more = self.raw.read(PACKED_STEP)
        self.taken += len(more)
        return more

    def _plain(self, size: int) -> bytes:
        if not self.packed:
            self.packed = self._more()
        data, self.packed = self.packed[:size], self.packed[size:]
        return data

    def _inflated(self, size: int) -> bytes:
        while True:
            if self.inflate.eof:  # several packed parts may follow each other
                self.packed = (self.inflate.unused_data or self.packed) or self._more()
                if not self.packed.startswith(GZIP):
                    return b""  # the end, or what fills up to a block
                self.inflate = zlib.decompressobj(31)
            if not self.packed:
                self.packed = self._more()
                if not self.packed:
                    raise ScanProblem("layer_ends", layer=self.number)
            data = self.inflate.decompress(self.packed, size)
            self.packed = self.inflate.unconsumed_tail
            if data:
                return data

    def drain(self) -> str:
        """Read what follows the last file; gives back the digest of all of it."""
        while self.read(CHUNK):
            pass
        return "sha256:" + self.hash.hexdigest()


class Packed:
    """The packed bytes of a layer, for a reader that asks for them."""

    def __init__(self, layer: Unpacked) -> None:
        self.layer = layer

    def read(self, size: int = -1) -> bytes:
        return self.layer._plain(size)


def _zstd(layer: Unpacked) -> IO[bytes]:
    reader = ZstdDecompressor(max_window_size=LARGEST_WINDOW)
    return reader.stream_reader(Packed(layer), read_across_frames=True)  # type: ignore[arg-type]  # reads only


class Member:
    """One entry of a layer: its path below the root, its kind, and a way to its bytes."""

    __slots__ = ("_tar", "info", "path")

    def __init__(self, path: str, info: tarfile.TarInfo, tar: tarfile.TarFile) -> None:
        self.path, self.info, self._tar = path, info, tar

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    def open(self) -> IO[bytes]:
        opened = self._tar.extractfile(self.info)
        if opened is None:
            raise tarfile.ReadError("no file")
        return opened


def members(layer: Layer, budget: Budget) -> Iterator[Member]:
    """Every entry of a layer in its order; at the end the layer must be the one that the image names."""
    stream: Unpacked | None = None
    try:
        stream = Unpacked(layer, budget)
        with tarfile.open(fileobj=stream, mode="r|", bufsize=STEP, tarinfo=StrictHeader) as tar:  # type: ignore[call-overload]  # all it asks of a stream is `read`
            while (info := tar.next()) is not None:
                forget(tar)
                budget.file(layer=layer.number)
                yield Member(checked(info.name, layer.number), info, tar)
        if stream.drain() != layer.diff_id:
            raise ScanProblem("layer_digest", layer=layer.number)
    except (tarfile.TarError, EOFError, zlib.error, ZstdError, OverflowError) as error:
        if stream is not None and stream.zstd is None and stream.given == 0 == len(stream.packed):
            raise ScanProblem("layer_ends", layer=layer.number) from error
        raise ScanProblem("layer_broken", layer=layer.number) from error


def checked(name: str, layer: int) -> str:
    """The path below the root. One that climbs out of it has no business in an image."""
    plain = posixpath.normpath(name.lstrip("/"))
    if plain == ".." or plain.startswith("../") or "\0" in plain:
        raise ScanProblem("layer_path", layer=layer, path=name[:200])
    return "" if plain == "." else plain
