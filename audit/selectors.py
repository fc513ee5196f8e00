"""Reads of the audit: which entries, as plain rows."""

import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any, TypedDict

from django.db.models import Q, QuerySet

from audit.models import AuditEntry

COLUMNS = [
    "id",
    "chain",
    "seq",
    "at",
    "tenant_id",
    "project_id",
    "actor_id",
    "actor_name",
    "actor_kind",
    "action",
    "target_kind",
    "target_id",
    "target_name",
    "result",
    "detail",
    "before",
    "after",
    "address",
    "client",
    "request_id",
    "operation_id",
    "previous_hash",
    "hash",
    "format_version",
]
PIECE = 500


class Filters(TypedDict, total=False):
    """`actor`: id or name. `action`: whole, or its first words (`app` finds `app.deploy`). `target`: id or name.
    `since` is included, `until` is not."""

    actor: str
    action: str
    target: str
    target_kind: str
    result: str
    since: datetime
    until: datetime
    operation: uuid.UUID
    request: str


def entries(tenant_id: uuid.UUID | None, filters: Filters) -> "QuerySet[AuditEntry]":
    """Entries of one tenant, or with None of the whole platform, that match every filter; not in any order."""
    rows = AuditEntry.objects.filter(_matching(filters))
    return rows if tenant_id is None else rows.filter(tenant_id=tenant_id)


def _matching(filters: Filters) -> Q:
    condition = Q()
    if actor := filters.get("actor"):
        condition &= _actor(actor)
    if action := filters.get("action"):
        condition &= Q(action=action) | Q(action__startswith=f"{action}.")
    if target := filters.get("target"):
        condition &= Q(target_id=target) | Q(target_name=target)
    plain = {
        "target_kind": filters.get("target_kind"),
        "result": filters.get("result"),
        "at__gte": filters.get("since"),
        "at__lt": filters.get("until"),
        "operation_id": filters.get("operation"),
        "request_id": filters.get("request"),
    }
    return condition & Q(**{column: value for column, value in plain.items() if value})


def _actor(text: str) -> Q:
    try:
        return Q(actor_id=uuid.UUID(text))
    except ValueError:
        return Q(actor_name=text)


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """A row of COLUMNS as it leaves the API and exports."""
    document = dict(row)
    return {"id": document.pop("id"), "happened_at": document.pop("at")} | document


def pieces(tenant_id: uuid.UUID | None, filters: Filters) -> Iterator[list[dict[str, Any]]]:
    """All matching entries, oldest first, a few hundred at a time; each piece is one short query.

    What is added while it runs is not in it: it ends with the entry that was the newest when it began.
    """
    rows = entries(tenant_id, filters).order_by("at", "id")
    last = rows.reverse().values_list("at", "id").first()
    position: tuple[datetime, uuid.UUID] | None = None
    while last is not None:
        rest = rows if position is None else rows.filter(_after(position))
        piece = list(rest.filter(at__lte=last[0]).values(*COLUMNS)[:PIECE])
        if piece:
            yield piece
        if len(piece) < PIECE:
            return
        position = (piece[-1]["at"], piece[-1]["id"])


def _after(position: tuple[datetime, uuid.UUID]) -> Q:
    at, row_id = position
    return Q(at__gte=at) & (Q(at__gt=at) | Q(id__gt=row_id))
