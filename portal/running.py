"""What is being done just now, for the chip at the top of every page."""

from dataclasses import dataclass

from apps.selectors.history import Done, active_counts, done, last_events, with_places
from core.access import Actor, visible
from core.status import Status
from operations.models import Operation

SHOWN = 8


@dataclass(frozen=True)
class Running:
    """`count` operations are active, `waiting` of them before their turn; `lines` are the ones begun last."""

    count: int
    waiting: int
    lines: list[Done]

    @property
    def at_work(self) -> int:
        return self.count - self.waiting

    @property
    def more(self) -> int:
        return self.count - len(self.lines)


def running_of(actor: Actor) -> Running:
    if actor.id is None:
        return Running(0, 0, [])
    active = visible(actor, Operation.objects.filter(state__in=Operation.ACTIVE))
    ids = list(active.order_by("-id").values_list("pk", flat=True)[:SHOWN])
    if not ids:  # as nearly always
        return Running(0, 0, [])
    rows = list(with_places(active.filter(pk__in=ids)).order_by("-id"))
    last = last_events(rows) if rows else {}
    lines = [done(row, last.get(row.pk)) for row in rows]
    if len(ids) == SHOWN:
        at_work, waiting = active_counts(active)
        return Running(at_work + waiting, waiting, lines)
    return Running(len(rows), sum(line.status is Status.WAITING for line in lines), lines)
