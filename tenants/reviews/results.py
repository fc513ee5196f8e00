"""The result as a file: the same bytes as long as the rows are the same, so that a digest of it can be sealed."""

import csv
import hashlib
import io
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from audit.exporting import cell
from tenants.models import Review, ReviewLine

FORMAT = 1
TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
LINE = [
    "number",
    "person",
    "role",
    "place",
    "since",
    "until",
    "granted_by",
    "reason",
    "origin",
    "last_used_at",
    "seen_at",
    "state",
    "decided_by",
    "decided_at",
    "decision_reason",
    "grant_id",
    "user_id",
]


def head(review: Review) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "review": str(review.pk),
        "name": review.name,
        "tenant": review.tenant.name,
        "project": review.project.name if review.project else None,
        "roles": review.roles,
        "started_by": review.started_by,
        "started_at": _plain(review.created_at),
        "ends_at": _plain(review.ends_at),
        "state": str(review.state),
        "sealed_at": _plain(review.sealed_at),
        "sealed_by": review.sealed_by,
    }


def shown(line: ReviewLine) -> dict[str, Any]:
    return {name: _plain(getattr(line, name)) for name in LINE}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return value if value is None or type(value) in (int, str) else str(value)


def lines_of(review: Review) -> list[ReviewLine]:
    return list(ReviewLine.objects.filter(review=review).order_by("number"))


def as_json_lines(review: Review, lines: Iterable[ReviewLine]) -> bytes:
    """The review itself in the first line, then a line for each grant."""
    documents = [head(review), *(shown(line) for line in lines)]
    return b"".join(_json(document) + b"\n" for document in documents)


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def as_csv(lines: Iterable[ReviewLine]) -> bytes:
    """For spreadsheets; no cell is taken for a formula."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(LINE)
    for line in lines:
        document = shown(line)
        writer.writerow([cell(document[name]) for name in LINE])
    return stream.getvalue().encode()


def digest(data: bytes) -> str:
    """SHA-256 in hex, as sha256sum prints it."""
    return hashlib.sha256(data).hexdigest()


def files_of(review: Review, format_: str) -> tuple[bytes, str, str]:
    """(the file, its type, its name); of a review that runs it is what is known until now."""
    lines = lines_of(review)
    if format_ == "csv":
        return as_csv(lines), TYPES["csv"], f"review-{review.pk}.csv"
    return as_json_lines(review, lines), TYPES["jsonl"], f"review-{review.pk}.jsonl"
