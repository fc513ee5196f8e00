"""A look at the headers of an archive while it comes in, so that what nobody wants is refused before all of it is here.

What was found is a small document: whichever process takes the next piece goes on from there.
"""

import posixpath
import tarfile
from typing import IO, Any

from images.scanning.archive import MOST_MEMBERS, StrictHeader
from images.scanning.problems import ScanProblem

BLOCK = tarfile.BLOCKSIZE
GZIP = b"\x1f\x8b"
ZIP = b"PK"
OTHERS = {b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"PK": "zip"}
LONGEST_NOTE = 64 * 1024  # of a header that says more of the next one: a long name, a size
LONGEST_NAME = 1024
NOTES = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
LINKS = (tarfile.SYMTYPE, tarfile.LNKTYPE)
PLAIN = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE)
NEVER = ("GNU.sparse.major", "GNU.sparse.size", "GNU.sparse.realsize", "GNU.sparse.map", "GNU.sparse.name")


class Walk:
    """`state` is what is kept between two pieces; `names` of all files, where doubled ones are to be found."""

    def __init__(self, state: dict[str, Any], *, names: set[str] | None = None, zipped: bool = False) -> None:
        self.at: int = state.get("at", 0)
        self.count: int = state.get("count", 0)
        self.packed: str = state.get("packed", "")
        self.ended: bool = state.get("ended", False)
        self.said: dict[str, Any] = dict(state.get("said", {}))  # what the last notes say of the next header
        self.names = names
        self.zipped = zipped  # sources come so too

    @property
    def state(self) -> dict[str, Any]:
        return {"at": self.at, "count": self.count, "packed": self.packed, "ended": self.ended, "said": self.said}

    def on(self, file: IO[bytes], received: int) -> None:
        """Look at every header that is here. Raises ScanProblem for what no archive of an image has."""
        if self.at == 0 and received >= BLOCK:
            self._begin(file)
        while not self.packed and not self.ended and self.at + BLOCK <= received:
            if not self._one(file, received):
                return

    def finish(self, size: int) -> None:
        """All of it was here: was it whole?"""
        if not self.packed and not self.ended and self.at != size:
            raise ScanProblem("archive_unreadable")

    def _begin(self, file: IO[bytes]) -> None:
        start = read_at(file, 0, 6)
        if start.startswith(GZIP):
            self.packed = "gzip"
        if self.zipped and start.startswith(ZIP):
            self.packed = "zip"
            return
        for mark, name in OTHERS.items():
            if start.startswith(mark):
                raise ScanProblem("archive_packed", packing=name)

    def _one(self, file: IO[bytes], received: int) -> bool:
        """False where more has to come first."""
        block = read_at(file, self.at, BLOCK)
        if block == b"\0" * BLOCK:
            self.ended = True
            return True
        try:
            header = StrictHeader.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            raise ScanProblem("archive_unreadable") from error
        size = int(self.said.pop("size", header.size)) if header.type not in NOTES else header.size
        if size < 0 or header.size < 0:
            raise ScanProblem("archive_unreadable")
        if header.type in NOTES:
            if size > LONGEST_NOTE:
                raise ScanProblem("upload_entry_name")
            if self.at + BLOCK + size > received:
                return False
            self._note(header, read_at(file, self.at + BLOCK, size))
        else:
            self._check(header)
        self.at += BLOCK + (-(-size // BLOCK) * BLOCK if header.type not in (*LINKS, tarfile.DIRTYPE) else 0)
        return True

    def _note(self, header: tarfile.TarInfo, told: bytes) -> None:
        if header.type == tarfile.GNUTYPE_LONGNAME:
            self.said["path"] = _text(told.rstrip(b"\0"))
        elif header.type == tarfile.GNUTYPE_LONGLINK:
            self.said["linkpath"] = _text(told.rstrip(b"\0"))
        else:
            records = records_of(told)
            if any(name in records for name in NEVER):
                raise ScanProblem("upload_entry_kind", path=header.name[:200])
            if header.type == tarfile.XGLTYPE and records.keys() & {"path", "linkpath", "size"}:
                raise ScanProblem("archive_unreadable")  # one name for all that follows
            self.said |= {name: records[name] for name in ("path", "linkpath", "size") if name in records}

    def _check(self, header: tarfile.TarInfo) -> None:
        self.count += 1
        if self.count > MOST_MEMBERS:
            raise ScanProblem("archive_too_many", most=MOST_MEMBERS)
        path = str(self.said.pop("path", header.name))
        link = str(self.said.pop("linkpath", header.linkname))
        if header.type not in (*PLAIN, *LINKS):
            raise ScanProblem("upload_entry_kind", path=path[:200])
        _inside(path, path)
        if header.type in LINKS:
            _inside(posixpath.join(posixpath.dirname(path), link) if header.type == tarfile.SYMTYPE else link, path)
            if link.startswith("/"):
                raise ScanProblem("upload_entry_path", path=path[:200])
        if self.names is not None and header.type != tarfile.DIRTYPE:
            plain = posixpath.normpath(path)
            if plain in self.names:
                raise ScanProblem("upload_entry_twice", path=path[:200])
            self.names.add(plain)


def _inside(target: str, path: str) -> None:
    plain = posixpath.normpath(target)
    if target.startswith("/") or plain == ".." or plain.startswith("../") or "\0" in target or "\\" in target:
        raise ScanProblem("upload_entry_path", path=path[:200])
    if len(path) > LONGEST_NAME:
        raise ScanProblem("upload_entry_name")


def records_of(told: bytes) -> dict[str, str]:
    """What an extended header says: "LENGTH NAME=VALUE\\n" again and again."""
    found: dict[str, str] = {}
    while told.strip(b"\0"):
        length, _space, _rest = told.partition(b" ")
        if not length.isdigit() or len(length) > 6 or not len(length) + 2 < int(length) <= len(told):
            raise ScanProblem("archive_unreadable")
        name, equals, value = told[len(length) + 1 : int(length) - 1].partition(b"=")
        if not equals or told[int(length) - 1 : int(length)] != b"\n":
            raise ScanProblem("archive_unreadable")
        found[_text(name)] = _text(value)
        told = told[int(length) :]
    if not found.get("size", "0").isdigit() or len(found.get("size", "0")) > 18:
        raise ScanProblem("archive_unreadable")
    return found


def read_at(file: IO[bytes], place: int, size: int) -> bytes:
    file.seek(place)
    return file.read(size)


def _text(told: bytes) -> str:
    return told.decode("utf-8", "replace").replace("\0", "\ufffd")
