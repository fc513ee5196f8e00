"""What is being done just now, for the chip at the top of every page."""

from dataclasses import dataclass

from apps.selectors.history import Done, done, last_events, with_places
from core.access import Actor, visible
from operations.models import Operation

SHOWN = 8


@dataclass(frozen=True)
class Running:
    """`count` operations are active; `lines` are the ones begun last."""

    count: int
    lines: list[Done]

    @property
    def more(self) -> int:
        return self.count - len(self.lines)


def running_of(actor: Actor) -> Running:
    if actor.id is None:
        return Running(0, [])
    active = visible(actor, Operation.objects.filter(state__in=Operation.ACTIVE))
    rows = list(with_places(active).order_by("-id")[:SHOWN])
    last = last_events(rows) if rows else {}
    count = active.count() if len(rows) == SHOWN else len(rows)
    return Running(count, [done(row, last.get(row.pk)) for row in rows])
