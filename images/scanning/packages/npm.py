"""Packages of npm: `package.json` of each folder in `node_modules`."""

import json
import re
from collections.abc import Iterator
from typing import Any

from images.scanning.packages.package import Package, Unread

FILE = re.compile(r"(?:^|/)node_modules/(?:@[^/]+/)?[^/]+/package\.json\Z")


def wants(path: str) -> bool:
    return path.endswith("/package.json") and bool(FILE.search(path))


def packages(text: str, path: str) -> Iterator[Package]:
    try:
        says = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unread("list_damaged") from error
    if not isinstance(says, dict):
        raise Unread("list_damaged")
    name, version = says.get("name"), says.get("version")
    if isinstance(name, str) and isinstance(version, str) and name and version:
        yield Package("npm", name, version, licence=_licence(says), path=path)


def _licence(says: dict[str, Any]) -> str:
    """New packages give a word; old ones an object, or a list of them."""
    given = says.get("license") or says.get("licenses") or ""
    each = given if isinstance(given, list) else [given]
    words = [one.get("type") if isinstance(one, dict) else one for one in each[:20]]
    return " OR ".join(word for word in words if isinstance(word, str) and word)
