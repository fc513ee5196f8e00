"""Audit entries as a file: CSV for spreadsheets, JSON Lines for programs."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from audit.selectors import COLUMNS, shown
from core.api.formats import as_json

HEADINGS = list(shown(dict.fromkeys(COLUMNS)))
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def cell(value: Any) -> str:
    """Text that no spreadsheet takes for a formula: what could begin one gets an apostrophe in front."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else as_json(value).decode().strip('"')
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def as_csv(rows: Sequence[dict[str, Any]], *, heading: bool) -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    if heading:
        writer.writerow(HEADINGS)
    for row in rows:
        document = shown(row)
        writer.writerow([cell(document[name]) for name in HEADINGS])
    return stream.getvalue().encode()


def as_json_lines(rows: Iterable[dict[str, Any]]) -> bytes:
    return b"".join(as_json(shown(row)) + b"\n" for row in rows)
