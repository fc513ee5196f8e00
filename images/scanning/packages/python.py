"""Python packages: what they say of themselves in `*.dist-info` and `*.egg-info`."""

import re
from collections.abc import Iterator

from images.scanning.packages.package import Package

FILE = re.compile(r"(?:[^/]+\.dist-info/METADATA|[^/]+\.egg-info/PKG-INFO|[^/]+\.egg-info)\Z")
LINES = 2000
CLASSIFIER = "License :: OSI Approved :: "


def wants(path: str) -> bool:
    return path.endswith(("/METADATA", "/PKG-INFO", ".egg-info")) and bool(FILE.search(path))


def packages(text: str, path: str) -> Iterator[Package]:
    head: dict[str, str] = {}
    classified = ""
    for line in text.split("\n", LINES)[:LINES]:
        if not line.strip():
            break
        field, colon, value = line.partition(":")
        if colon and field.lower() == "classifier" and value.strip().startswith(CLASSIFIER):
            classified = value.strip().removeprefix(CLASSIFIER)
        elif colon and line[0] not in " \t":
            head.setdefault(field.lower(), value.strip())
    if head.get("name") and head.get("version"):
        given = head.get("license-expression") or head.get("license") or ""
        licence = classified if given.upper() in {"", "UNKNOWN"} else given
        yield Package("pypi", normal(head["name"]), head["version"], licence=licence, path=path)


def normal(name: str) -> str:
    """The one way to write a name: PyPI takes `A.b_C` and `a-b-c` for the same."""
    return re.sub(r"[-_.]+", "-", name).lower()
