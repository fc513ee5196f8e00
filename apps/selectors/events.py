"""What happened to an app in an environment: events of its operations and of its instances, as one list."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Model, Q, QuerySet

from apps.models import AppEnvironment, PlaceEvent
from apps.selectors import event_words
from core.api.paging import Position
from operations.models import OperationEvent
from operations.selectors import told

Row = dict[str, Any]
Fetch = Callable[[Position | None, int], list[Row]]
KINDS = ("operation", "instance")
SAME = 200  # events of one moment come from one transaction: they are few


def fetcher(place: AppEnvironment, kind: str = "") -> Fetch:
    """Rows of both kinds, or of one, in one order; each kind is read only as far as the page can reach."""
    operations = OperationEvent.objects.filter(operation__target=f"place:{place.pk}")
    instances = PlaceEvent.objects.filter(place=place)

    def fetch(position: Position | None, count: int) -> list[Row]:
        backwards = position is not None and position.backwards
        rows: list[Row] = []
        if kind != "instance":
            rows += map(_of_operation, _near(operations, "at", position, count))
        if kind != "operation":
            rows += map(_of_instance, _near(instances, "last_at", position, count))
        rows = [row for row in rows if position is None or _is_beyond(row, position)]
        rows.sort(key=_key, reverse=not backwards)
        return rows[:count]

    return fetch


def _near(rows: "QuerySet[Any]", column: str, position: Position | None, count: int) -> list[Any]:
    """Those nearest to the position; of its very moment all, since their order is settled by id afterwards."""
    backwards = position is not None and position.backwards
    condition = Q()
    if position is not None:
        condition = Q(**{f"{column}__{'gte' if backwards else 'lte'}": datetime.fromisoformat(position.values[0])})
    ordered = rows.filter(condition).order_by(column if backwards else f"-{column}", "pk" if backwards else "-pk")
    found: list[Model] = list(ordered[: count + (SAME if position else 0)])
    return found


def _key(row: Row) -> tuple[datetime, str]:
    return row["happened_at"], row["id"]


def _is_beyond(row: Row, position: Position) -> bool:
    edge = (datetime.fromisoformat(position.values[0]), str(position.values[1]))
    return _key(row) > edge if position.backwards else _key(row) < edge


def _of_operation(event: OperationEvent) -> Row:
    return {
        "id": f"operation-{event.pk:020d}",
        "happened_at": event.at,
        "first_at": event.at,
        "count": 1,
        "kind": "operation",
        "level": event.level,
        "told": told({"code": event.code, "params": event.params}),
        "service": str(event.params.get("service", "")),
        "instance_number": None,
        "exit_code": None,
        "operation_id": event.operation_id,
    }


def _of_instance(event: PlaceEvent) -> Row:
    words = event_words.told(event)
    code = (event.reason or {}).get("code") or event.code
    return {
        "id": f"instance-{event.pk}",
        "happened_at": event.last_at,
        "first_at": event.first_at,
        "count": event.count,
        "kind": "instance",
        "level": event_words.level_of(event),
        "told": {"code": code, "message": words.sentence, "hint": words.hint},
        "service": event.service,
        "instance_number": event.number,
        "exit_code": event.exit_code,
        "operation_id": None,
    }


def shown_all(rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    return [_shown(dict(row)) for row in rows]


def _shown(row: Row) -> Row:
    return row | (row.pop("told") or {})
