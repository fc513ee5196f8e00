"""Pages by cursor: rows before or after a row in one fixed order, newest first, never by counting."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet

from core.api.paging import beyond, turned

M = TypeVar("M", bound=Model)
SIZE = 50
LONGEST = 60  # letters of a cursor
OLDER, NEWER = "o", "n"


@dataclass(frozen=True)
class Page(Generic[M]):
    """`previous` leads to newer rows and `next` to older ones; empty at the ends."""

    rows: list[M]
    previous: str = ""
    next: str = ""


def page_of(
    rows: QuerySet[M],
    *,
    key: str,
    cursor: str,
    read: Callable[[str], Any] = int,
    size: int = SIZE,
    ascending: bool = False,
) -> Page[M]:
    """The page that a cursor names, the first one without or with a damaged cursor.

    `key` is a unique column, `read` makes its value from text. The largest comes first: with a key that grows with
    time, the newest; with `ascending`, the smallest.
    """
    way, edge = _edge(cursor, read)
    on, back = (f"{key}__gt", f"{key}__lt") if ascending else (f"{key}__lt", f"{key}__gt")
    order, turned = (key, f"-{key}") if ascending else (f"-{key}", key)
    if way == NEWER:
        found = list(rows.filter(**{back: edge}).order_by(turned)[: size + 1])
        shown = found[:size][::-1]
        return Page(shown, _cursor(NEWER, shown[:1], key) if len(found) > size else "", _cursor(OLDER, shown[-1:], key))
    older = rows.filter(**{on: edge}) if way else rows
    found = list(older.order_by(order)[: size + 1])
    shown = found[:size]
    return Page(
        shown,
        _cursor(NEWER, shown[:1], key) if way else "",
        _cursor(OLDER, shown[-1:], key) if len(found) > size else "",
    )


def page_by(
    rows: QuerySet[M], *, order: Sequence[str], cursor: str, read: Callable[[str], Any] = int, size: int = SIZE
) -> Page[M]:
    """As `page_of`, in an order of several columns of which the last is `pk`. One query more, to find the cursor's row.

    A row that is gone meanwhile leads to the first page.
    """
    way, edge = _edge(cursor, read)
    columns = [column.lstrip("-") for column in order]
    at = rows.order_by().filter(pk=edge).values_list(*columns).first() if way else None
    back = at is not None and way == NEWER
    wanted = [turned(column) for column in order] if back else list(order)
    found = list((rows if at is None else rows.filter(beyond(wanted, at))).order_by(*wanted)[: size + 1])
    more, shown = len(found) > size, found[:size]
    if back:
        shown.reverse()
    has_previous, has_next = (more, True) if back else (at is not None, more)
    return Page(
        shown,
        _cursor(NEWER, shown[:1], "pk") if has_previous else "",
        _cursor(OLDER, shown[-1:], "pk") if has_next else "",
    )


def _edge(cursor: str, read: Callable[[str], Any]) -> tuple[str, Any]:
    way, text = cursor[:1], cursor[1:]
    if way not in (OLDER, NEWER) or len(text) > LONGEST or "\0" in text:
        return "", None
    try:
        return way, read(text)
    except (ValueError, ValidationError):
        return "", None


def _cursor(way: str, edge: list[M], key: str) -> str:
    return f"{way}{getattr(edge[0], key)}" if edge else ""
