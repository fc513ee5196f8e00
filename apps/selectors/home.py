"""What somebody finds when they come in: their projects and how these are, what needs a look, what was done last."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, OuterRef, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.models import App, AppEnvironment, Deployment, Environment, ObservedInstance, ObservedService
from apps.selectors.history import Done, done, last_events, with_places
from apps.selectors.state import PlaceState, place_state
from core.access import Actor, visible
from core.status import Kind, Status
from operations.models import Operation
from tenants.models import Project

MOST_PROJECTS = 50
MOST_PLACES = 1000
MOST_NEEDS = 5
MOST_RECENT = 8
STAGES = Environment.Stage.values
WORST_FIRST = (Kind.BAD, Kind.WARN, Kind.STALE, Kind.BUSY, Kind.WAIT, Kind.OK, Kind.OFF)


@dataclass(frozen=True)
class StageHealth:
    """All that is deployed to one stage of a project; `status` None: nothing is."""

    stage: str
    status: Status | None = None
    word: str = ""


@dataclass(frozen=True)
class ProjectLine:
    project: Project
    stages: list[StageHealth]
    apps: int


@dataclass(frozen=True)
class Need:
    """A place that is not well."""

    place: AppEnvironment
    state: PlaceState


@dataclass(frozen=True)
class Home:
    """`deployed` counts places where something should run; `cut`: there are more projects than are shown."""

    projects: list[ProjectLine]
    needs: list[Need]
    more_needs: int
    recent: list[Done]
    deployed: int
    cut: bool

    @property
    def said(self) -> str:
        """How everything is, in one sentence."""
        if not self.deployed:
            return _("Nothing is deployed yet.")
        count = len(self.needs) + self.more_needs
        if not count:
            return _("Everything that is deployed is well.")
        return ngettext("%(count)s place needs a look.", "%(count)s places need a look.", count) % {"count": count}


def home_of(actor: Actor) -> Home:
    """A constant number of queries, however many projects there are."""
    found = list(_projects(actor)[: MOST_PROJECTS + 1])
    projects = found[:MOST_PROJECTS]
    states = _states(_places(projects))
    needs = sorted(
        (Need(place, state) for place, state in states if state.needs_attention),
        key=lambda need: WORST_FIRST.index(need.state.status.kind),
    )
    return Home(
        projects=_lines(actor, projects, states),
        needs=needs[:MOST_NEEDS],
        more_needs=len(needs[MOST_NEEDS:]),
        recent=_recent(actor),
        deployed=len(states),
        cut=len(found) > MOST_PROJECTS,
    )


def _projects(actor: Actor) -> Any:
    rows = visible(actor, Project.objects.filter(deleted_at__isnull=True)).select_related("tenant")
    return rows.order_by("tenant__name", "name")


def _places(projects: Sequence[Project]) -> list[AppEnvironment]:
    """Where something is deployed, each with the id of its latest operation."""
    latest = Deployment.objects.filter(place=OuterRef("pk")).order_by("-number").values("operation")[:1]
    rows = AppEnvironment.objects.filter(project__in=projects, app__deleted_at__isnull=True, release__isnull=False)
    rows = rows.select_related("app", "release", "environment__cluster", "project__tenant")
    return list(rows.annotate(latest_operation=Subquery(latest))[:MOST_PLACES])


def _states(places: Sequence[AppEnvironment]) -> list[tuple[AppEnvironment, PlaceState]]:
    services = _by_place(ObservedService.objects.filter(place__in=places))
    instances = _by_place(ObservedInstance.objects.filter(place__in=places).only("place", "state", "wanted"))
    operations = Operation.objects.in_bulk([_latest(place) for place in places])
    return [
        (place, place_state(place, services[place.pk], instances[place.pk], operations.get(_latest(place))))
        for place in places
    ]


def _latest(place: AppEnvironment) -> uuid.UUID:
    return uuid.UUID(str(place.latest_operation))  # type: ignore[attr-defined]  # annotated; what is deployed has one


def _by_place(rows: Iterable[Any]) -> dict[uuid.UUID, list[Any]]:
    found: dict[uuid.UUID, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.place_id].append(row)
    return found


def _lines(
    actor: Actor, projects: Sequence[Project], states: Sequence[tuple[AppEnvironment, PlaceState]]
) -> list[ProjectLine]:
    counted = visible(actor, App.objects.filter(project__in=projects, deleted_at__isnull=True))
    apps = dict(counted.values_list("project").annotate(count=Count("pk")).order_by())
    by_stage: dict[tuple[uuid.UUID, str], list[PlaceState]] = defaultdict(list)
    for place, state in states:
        by_stage[place.project_id, place.environment.stage].append(state)
    return [
        ProjectLine(
            project,
            [_health(stage, by_stage[project.pk, stage]) for stage in STAGES],
            apps.get(project.pk, 0),
        )
        for project in projects
    ]


def _health(stage: str, states: Sequence[PlaceState]) -> StageHealth:
    """The worst of a stage, with all its instances counted."""
    if not states:
        return StageHealth(stage)
    worst = min(states, key=lambda state: WORST_FIRST.index(state.status.kind)).status
    words = {"running": sum(state.running for state in states), "wanted": sum(state.wanted for state in states)}
    word = _("%(running)s of %(wanted)s") % words if words["wanted"] else ""
    return StageHealth(stage, worst, word)


def _recent(actor: Actor) -> list[Done]:
    rows = list(with_places(visible(actor, Operation.objects.all())).order_by("-id")[:MOST_RECENT])
    last = last_events([row for row in rows if row.active])
    return [done(row, last.get(row.pk)) for row in rows]
