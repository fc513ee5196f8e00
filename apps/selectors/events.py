"""What happened to an app in an environment: events of its operations and ends of its instances, as one list."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from apps.models import AppEnvironment, InstanceEnd
from core.api.paging import Position
from operations.models import OperationEvent
from operations.selectors import told

Row = dict[str, Any]
Fetch = Callable[[Position | None, int], list[Row]]


def fetcher(place: AppEnvironment) -> Fetch:
    """Rows of both kinds in one order; each kind is read only as far as the page can reach."""
    operations = OperationEvent.objects.filter(operation__target=f"place:{place.pk}")
    ends = InstanceEnd.objects.filter(place=place)

    def fetch(position: Position | None, count: int) -> list[Row]:
        backwards = position is not None and position.backwards
        rows = [
            *map(_of_operation, _near(operations, "at", position, count)),
            *map(_of_end, _near(ends, "ended_at", position, count)),
        ]
        rows = [row for row in rows if position is None or _is_beyond(row, position)]
        rows.sort(key=_key, reverse=not backwards)
        return rows[:count]

    return fetch


def _near(rows: "QuerySet[Any]", column: str, position: Position | None, count: int) -> list[Row]:
    """Those nearest to the position; of its very moment all, since their order is settled by id afterwards."""
    backwards = position is not None and position.backwards
    condition = Q()
    if position is not None:
        condition = Q(**{f"{column}__{'gte' if backwards else 'lte'}": datetime.fromisoformat(position.values[0])})
    ordered = rows.filter(condition).order_by(column if backwards else f"-{column}", "pk" if backwards else "-pk")
    same = 200  # events of one moment come from one transaction: they are few
    return list(ordered.values()[: count + (same if position else 0)])


def _key(row: Row) -> tuple[datetime, str]:
    return row["happened_at"], row["id"]


def _is_beyond(row: Row, position: Position) -> bool:
    edge = (datetime.fromisoformat(position.values[0]), str(position.values[1]))
    return _key(row) > edge if position.backwards else _key(row) < edge


def _of_operation(row: Mapping[str, Any]) -> Row:
    return {
        "id": f"operation-{row['id']:020d}",
        "happened_at": row["at"],
        "kind": "operation",
        "level": row["level"],
        "told": told({"code": row["code"], "params": row["params"]}),
        "service": str(row["params"].get("service", "")),
        "instance_number": None,
        "operation_id": row["operation_id"],
    }


def _of_end(row: Mapping[str, Any]) -> Row:
    words = told(row["reason"]) or {
        "code": "ended",
        "message": _("%(service)s %(number)s ended.") % {"service": row["service"], "number": row["number"]},
        "hint": "",
    }
    return {
        "id": f"instance-{uuid.UUID(str(row['id']))}",
        "happened_at": row["ended_at"],
        "kind": "instance",
        "level": "bad",
        "told": words,
        "service": row["service"],
        "instance_number": row["number"],
        "operation_id": None,
    }


def shown_all(rows: Sequence[Row]) -> list[Row]:
    return [_shown(dict(row)) for row in rows]


def _shown(row: Row) -> Row:
    return row | (row.pop("told") or {})
