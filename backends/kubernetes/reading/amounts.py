"""Amounts and texts as the engine writes them, as a specification does. What cannot be read goes on as it is."""

import re
from decimal import Decimal
from typing import Any

_DECIMAL = re.compile(r"(\d{1,15}(?:\.\d{1,6})?)(k|M|G|T)\Z", re.ASCII)
_THOUSANDS = {"k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_MILLICORES = re.compile(r"\d{1,9}m\Z", re.ASCII)
_NOT_LABEL = re.compile(r"[^a-z0-9]+")
_DOLLARS = re.compile(r"\$\$|\$\(([^()$]{0,100})\)")
LABEL = re.compile(r"[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?\Z", re.ASCII)


def cpus(value: object) -> object:
    """500m is 0.5 cores."""
    text = value if isinstance(value, str) else ""
    return f"{Decimal(text[:-1]) / 1000:f}" if _MILLICORES.match(text) else value


def memory(value: object) -> object:
    """128M is 128 000 000 bytes here; 128Mi is the same in both."""
    found = _DECIMAL.match(value) if isinstance(value, str) else None
    return int(Decimal(found[1]) * _THOUSANDS[found[2]]) if found else value


def file_mode(value: object) -> object:
    """A number as octal digits, which is how people read modes; 0440 counts as octal however it was read."""
    if isinstance(value, bool) or not isinstance(value, int):
        return value
    written = getattr(value, "text", "")
    return written if written.startswith("0") else f"0{int(value):o}"


def unfilled(text: str, known: set[str]) -> tuple[str, str]:
    """The text without the engine's way to write a dollar, and the first variable that the engine would fill in."""
    filled = next((found[1] for found in _DOLLARS.finditer(text) if found[1] in known), "")
    return _DOLLARS.sub(lambda found: "$" if found[0] == "$$" else found[0], text), filled


def label(name: object) -> str:
    """The name that most resembles what was written, and is allowed."""
    if isinstance(name, str) and LABEL.match(name):
        return name
    text = _NOT_LABEL.sub("-", str(name).lower())[:40]
    return re.sub(r"^[^a-z]+", "", text).rstrip("-") or "data"


def merged(document: Any, patch: Any) -> Any:
    """A document with a patch: maps key by key, null takes a key out, all else replaces what was there."""
    if not isinstance(patch, dict):
        return patch
    found = dict(document) if isinstance(document, dict) else {}
    for key, value in patch.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = merged(found.get(key), value)
    return found
