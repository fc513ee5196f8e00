"""Answers about the audit, of one tenant or (None) of the whole platform."""

import uuid
from collections.abc import AsyncGenerator, Iterator
from typing import Any, cast

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from audit import selectors
from audit.chain import verify
from audit.exporting import as_csv, as_json_lines
from audit.selectors import Filters
from core.api.endpoint import View
from core.api.paging import page

TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}


def entries_page(view: View, tenant_id: uuid.UUID | None) -> dict[str, Any]:
    rows = selectors.entries(tenant_id, cast(Filters, view.query)).values(*selectors.COLUMNS)
    return page(view.slip("-at", "-id"), rows, show=lambda found: [selectors.shown(row) for row in found])


def export(query: dict[str, Any], tenant_id: uuid.UUID | None, *, name: str) -> StreamingHttpResponse:
    """A file of all matching entries, written while it is read, so that memory stays flat."""
    format_ = query["format"]
    pieces = selectors.pieces(tenant_id, cast(Filters, query))
    response = StreamingHttpResponse(_file(pieces, format_), content_type=TYPES[format_])
    response["Content-Disposition"] = content_disposition_header(True, f"{name}.{format_}")
    response["X-Content-Type-Options"] = "nosniff"
    return response


async def _file(pieces: Iterator[list[dict[str, Any]]], format_: str) -> AsyncGenerator[bytes, None]:
    following = sync_to_async(lambda: next(pieces, None))
    first = True
    while (piece := await following()) is not None:
        yield as_csv(piece, heading=first) if format_ == "csv" else as_json_lines(piece)
        first = False
    if first and format_ == "csv":
        yield as_csv([], heading=True)


def verdict(chain: str) -> dict[str, Any]:
    found = verify(chain)
    return {
        "chain": found.chain,
        "holds": found.holds,
        "entries": found.entries,
        "bad_seq": found.bad_seq,
        "fault": found.fault,
    }
