"""What changed, for everybody who has it before their eyes: one row for each change, kept for an hour.

A row says only what changed, never how it is now; who may see that asks for it again. Read by the feed's sockets.
"""

import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Max, Min, Q

from core.access import Actor
from core.clock import from_now
from operations.doorbell import ring_on_commit
from operations.models import UPKEEP, Change

BELL = "changes"
KEPT = timedelta(hours=1)
MOST_AT_ONCE = 1000
GAP_SECONDS = 150.0  # longer than any transaction may last
GAPS_FROM = 200  # so many numbers below the newest one may still be under way when a process begins to read
FRESH = timedelta(seconds=2)  # on SQLite: written while a page was being made
FRESH_BESIDE_OTHERS = timedelta(seconds=15)  # on PostgreSQL: a lower number may be committed after a higher one

_permissions: dict[str, str] = {
    "operation": "app.view",
    "upkeep": UPKEEP,  # an operation on the platform itself
    "place": "app.view",
    "project": "project.view",
    "cluster": "cluster.view",
    "person": "account.own",
    "notice": "account.own",
}
COLUMNS = ("seq", "kind", "object_id", "tenant_id", "project_id", "person_id")


class News(NamedTuple):
    """One row as it is passed around."""

    seq: int
    kind: str
    id: str
    tenant: UUID | None = None
    project: UUID | None = None
    person: UUID | None = None

    def concerns(self, actor: Actor) -> bool:
        """Whether the actor may know of it: their own, or what they may see. Costs no query."""
        if self.person is not None:
            return self.person == actor.id
        permission = _permissions.get(self.kind)  # a newer process may tell of what this one does not know
        return permission is not None and actor.rights.allows(permission, tenant=self.tenant, project=self.project)


def register_kind(kind: str, permission: str) -> str:
    """A kind of change of another package, and the permission to be told of it."""
    _permissions[kind] = permission
    return kind


def announce(
    kind: str, object_id: object, *, tenant: UUID | None = None, project: UUID | None = None, person: UUID | None = None
) -> None:
    """Say that something changed; call it in the transaction that changes it. With a person, only they are told."""
    if kind not in _permissions:
        raise LookupError(f"register_kind({kind!r}, ...) first")
    Change.objects.create(kind=kind, object_id=str(object_id), tenant_id=tenant, project_id=project, person_id=person)
    ring_on_commit(BELL)


def announce_to_all(kind: str, people: Iterable[UUID]) -> None:
    """Say to each of these people that they changed themselves; they alone are told."""
    if kind not in _permissions:
        raise LookupError(f"register_kind({kind!r}, ...) first")
    Change.objects.bulk_create(Change(kind=kind, object_id=str(person), person_id=person) for person in people)
    ring_on_commit(BELL)


def newest() -> int:
    """The highest number there is; 0 before the first change."""
    return Change.objects.aggregate(last=Max("seq"))["last"] or 0


class Reader:
    """Reads each change once, in one process, although a lower number may be committed after a higher one."""

    def __init__(self) -> None:
        self.last: int | None = None
        self._gaps: dict[int, float] = {}  # numbers not seen yet, and until when to look for them

    def begin(self) -> int:
        """From now on. What is under way at this moment is still found."""
        top = newest()
        seen = Change.objects.filter(seq__gt=top - GAPS_FROM).values_list("seq", flat=True)
        self.last = top
        self._note_gaps(max(1, top - GAPS_FROM), set(seen))
        return top

    def news(self) -> list[News]:
        """What is new since the last call, at most 1000."""
        if self.last is None:
            self.begin()
            return []
        last, now = self.last, time.monotonic()
        self._gaps = {seq: until for seq, until in self._gaps.items() if until > now}
        found = _rows(Q(seq__gt=last) | Q(seq__in=list(self._gaps)))
        for one in found:
            self._gaps.pop(one.seq, None)
        self.last = max((one.seq for one in found), default=last)
        self.last = max(self.last, last)
        self._note_gaps(last + 1, {one.seq for one in found})
        return found

    def _note_gaps(self, first: int, seen: set[int]) -> None:
        """Only where transactions write side by side do numbers come out of turn."""
        if connection.vendor != "postgresql" or self.last is None:
            return
        until = time.monotonic() + GAP_SECONDS
        missing = [seq for seq in range(max(first, self.last - MOST_AT_ONCE), self.last) if seq not in seen]
        self._gaps.update(dict.fromkeys(missing, until))


def since(last: int, narrowed: Q) -> Sequence[News] | None:
    """What came after `last`; None where that is not known any more or too much, so that all must be read again.

    What was written in the last seconds comes once more: it may have had a lower number than one already seen.
    """
    ends = Change.objects.aggregate(first=Min("seq"), last=Max("seq"))
    first, top = ends["first"] or 0, ends["last"] or 0
    if last > top or last + 1 < first:
        return None
    again = Q(seq__gt=last - MOST_AT_ONCE, at__gt=from_now(-fresh()))
    found = _rows(narrowed & (Q(seq__gt=last) | again))
    return found if len(found) < MOST_AT_ONCE else None


def fresh() -> timedelta:
    """What is younger than this is told again to whoever comes back."""
    return FRESH_BESIDE_OTHERS if connection.vendor == "postgresql" else FRESH


def _rows(condition: Q) -> list[News]:
    rows: Iterable[tuple[Any, ...]] = Change.objects.filter(condition).order_by("seq").values_list(*COLUMNS)
    return [News(*row) for row in rows[:MOST_AT_ONCE]]  # type: ignore[index]  # a queryset until here


def forget_old() -> None:
    """Drop what is older than an hour, except for the newest: the next number follows from it."""
    Change.objects.filter(at__lt=from_now(-KEPT), seq__lt=newest()).delete()
