"""Packages of Alpine and Wolfi: one file of short lines, which also says which files are whose."""

from collections.abc import Iterator

from images.scanning.packages.package import Package

INSTALLED = ("lib/apk/db/installed", "usr/lib/apk/db/installed")
ABOUT = (".dist-info", ".egg-info")


def packages(text: str, path: str) -> Iterator[Package]:
    entry: dict[str, str] = {}
    for line in [*text.split("\n"), ""]:
        if not line.strip():
            if entry.get("P") and entry.get("V"):
                yield _package(entry, path)
            entry = {}
        elif line[1:2] == ":" and line[0] in "PVALo":
            entry[line[0]] = line[2:].strip()


def _package(entry: dict[str, str], path: str) -> Package:
    name, version = entry["P"], entry["V"]
    source = entry.get("o") or name
    return Package(
        "apk",
        name,
        version,
        source=source,
        source_version=version,
        licence=entry.get("L", ""),
        arch=entry.get("A", ""),
        path=path,
    )


def owned(text: str) -> Iterator[str]:
    """Paths of what Python packages say of themselves, where a package of the system brought it."""
    folder = ""
    for line in text.split("\n"):
        if line.startswith("F:"):
            folder = line[2:]
        elif line.startswith("R:") and (folder.endswith(ABOUT) or line.endswith(".egg-info")):
            yield f"{folder}/{line[2:]}"
