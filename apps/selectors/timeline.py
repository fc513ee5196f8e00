"""One timeline of an app in an environment: what people did, what became of its instances, and whatever else tells.

Packages above this one add what they know with `register_source`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.models import AppEnvironment, Deployment, PlaceEvent
from apps.selectors import event_words
from apps.selectors.history import deed_of, told_of, took
from apps.selectors.reasons import failure_sentence
from apps.selectors.state import operation_status
from core.access import Actor
from core.errors import Text
from core.status import Kind
from core.wording import moment_text
from operations.models import Operation

SIZE = 50
CHANGES, INSTANCES, TROUBLE = "changes", "instances", "trouble"
_ICONS = {"scale": "arrows-maximize", "restart": "refresh", "stop": "player-stop", "start": "player-play"}


@dataclass(frozen=True)
class Edge:
    """Where a page ends: what comes after is older. `key` settles the order within one moment."""

    at: datetime
    key: str


@dataclass(frozen=True)
class Entry:
    """One line. `kind` is a glyph, else `icon` is drawn; `deployment` its number, `end` an instance's kept end."""

    at: datetime
    key: str
    text: str
    kind: str = ""
    icon: str = "history"
    word: str = ""
    detail: str = ""
    deployment: int | None = None
    end: UUID | None = None
    took: timedelta | None = None

    @property
    def edge(self) -> Edge:
        return Edge(self.at, self.key)


@dataclass(frozen=True)
class Day:
    title: str
    entries: list[Entry]


@dataclass(frozen=True)
class Timeline:
    """`next` is the cursor of older entries; empty at the end."""

    days: list[Day]
    next: str = ""


Fetch = Callable[[Actor, AppEnvironment, Edge | None, int], Sequence[Entry]]
"""Entries older than the edge, newest first, at most so many."""

_sources: dict[str, tuple[Text, Fetch]] = {}


def register_source(name: str, word: Text, fetch: Fetch) -> None:
    """`name` stands in the address, `word` on the filter."""
    _sources[name] = (word, fetch)


def shows() -> list[tuple[str, str]]:
    """(name, word) of each filter."""
    return [(name, str(word)) for name, (word, _fetch) in _sources.items()] + [(TROUBLE, _("Trouble"))]


def timeline(actor: Actor, place: AppEnvironment, *, show: str = "", cursor: str = "", size: int = SIZE) -> Timeline:
    """A page of everything, or of what one filter leaves. One query for each source."""
    edge = read_cursor(cursor)
    found = [entry for fetch in _fetches(show) for entry in fetch(actor, place, edge, size + 1)]
    found = [one for one in found if edge is None or (one.at, one.key) < (edge.at, edge.key)]
    found.sort(key=lambda one: (one.at, one.key), reverse=True)
    shown = found[:size]
    return Timeline(days_of(shown), _cursor(shown[-1].edge) if len(found) > size else "")


def read_cursor(text: str) -> Edge | None:
    """None without a cursor, or with a damaged one."""
    moment, _bar, key = text.partition("|")
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return Edge(at, key[:100]) if at.tzinfo is not None else None


def days_of(entries: Sequence[Entry]) -> list[Day]:
    """Grouped by the reader's days, in the order given."""
    found: list[Day] = []
    for entry in entries:
        title = _day(entry.at)
        if not found or found[-1].title != title:
            found.append(Day(title, []))
        found[-1].entries.append(entry)
    return found


def _day(at: datetime) -> str:
    """ "Today", "Yesterday", or the date."""
    ago = (timezone.localdate() - timezone.localdate(at)).days
    return {0: _("Today"), 1: _("Yesterday")}.get(ago) or moment_text(at, style="day")


def _cursor(edge: Edge) -> str:
    return f"{edge.at.isoformat()}|{edge.key}"


def _fetches(show: str) -> list[Fetch]:
    if show == TROUBLE:
        return [_failed_changes, _troubles]
    return [_sources[show][1]] if show in _sources else [fetch for _word, fetch in _sources.values()]


def _changes(actor: Actor, place: AppEnvironment, edge: Edge | None, most: int) -> list[Entry]:
    return [*_deployments(place, edge, most), *_repairs(place, edge, most)]


def _failed_changes(actor: Actor, place: AppEnvironment, edge: Edge | None, most: int) -> list[Entry]:
    failed = (Operation.State.FAILED, Operation.State.ATTENTION)
    return _deployments(place, edge, most, operation__state__in=failed)


def _deployments(place: AppEnvironment, edge: Edge | None, most: int, **narrowed: object) -> list[Entry]:
    rows = place.deployments.select_related("operation", "release", "replaced").filter(**narrowed)
    rows = rows.filter(created_at__lte=edge.at) if edge else rows
    return [_of_deployment(row) for row in rows.order_by("-created_at", "-pk")[: most + 1]]


def _of_deployment(row: Deployment) -> Entry:
    status = operation_status(row.operation)
    brought = row.kind in (Deployment.Kind.DEPLOY, Deployment.Kind.ROLLBACK)
    note = row.release.note if row.release and brought else ""
    calm = status.kind is Kind.OK and row.kind in _ICONS
    return Entry(
        at=row.created_at,
        key=str(row.pk),
        text=told_of(row),
        kind="" if calm else status.glyph,
        icon=_ICONS.get(row.kind, "rocket"),
        word=str(status.word),
        detail=failure_sentence(row.operation.failure).sentence or note,
        deployment=row.number,
        took=took(row.operation),
    )


def _repairs(place: AppEnvironment, edge: Edge | None, most: int) -> list[Entry]:
    """What nobody asked for: Berth brought back what had fallen out."""
    rows = Operation.objects.filter(target=f"place:{place.pk}", deployment__isnull=True)
    rows = rows.filter(created_at__lte=edge.at) if edge else rows
    return [
        Entry(
            at=row.created_at,
            key=str(row.pk),
            text=deed_of(row),
            kind=operation_status(row).glyph,
            word=str(operation_status(row).word),
            detail=failure_sentence(row.failure).sentence,
            took=took(row),
        )
        for row in rows.order_by("-created_at", "-pk")[: most + 1]
    ]


def _instances(actor: Actor, place: AppEnvironment, edge: Edge | None, most: int) -> list[Entry]:
    return _events(place, edge, most)


def _troubles(actor: Actor, place: AppEnvironment, edge: Edge | None, most: int) -> list[Entry]:
    return _events(place, edge, most, code__in=PlaceEvent.TROUBLE)


def _events(place: AppEnvironment, edge: Edge | None, most: int, **narrowed: object) -> list[Entry]:
    rows = place.events.filter(**narrowed)
    rows = rows.filter(last_at__lte=edge.at) if edge else rows
    return [of_event(row) for row in rows.order_by("-last_at", "-pk")[: most + 1]]


def of_event(row: PlaceEvent) -> Entry:
    told, kind = event_words.told(row), event_words.kind_of(row)
    return Entry(
        at=row.last_at,
        key=str(row.pk),
        text=told.sentence,
        kind=kind.value if kind else "",
        icon="player-stop",
        detail=told.hint,
        end=row.end_id,
    )


register_source(CHANGES, gettext_lazy("Changes"), _changes)
register_source(INSTANCES, gettext_lazy("Instances"), _instances)
