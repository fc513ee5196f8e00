"""Packages of Fedora's and SUSE's families: the database as SQLite, each package a header of numbered values."""

import sqlite3
import struct
from collections.abc import Iterator

from images.scanning.packages.package import Package, Unread

FOLDERS = ("var/lib/rpm/", "usr/lib/sysimage/rpm/", "usr/share/rpm/")
SQLITE = "rpmdb.sqlite"
JOURNAL = "rpmdb.sqlite-wal"
OTHERS = {"Packages": "rpm_berkeley", "Packages.db": "rpm_ndb"}
NAME, VERSION, RELEASE, EPOCH, LICENCE, ARCH, SOURCE = 1000, 1001, 1002, 1003, 1014, 1022, 1044
FOLDER_OF, FILE_NAMES, FOLDER_NAMES = 1116, 1117, 1118
NUMBERS, TEXTS = 4, (6, 8, 9)
MOST_VALUES = 1_000_000
STEPS = 100_000
MOST_STEPS = 100_000  # times STEPS: a view or trigger that computes for ever ends


def packages(database: bytes, path: str, *, most: int) -> tuple[list[Package], set[str]]:
    """Packages, and the files about Python packages that are theirs."""
    found: list[Package] = []
    owned: set[str] = set()
    for blob in _headers(database):
        values = values_of(blob)
        if _text(values, NAME) != "gpg-pubkey":
            found.append(_package(values, path))
            owned.update(_owned(values))
        if len(found) > most:
            raise Unread("list_too_long")
    return found, owned


def _headers(database: bytes) -> Iterator[bytes]:
    if database[:16] != b"SQLite format 3\0":
        raise Unread("list_damaged")
    if database[18:20] == b"\2\2":  # says a journal lies beside it, which a database in memory cannot have
        database = database[:18] + b"\1\1" + database[20:]
    steps = iter(range(MOST_STEPS))
    connection = sqlite3.connect(":memory:")
    try:
        connection.deserialize(database)
        connection.set_progress_handler(lambda: next(steps, None) is None, STEPS)
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA query_only = ON")
        tables = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'Packages'")
        if tables.fetchone() is None:
            raise Unread("list_damaged")
        for (blob,) in connection.execute("SELECT blob FROM Packages"):
            if isinstance(blob, bytes):
                yield blob
    except sqlite3.Error as error:
        raise Unread("list_damaged") from error
    finally:
        connection.close()


def values_of(blob: bytes) -> dict[int, list[str] | list[int]]:
    """The values of a header that matter here, by number."""
    try:
        count, size = struct.unpack_from(">II", blob)
        if count > len(blob) // 16:
            raise Unread("list_damaged")
        store = blob[8 + count * 16 :][:size]
        wanted = {NAME, VERSION, RELEASE, EPOCH, LICENCE, ARCH, SOURCE, FOLDER_OF, FILE_NAMES, FOLDER_NAMES}
        found: dict[int, list[str] | list[int]] = {}
        for number in range(count):
            tag, kind, offset, length = struct.unpack_from(">IIII", blob, 8 + number * 16)
            if tag in wanted and length <= MOST_VALUES:
                found[tag] = _value(store, kind, offset, length)
        return found
    except struct.error as error:
        raise Unread("list_damaged") from error


def _value(store: bytes, kind: int, offset: int, length: int) -> list[str] | list[int]:
    if kind == NUMBERS:
        return list(struct.unpack_from(f">{length}I", store, offset))
    if kind not in TEXTS:
        return []
    texts = store[offset:].split(b"\0", length)[:length]
    return [text.decode("utf-8", "replace") for text in texts]


def _text(values: dict[int, list[str] | list[int]], tag: int) -> str:
    found = values.get(tag)
    return str(found[0]) if found else ""


def _package(values: dict[int, list[str] | list[int]], path: str) -> Package:
    name = _text(values, NAME)
    version = f"{_text(values, VERSION)}-{_text(values, RELEASE)}"
    if not name or version == "-":
        raise Unread("list_damaged")
    epoch = _text(values, EPOCH)
    full = f"{epoch}:{version}" if epoch not in {"", "0"} else version
    source = _text(values, SOURCE).removesuffix(".src.rpm").rsplit("-", 2)[0]
    return Package(
        "rpm",
        name,
        full,
        source=source or name,
        source_version=full,
        licence=_text(values, LICENCE),
        arch=_text(values, ARCH),
        path=path,
        epoch=epoch,
    )


def _owned(values: dict[int, list[str] | list[int]]) -> Iterator[str]:
    folders = [str(one) for one in values.get(FOLDER_NAMES, ())]
    numbers = [int(one) for one in values.get(FOLDER_OF, ())]
    for name, number in zip(values.get(FILE_NAMES, ()), numbers, strict=False):
        folder = folders[number] if number < len(folders) else ""
        if folder.endswith((".dist-info/", ".egg-info/")) or str(name).endswith(".egg-info"):
            yield f"{folder}{name}".lstrip("/")
