"""What somebody finds when they come in: their projects and how these are, what needs a look, what was done last."""

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Count, OuterRef, Q, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.models import App, AppEnvironment, Deployment, Environment, ObservedInstance, ObservedService
from apps.selectors.history import Done, done, last_events, with_places
from apps.selectors.state import PlaceState, place_state
from backends.models import Cluster
from core.access import Actor, visible
from core.status import Kind, Status
from operations.models import Operation
from tenants.ending import ending_grants
from tenants.models import Grant, Project, Request
from tenants.requests.selectors import decidable

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
class Away:
    """A cluster that does not answer, and how many deployed places are on it: their numbers are old."""

    cluster: Cluster
    places: int


@dataclass(frozen=True)
class Home:
    """`deployed` counts places where something should run; `cut`: there are more projects than are shown.

    `ending` are roles of the person that end within days; `asked` what others ask for and the person may decide.
    """

    projects: list[ProjectLine]
    needs: list[Need]
    more_needs: int
    ending: list[Grant]
    asked: list[Request]
    recent: list[Done]
    away: list[Away]
    deployed: int
    cut: bool

    @property
    def waiting(self) -> int:
        return len(self.needs) + self.more_needs + len(self.ending) + len(self.asked)

    @property
    def said(self) -> str:
        """How everything is, in one sentence."""
        if not self.deployed:
            return _("Nothing is deployed yet.")
        count = len(self.needs) + self.more_needs
        if not count:
            return _("Everything that is deployed is well.")
        return ngettext("%(count)s place needs a look.", "%(count)s places need a look.", count) % {"count": count}


def home_of(actor: Actor, *, last: Sequence[str] = ()) -> Home:
    """A constant number of queries, however many projects there are. `last`: "tenant/project" to begin with."""
    found = _projects(actor, last)
    projects = found[:MOST_PROJECTS]
    places = _places(projects)
    states = _states(places)
    needs = sorted(
        (Need(place, state) for place, state in states if state.needs_attention),
        key=lambda need: WORST_FIRST.index(need.state.status.kind),
    )
    return Home(
        projects=_lines(actor, projects, states),
        needs=needs[:MOST_NEEDS],
        more_needs=len(needs[MOST_NEEDS:]),
        ending=ending_grants(actor),
        asked=list(decidable(actor).order_by("created_at")[:MOST_NEEDS]),
        recent=_recent(actor),
        away=_away(places),
        deployed=len(states),
        cut=len(found) > MOST_PROJECTS,
    )


def _projects(actor: Actor, last: Sequence[str]) -> list[Project]:
    """The first by name, one more than are shown; among them, and in front, those where the person was last."""
    rows = visible(actor, Project.objects.filter(deleted_at__isnull=True)).select_related("tenant")
    found = list(rows.order_by("tenant__name", "name")[: MOST_PROJECTS + 1])
    missing = [name for name in last if name not in {str(row) for row in found}] if len(found) > MOST_PROJECTS else []
    if missing:
        named = [Q(tenant__name=name.partition("/")[0], name=name.partition("/")[2]) for name in missing]
        found = [*rows.filter(reduce(or_, named)), *found]
    return sorted(found, key=lambda row: last.index(str(row)) if str(row) in last else len(last))


def _away(places: Sequence[AppEnvironment]) -> list[Away]:
    silent = [place.environment.cluster for place in places if place.environment.cluster.state == Cluster.State.AWAY]
    counts = Counter(cluster.pk for cluster in silent)
    return [Away(cluster, counts[cluster.pk]) for cluster in {one.pk: one for one in silent}.values()]


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
