"""Pages by cursor: each begins where the one before ended, however much was added meanwhile.

A cursor is signed and fits only the person, the address and the filters it was given for.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from django.core import signing
from django.db.models import Manager, Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _

from core.access import Actor
from core.errors import BadRequest

Row = dict[str, Any]
Rows: TypeAlias = "QuerySet[Any, Any]"  # a `values()` queryset: rows of plain dicts
NOT_BOUND = ("cursor", "limit")


def plain(rows: "QuerySet[Any, Any] | Manager[Any]", *columns: str) -> Rows:
    """The rows as dicts of these columns."""
    found: Rows = rows.values(*columns)
    return found


@dataclass(frozen=True)
class Position:
    """Where a page begins: after (or, going back, before) the row with these values of the order's columns."""

    values: list[Any]
    backwards: bool = False


@dataclass(frozen=True)
class Slip:
    """One request for a page of a list. `order`: columns, a hyphen before descending ones, the last one unique."""

    actor: Actor
    path: str
    parameters: QueryDict
    order: tuple[str, ...]
    limit: int

    @property
    def _salt(self) -> str:
        """Part of the key, so that a cursor from another person, list or filter is a forged one."""
        kept = sorted((name, self.parameters.get(name, "")) for name in self.parameters if name not in NOT_BOUND)
        return f"berth.cursor|{self.actor.id}|{self.path}|{self.order}|{kept}"

    def position(self) -> Position | None:
        text = self.parameters.get("cursor")
        if not text:
            return None
        try:
            values, backwards = signing.loads(text, salt=self._salt)
        except signing.BadSignature:
            message = _("This cursor does not belong to this list.")
            hint = _("Take it from `next` or `previous` of this very list, with the same filters.")
            raise BadRequest(message, code="bad_cursor", hint=hint) from None
        return Position(values, backwards)

    def url(self, row: Row, *, backwards: bool) -> str:
        values = [_plain(row[column.lstrip("-")]) for column in self.order]
        parameters = self.parameters.copy()
        parameters["cursor"] = signing.dumps([values, backwards], salt=self._salt)
        return f"{self.path}?{parameters.urlencode()}"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, uuid.UUID) else value


def page(slip: Slip, rows: Rows, *, show: Callable[[Sequence[Row]], list[Row]] | None = None) -> dict[str, Any]:
    """One page of `rows`, which is a `values()` queryset that holds the order's columns. One query."""
    return page_of(slip, lambda position, count: _fetch(rows, slip.order, position, count), show=show)


def page_of(
    slip: Slip,
    fetch: Callable[[Position | None, int], list[Row]],
    *,
    show: Callable[[Sequence[Row]], list[Row]] | None = None,
) -> dict[str, Any]:
    """As `page`; `fetch(position, count)` gives the next rows in reading order, nearest to the position first."""
    position = slip.position()
    found = fetch(position, slip.limit + 1)
    more, found = len(found) > slip.limit, found[: slip.limit]
    backwards = position is not None and position.backwards
    if backwards:
        found.reverse()
    has_next, has_previous = (True, more) if backwards else (more, position is not None)
    return {
        "results": show(found) if show else found,
        "next": slip.url(found[-1], backwards=False) if has_next and found else None,
        "previous": slip.url(found[0], backwards=True) if has_previous and found else None,
    }


def _fetch(rows: Rows, order: tuple[str, ...], position: Position | None, count: int) -> list[Row]:
    backwards = position is not None and position.backwards
    wanted = [turned(column) for column in order] if backwards else list(order)
    if position is not None:
        rows = rows.filter(beyond(wanted, position.values))
    return list(rows.order_by(*wanted)[:count])


def turned(column: str) -> str:
    return column[1:] if column.startswith("-") else f"-{column}"


def beyond(order: Sequence[str], values: Sequence[Any]) -> Q:
    """Rows that come after these values in this order; the first column also alone, so that its index is used."""
    condition, equal = Q(), Q()
    for column, value in zip(order, values, strict=True):
        name, way = column.lstrip("-"), "lt" if column.startswith("-") else "gt"
        condition |= equal & Q(**{f"{name}__{way}": value})
        equal &= Q(**{name: value})
    if len(order) == 1:
        return condition
    first = order[0]
    return Q(**{f"{first.lstrip('-')}__{'lte' if first.startswith('-') else 'gte'}": values[0]}) & condition
