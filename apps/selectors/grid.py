"""The copies of each service, numbered: those that serve the new release, those of the old one, those to come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from apps.building import pinned_images, services_of
from apps.models import AppEnvironment, ObservedInstance, Release
from apps.selectors.state import instance_status, instance_word, stale_since, wanted_instances, when_last_seen
from apps.specification import SpecificationError
from core.status import Status

MOST_INSTANCES = 400


@dataclass(frozen=True)
class Cell:
    """One copy in the grid and the table. `old`: it runs another release; `row` None: it is not there yet.

    `ready`: it served this release when it was last seen; while nobody can see it, its `status` is not known.
    """

    service: str
    number: int
    status: Status
    word: str
    old: bool = False
    row: ObservedInstance | None = None
    ready: bool = False

    @property
    def anchor(self) -> str:
        return f"{self.service}-{self.number}"

    @property
    def url(self) -> str:
        return f"#{self.anchor}" if self.row else ""

    @property
    def starts(self) -> int:
        return self.row.restarts + 1 if self.row else 0


@dataclass(frozen=True)
class ServiceGrid:
    """`wanted` copies are declared; `cells` may be more while old ones leave."""

    name: str
    wanted: int
    cells: Sequence[Cell]

    @property
    def ready(self) -> int:
        return sum(cell.ready for cell in self.cells)


def grids_of(place: AppEnvironment, release: Release) -> list[ServiceGrid]:
    """One grid a service of the release, in the order of their names; four queries."""
    revisions = _revisions(place, release)
    rows = place.observed_instances.select_related("host").order_by("service", "number", "-started_at")
    by_service: dict[str, list[ObservedInstance]] = {}
    for row in rows[:MOST_INSTANCES]:
        by_service.setdefault(row.service, []).append(row)
    stale = stale_since(place, place.services.all()) is not None
    found = []
    for name, wanted in sorted(wanted_instances(place).items()):
        cells = _cells(name, wanted, by_service.get(name, []), revisions.get(name, ""))
        found.append(ServiceGrid(name, wanted, [_unseen(cell) for cell in cells] if stale else cells))
    return found


def _unseen(cell: Cell) -> Cell:
    if cell.row is None:
        return cell
    return replace(cell, status=Status.UNKNOWN, word=when_last_seen(cell.word or cell.status.word))


def _revisions(place: AppEnvironment, release: Release) -> Mapping[str, str]:
    """What the engine calls each service of this release; empty while an image is not pinned yet."""
    try:
        built = services_of(place, release, pinned=pinned_images(release))
    except SpecificationError:
        return {}
    return {spec.ref.service: spec.revision for spec in built}


def _cells(service: str, wanted: int, rows: Sequence[ObservedInstance], revision: str) -> list[Cell]:
    by_number: dict[int, ObservedInstance] = {}
    for row in sorted(rows, key=lambda row: _worth(row, revision)):
        by_number[row.number] = row  # the one that is worth most comes last
    shown = {number: row for number, row in by_number.items() if number <= wanted or row.wanted}
    numbers = sorted(set(range(1, wanted + 1)) | set(shown))
    return [_cell(service, number, shown.get(number), revision) for number in numbers]


def _worth(row: ObservedInstance, revision: str) -> tuple[bool, bool, float]:
    """Which of several rows of one number tells most: what is meant to stay, of the new release, the youngest."""
    return row.wanted, row.revision == revision, row.started_at.timestamp() if row.started_at else 0.0


def _cell(service: str, number: int, row: ObservedInstance | None, revision: str) -> Cell:
    if row is None:
        return Cell(service, number, Status.WAITING, "")
    status, old = instance_status(row), row.revision != revision
    word = instance_word(row)
    if old and status is Status.RUNNING:
        word = _("running what was there before")
    runs = status is Status.RUNNING
    return Cell(service, number, status, word, old and runs, row, ready=runs and not old)
