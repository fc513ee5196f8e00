"""Packages of Debian and what is made of it: `status`, one file for each in `status.d`, and licences."""

import re
from collections.abc import Iterator

from images.scanning.packages.package import Package

STATUS = "var/lib/dpkg/status"
STATUS_FOLDER = "var/lib/dpkg/status.d/"
COPYRIGHT = re.compile(r"usr/share/doc/([^/]+)/copyright\Z")
PYTHON_OF_SYSTEM = "usr/lib/python3/dist-packages/"
SOURCE = re.compile(r"(\S+)(?:\s+\(([^()\s]+)\))?")
WANTED = {"package", "status", "version", "source", "architecture"}
LICENCE = re.compile(r"^License:[ \t]*(\S[^\n]{0,80})", re.MULTILINE)
COMMON = re.compile(r"/usr/share/common-licenses/([A-Za-z][\w.+-]{1,30}[\w+])")


def is_status(path: str) -> bool:
    return path == STATUS or (path.startswith(STATUS_FOLDER) and not path.endswith(".md5sums"))


def is_copyright(path: str) -> bool:
    return path.startswith("usr/share/doc/") and bool(COPYRIGHT.match(path))


def packages(text: str, path: str) -> Iterator[Package]:
    """Those that are installed. In `status.d` there is no word about the state: what stands there is there."""
    for entry in stanzas(text):
        name, version = entry.get("package", ""), entry.get("version", "")
        state = entry.get("status", "install ok installed").split()
        if not name or not version or len(state) < 3 or state[2] != "installed":
            continue
        found = SOURCE.match(entry.get("source", ""))
        source, source_version = (found[1], found[2] or version) if found else (name, version)
        arch = entry.get("architecture", "")
        yield Package("deb", name, version, source=source, source_version=source_version, arch=arch, path=path)


def stanzas(text: str) -> Iterator[dict[str, str]]:
    """Entries between empty lines; only their first lines of the fields that matter."""
    entry: dict[str, str] = {}
    for line in text.split("\n"):
        if not line.strip():
            if entry:
                yield entry
                entry = {}
        elif line[0] not in " \t":
            field, colon, value = line.partition(":")
            if colon and field.lower() in WANTED:
                entry[field.lower()] = value.strip()
    if entry:
        yield entry


def licences(text: str) -> str:
    """The licences that a copyright file names, each once."""
    found = [*LICENCE.findall(text)] or COMMON.findall(text)
    return ", ".join(dict.fromkeys(name.strip() for name in found))
