"""Sources as the builder gets them: each entry of an archive judged, what is to be ignored left out, the rest anew."""

import gzip
import io
import posixpath
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any

from images.building.ignoring import Ignored
from images.building.problems import BuildProblem
from images.scanning.archive import StrictHeader, forget

GZIP, ZIP = b"\x1f\x8b", b"PK"
OTHERS = {b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}
CHUNK = 256 * 1024
LONGEST_NAME = 1024
LONGEST_RECIPE = 256 * 1024
LONGEST_LIST = 64 * 1024
RATIO, RATIO_FROM_BYTES = 250, 64 * 2**20
LIST = ".dockerignore"
OURS = ".berth-recipe"  # as what by which it is built stands in the sources; a file of that name cannot be there


@dataclass(frozen=True)
class Entry:
    """One entry of an archive. `read`: its next bytes."""

    name: str
    kind: bytes  # as tar calls it
    mode: int
    link: str
    size: int
    read: Callable[[int], bytes]


@dataclass
class Most:
    """What sources may take."""

    bytes: int
    files: int


class Sources:
    """An archive that can be gone through more than once."""

    def __init__(self, file: IO[bytes], size: int, most: Most) -> None:
        self._file, self._size, self._most = file, size, most

    def look(self, wanted: str) -> tuple[str, str]:
        """The text of the recipe and of the list of what is ignored."""
        found = {wanted: b"", LIST: b""}
        seen = False
        for entry in self.entries():
            if entry.name in found and entry.kind == tarfile.REGTYPE:
                most = LONGEST_RECIPE if entry.name == wanted else LONGEST_LIST
                if entry.size > most:
                    raise BuildProblem("source_large_text", path=entry.name, most=most)
                found[entry.name] = entry.read(most + 1)
                seen = seen or entry.name == wanted
        if not seen:
            raise BuildProblem("source_no_recipe", path=wanted)
        try:
            return found[wanted].decode(), found[LIST].decode("utf-8", "replace")
        except UnicodeDecodeError:
            raise BuildProblem("source_large_text", path=wanted, most=LONGEST_RECIPE) from None

    def write(self, sink: io.RawIOBase, ignored: Ignored) -> dict[str, int]:
        """Everything else, as a tar file."""
        count = 0
        with tarfile.open(fileobj=sink, mode="w|", format=tarfile.PAX_FORMAT) as out:
            for entry in self.entries():
                if entry.name == LIST or ignored.is_out(entry.name):
                    continue
                header = tarfile.TarInfo(entry.name)
                header.type, header.mode, header.linkname = entry.kind, entry.mode & 0o777, entry.link
                header.size = entry.size if entry.kind == tarfile.REGTYPE else 0
                out.addfile(header, _Part(entry) if header.size else None)
                forget(out)
                count += 1
        return {"files": count}

    def entries(self) -> Iterator[Entry]:
        """Each that may be there. Errors: BuildProblem for the first that may not."""
        names: set[str] = set()
        count = 0
        for entry in self._raw():
            count += 1
            if count > self._most.files:
                raise BuildProblem("source_many", most=self._most.files)
            plain = posixpath.normpath(entry.name)
            _inside(entry.name, plain)
            if entry.kind == tarfile.SYMTYPE:
                _inside(
                    entry.name, posixpath.normpath(posixpath.join(posixpath.dirname(plain), entry.link)), entry.link
                )
            if entry.kind == tarfile.LNKTYPE:
                _inside(entry.name, posixpath.normpath(entry.link), entry.link)
                if posixpath.normpath(entry.link) not in names:
                    raise BuildProblem("source_path", path=entry.name[:200])
            if plain == "." or (plain in names and entry.kind == tarfile.DIRTYPE):
                continue
            if plain in names or plain == OURS:
                raise BuildProblem("source_twice", path=plain[:200])
            names.add(plain)
            yield Entry(plain, entry.kind, entry.mode, entry.link, entry.size, entry.read)

    def _raw(self) -> Iterator[Entry]:
        self._file.seek(0)
        start = self._file.read(6)
        self._file.seek(0)
        for mark, word in OTHERS.items():
            if start.startswith(mark):
                raise BuildProblem("source_packed", packing=word)
        if start.startswith(ZIP):
            return self._zipped()
        packed = start.startswith(GZIP)
        plain: Any = gzip.GzipFile(fileobj=self._file) if packed else self._file
        return self._tarred(_Counted(plain, self._size, self._most.bytes))

    def _tarred(self, plain: "_Counted") -> Iterator[Entry]:
        kinds = {tarfile.AREGTYPE: tarfile.REGTYPE, tarfile.CONTTYPE: tarfile.REGTYPE}
        try:
            with tarfile.open(fileobj=plain, mode="r|", tarinfo=StrictHeader) as archive:
                for found in archive:
                    forget(archive)
                    kind = kinds.get(found.type, found.type)
                    if kind not in (tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE):
                        raise BuildProblem("source_kind", path=found.name[:200])
                    if found.sparse is not None:
                        raise BuildProblem("source_kind", path=found.name[:200])
                    file = archive.extractfile(found) if kind == tarfile.REGTYPE else None
                    read = file.read if file is not None else (lambda _size: b"")
                    yield Entry(found.name, kind, found.mode, found.linkname, found.size, read)
        except (tarfile.TarError, EOFError, OSError, ValueError, zlib.error) as error:
            raise BuildProblem("source_unreadable") from error

    def _zipped(self) -> Iterator[Entry]:
        left = [self._most.bytes]
        try:
            with zipfile.ZipFile(self._file) as archive:
                if len(archive.filelist) > self._most.files:
                    raise BuildProblem("source_many", most=self._most.files)
                if sum(one.file_size for one in archive.filelist) > self._most.bytes:
                    raise BuildProblem("source_large", most=self._most.bytes)
                for found in archive.filelist:
                    yield _unzipped(archive, found, left)
        except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError, zlib.error) as error:
            raise BuildProblem("source_unreadable") from error


class _Part:
    """One file of an archive, to be read to its end."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry

    def read(self, size: int = -1) -> bytes:
        return self._entry.read(size)


class _Counted(io.RawIOBase):
    """What is unpacked may be only so much, and so many times of what it came from."""

    def __init__(self, raw: IO[bytes], packed: int, most: int) -> None:
        self._raw, self._packed, self._most, self._seen = raw, packed, most, 0

    def read(self, size: int = -1) -> bytes:
        data = self._raw.read(size if size >= 0 else CHUNK)
        self._seen += len(data)
        if self._seen > self._most:
            raise BuildProblem("source_large", most=self._most)
        if self._seen > RATIO_FROM_BYTES and self._seen > RATIO * self._packed:
            raise BuildProblem("source_ratio", most=RATIO)
        return data


def _unzipped(archive: zipfile.ZipFile, found: zipfile.ZipInfo, left: list[int]) -> Entry:
    if found.flag_bits & 1:
        raise BuildProblem("source_locked", path=found.filename[:200])
    mode = found.external_attr >> 16
    form = stat.S_IFMT(mode)
    if found.is_dir():
        return Entry(found.filename, tarfile.DIRTYPE, mode or 0o755, "", 0, lambda _size: b"")
    if form not in (0, stat.S_IFREG, stat.S_IFLNK):
        raise BuildProblem("source_kind", path=found.filename[:200])
    opened = archive.open(found)
    if form == stat.S_IFLNK:
        link = opened.read(LONGEST_NAME + 1).decode("utf-8", "replace")
        return Entry(found.filename, tarfile.SYMTYPE, 0o777, link, 0, lambda _size: b"")

    def read(size: int) -> bytes:
        data = opened.read(size)
        left[0] -= len(data)
        if left[0] < 0:
            raise BuildProblem("source_large", most=0)
        return data

    return Entry(found.filename, tarfile.REGTYPE, (mode & 0o777) or 0o644, "", found.file_size, read)


def _inside(name: str, plain: str, link: str = "") -> None:
    """What is named, and where it leads, lies below the top of the archive."""
    told = link or name
    if told.startswith("/") or plain == ".." or plain.startswith("../") or "\0" in told or "\\" in told:
        raise BuildProblem("source_path", path=name[:200])
    if len(name) > LONGEST_NAME or len(link) > LONGEST_NAME:
        raise BuildProblem("source_name")
