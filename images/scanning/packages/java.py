"""Java archives, those inside of others too: what Maven wrote into them, else the name of the file."""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator

from images.scanning.packages.package import Package, Unread

ENDINGS = (".jar", ".war", ".ear")
PROPERTIES = re.compile(r"META-INF/maven/[^/]+/[^/]+/pom\.properties\Z")
NAMED = re.compile(r"(?P<name>[A-Za-z][\w.-]*?)-(?P<version>\d[\w.+-]*)\.[jwe]ar\Z")
DEEPEST = 3
MOST_ENTRIES = 200_000
MOST_PROPERTIES = 64 * 1024
MOST_INSIDE = 128 * 2**20
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)


def packages(raw: bytes, path: str, *, depth: int = 0) -> Iterator[Package]:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_ENTRIES:
                raise Unread("list_too_long")
            told = [package for entry in entries for package in _told(archive, entry, path)]
            yield from told or _by_name(path)
            for entry in entries:
                if entry.filename.endswith(ENDINGS):
                    yield from _inner(archive, entry, path, depth=depth + 1)
    except BROKEN as error:
        raise Unread("list_damaged") from error


def _told(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: str) -> Iterator[Package]:
    if not PROPERTIES.match(entry.filename):
        return
    says: dict[str, str] = {}
    for line in _read(archive, entry, MOST_PROPERTIES).decode("utf-8", "replace").splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            says[key.strip()] = value.strip()
    if says.get("groupId") and says.get("artifactId") and says.get("version"):
        yield Package("maven", f"{says['groupId']}:{says['artifactId']}", says["version"], path=path)


def _by_name(path: str) -> Iterator[Package]:
    """Without its group it cannot be looked up; it is named, so that nobody takes it for clean."""
    file = path.rpartition("/")[2]
    found = NAMED.match(file)
    if found:
        yield Package("maven", found["name"], found["version"], path=path, standing="nameless")
    else:
        yield Package("maven", file.rpartition(".")[0] or file, "", path=path, standing="nameless")


def _inner(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: str, *, depth: int) -> Iterator[Package]:
    if depth > DEEPEST:
        raise Unread("list_too_deep")
    yield from packages(_read(archive, entry, MOST_INSIDE), f"{path}!{entry.filename}", depth=depth)


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes:
    with archive.open(entry) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise Unread("list_too_long")
    return data
