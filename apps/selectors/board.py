"""The board of a project: every app in every environment, read with a constant number of queries."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.models import App, AppEnvironment, Deployment, Environment, ObservedInstance, ObservedService, ReleaseImage
from apps.needs import needs_deploy
from apps.selectors.paging import Page, page_of
from apps.selectors.state import STALE_AFTER, PlaceState, counted, place_state
from apps.selectors.unsteady import Crashes, crashes_today
from apps.trends import Trend, trends
from backends.models import Cluster
from core.access import Actor, may, visible
from core.status import Kind, Status
from operations.models import Operation
from tenants.models import Project

PAGE = 20  # apps; each is a card in every environment
MOST_DOUBTFUL = 100  # places looked at one by one, beside those of the page
WORST_FIRST = (Kind.BAD, Kind.WARN, Kind.STALE, Kind.BUSY, Kind.OK, Kind.WAIT, Kind.OFF)
SAID_AT_MOST = 2
FAILED = (Operation.State.FAILED, Operation.State.ATTENTION)


@dataclass(frozen=True)
class Card:
    """One app in one environment. `images` are short ("hello:1"); `when` is when what runs here was put here.

    `restarts`: how often its instances crashed today although they run. `trend`: what it used of late, if anything.
    """

    place: AppEnvironment
    environment: Environment
    state: PlaceState
    deployment: Deployment | None
    images: tuple[str, ...]
    restarts: int = 0
    trend: Trend | None = None

    @property
    def title(self) -> str:
        """The release that is declared here, or the way from one to the other while that is under way."""
        last, here = self.deployment, self.place.release
        if last is None or last.release is None:
            return _("release %(number)s") % {"number": here.number} if here else _("not deployed")
        if last.operation.active and last.replaced and last.replaced != last.release:
            return _("release %(before)s → %(after)s") % {"before": last.replaced.number, "after": last.release.number}
        return _("release %(number)s") % {"number": (here or last.release).number}

    @property
    def empty(self) -> bool:
        return self.state.status is Status.EMPTY

    @property
    def status(self) -> Status | None:
        return None if self.empty else self.state.status

    @property
    def count(self) -> str:
        """How many of its instances run; empty where there should be none and is none."""
        return self.state.count if self.state.wanted or self.state.running else ""

    @property
    def when(self) -> datetime | None:
        return self.deployment.created_at if self.deployment else None

    @property
    def shows_why(self) -> bool:
        """Whether the deployment page says more than this card."""
        return self.deployment is not None and (self.state.needs_attention or self.state.status.kind is Kind.BUSY)


@dataclass(frozen=True)
class Step:
    """A card with the arrow in front of it: `lift` is what it would bring here, None where there is no arrow."""

    card: Card
    before: Card | None
    allowed: bool

    @property
    def lifts(self) -> bool:
        """There is a release in the stage before that is not here yet, and the reader may bring it here."""
        source = self.before.place.release if self.before else None
        here = self.card.place.release
        newer = source is not None and (here is None or source.number > here.number)
        return newer and self.allowed and self.card.state.status.kind is not Kind.BUSY

    @property
    def ready(self) -> bool:
        return self.before is not None and self.before.state.status is Status.RUNNING


@dataclass(frozen=True)
class Row:
    app: App
    steps: tuple[Step, ...]

    @property
    def cards(self) -> list[Card]:
        return [step.card for step in self.steps]

    @property
    def services(self) -> str:
        """Names of the services of the newest release that runs anywhere; empty where the app's name says as much."""
        releases = [card.place.release for card in self.cards if card.place.release]
        newest = max(releases, key=lambda release: release.number, default=None)
        names = list(newest.specification.get("services", {})) if newest else []
        return "" if names == [self.app.name] else ", ".join(names)

    @property
    def needs_attention(self) -> bool:
        return any(card.state.needs_attention for card in self.cards)


@dataclass(frozen=True)
class Column:
    """Head of an environment: how many instances run there, and the worst state among its apps (None: no app)."""

    environment: Environment
    status: Status | None
    running: int
    wanted: int
    word: str


@dataclass(frozen=True)
class Board:
    """One page of the apps of a project, and how all of them are.

    `moving`: what is not well or on its way anywhere in the project, the worst first, at most so many as are looked
    at; `needing` counts the apps among them that need a look. `previous` and `next` are cursors.
    """

    project: Project
    environments: Sequence[Environment]
    rows: Sequence[Row]
    columns: Sequence[Column]
    apps: int
    deployed: int
    moving: Sequence[Card]
    cut: bool = False
    previous: str = ""
    next: str = ""

    @property
    def needing(self) -> int:
        return len({card.place.app_id for card in self.moving if card.state.needs_attention})

    @property
    def headline(self) -> str:
        """How many instances run of all that should."""
        if not self.deployed:
            return _("Nothing is deployed yet.")
        running, wanted = (sum(getattr(one, name) for one in self.columns) for name in ("running", "wanted"))
        if any(card.state.stale_since for card in self.moving):
            text = _("%(running)s of %(wanted)s instances run, as far as is known.")
            return text % {"running": running, "wanted": wanted}
        text = ngettext("%(running)s of %(wanted)s instance runs.", "%(running)s of %(wanted)s instances run.", wanted)
        return text % {"running": running, "wanted": wanted}

    @property
    def said(self) -> list[str]:
        """What is not well or on its way, the worst first; what one would want to know when all is well."""
        if not self.deployed and not self.moving:
            return [_("Choose an image and deploy it: that is all it takes.")]
        if not self.moving:
            return [_("Everything that is deployed is well.")]
        told = [_said_of(card) for card in self.moving[:SAID_AT_MOST]]
        more = len(self.moving) - len(told)
        if more and self.cut:
            told.append(_("More than %(count)s others need a look.") % {"count": more})
        elif more:
            told.append(ngettext("One more needs a look.", "%(count)s more need a look.", more) % {"count": more})
        return told


def _said_of(card: Card) -> str:
    words = {"app": card.place.app.name, "environment": card.environment.name, "state": card.state.status.word}
    if card.state.trouble and card.state.status is Status.RUNNING:
        return _("The last change of %(app)s in %(environment)s failed; what ran before serves.") % words
    return _("%(app)s in %(environment)s: %(state)s.") % words


@dataclass(frozen=True)
class Asked:
    """What is asked of the board: a part of a name, only what needs a look, and where a page begins."""

    search: str = ""
    attention: bool = False
    cursor: str = ""


def board_of(actor: Actor, project: Project, asked: Asked) -> Board:
    """One page of what the actor may see, and how the whole project is: as many queries for ten apps as for thousands.

    States are computed for the page and for what may be in trouble; the rest is only counted.
    """
    environments = list(visible(actor, Environment.objects.filter(project=project)).select_related("cluster"))
    apps = visible(actor, App.objects.filter(project=project, deleted_at__isnull=True))
    places = visible(actor, AppEnvironment.objects.filter(project=project, app__deleted_at__isnull=True))
    doubtful = _doubtful(project, places)
    page = _page(apps, doubtful, asked)
    shown, others = _places(places.filter(app__in=page.rows)), _places(doubtful)[: MOST_DOUBTFUL + 1]
    seen = _Seen.of(list(shown), list(others))
    rows = tuple(_row(actor, app, environments, seen) for app in page.rows)
    moving, cut = _moving(seen, environments, rows)
    if asked.attention:
        rows = tuple(row for row in rows if row.needs_attention)
    columns, deployed = _columns(places.filter(release__isnull=False), environments, moving)
    return Board(
        project, environments, rows, columns, apps.count(), deployed, moving, cut, page.previous, page.next
    )  # fmt: skip


def _page(apps: QuerySet[App], doubtful: QuerySet[AppEnvironment], asked: Asked) -> Page[App]:
    if asked.search:
        apps = apps.filter(Q(name__icontains=asked.search) | Q(title__icontains=asked.search))
    if asked.attention:
        apps = apps.filter(pk__in=doubtful.values("app"))
    return page_of(apps, key="name", cursor=asked.cursor, read=str, size=PAGE, ascending=True)


def _doubtful(project: Project, places: QuerySet[AppEnvironment]) -> QuerySet[AppEnvironment]:
    """Places that may need a look or are being changed, found by the database alone; some of them may be well.

    Each part is a set of keys that the database makes once, not a question for each of thousands of places.
    """
    latest = Deployment.objects.filter(place=OuterRef("pk")).order_by("-number")
    rows = places.annotate(latest_state=Subquery(latest.values("operation__state")[:1]))
    changing = Q(pk__in=_troubled(project)) & Q(latest_state__in=(*Operation.ACTIVE, *FAILED))
    away = Environment.objects.filter(project=project, cluster__state=Cluster.State.AWAY)
    services = ObservedService.objects.filter(project=project)
    faulty = services.filter(
        Q(running__lt=F("wanted")) | Q(reason__isnull=False) | Q(seen_at__lt=timezone.now() - STALE_AFTER)
    )
    gone = Q(stopped=False) & ~Q(pk__in=services.values("place"))
    serving = Q(release__isnull=False) & (Q(environment__in=away) | Q(pk__in=faulty.values("place")) | gone)
    return rows.filter(changing | serving)


def _troubled(project: Project) -> QuerySet[Deployment, Any]:
    """Places with a deployment that is under way or failed, be it their latest or not: few of all of them."""
    found = Deployment.objects.filter(project=project, operation__state__in=(*Operation.ACTIVE, *FAILED))
    return found.values("place")


def _moving(seen: "_Seen", environments: Sequence[Environment], rows: Sequence[Row]) -> tuple[list[Card], bool]:
    """Cards that need a look or are on their way: those found by the database, and those of this page."""
    by_id = {environment.pk: environment for environment in environments}
    shown = {card.place.pk: card for row in rows for card in row.cards}
    for place in seen.places.values():
        if place.pk not in shown and place.environment_id in by_id:
            shown[place.pk] = _card(place.app, by_id[place.environment_id], seen)
    found = [card for card in shown.values() if card.state.needs_attention or card.state.status.kind is Kind.BUSY]
    found.sort(key=lambda card: (WORST_FIRST.index(card.state.status.kind), card.place.app.name))
    return found, len(found) > MOST_DOUBTFUL


def _columns(
    places: QuerySet[AppEnvironment], environments: Sequence[Environment], moving: Sequence[Card]
) -> tuple[tuple[Column, ...], int]:
    """Heads of the environments, and in how many places something is deployed; two queries."""
    deployed = dict(places.values_list("environment").annotate(count=Count("pk")).order_by())
    services = ObservedService.objects.filter(place__in=places).values_list("place__environment").order_by()
    sums = {key: sums for key, *sums in services.annotate(Sum("running"), Sum("wanted"))}
    return (
        tuple(_column(one, deployed.get(one.pk, 0), sums.get(one.pk, [0, 0]), moving) for one in environments),
        sum(deployed.values()),
    )


def _column(environment: Environment, deployed: int, sums: Sequence[int], moving: Sequence[Card]) -> Column:
    found = [card.state for card in moving if card.environment.pk == environment.pk and not card.empty]
    status = found[0].status if found else Status.RUNNING if deployed else None
    running, wanted = (count or 0 for count in sums)
    return Column(environment, status, running, wanted, counted(found, running=running, wanted=wanted))


def _places(rows: QuerySet[AppEnvironment]) -> QuerySet[AppEnvironment]:
    latest = Deployment.objects.filter(place=OuterRef("pk")).order_by("-number").values("pk")[:1]
    return rows.select_related("app", "release").annotate(latest_deployment=Subquery(latest)).order_by("app__name")


@dataclass(frozen=True)
class _Seen:
    """What belongs to the places, by key."""

    places: Mapping[tuple[UUID, UUID], AppEnvironment]
    services: Mapping[UUID, list[ObservedService]]
    instances: Mapping[UUID, list[ObservedInstance]]
    deployments: Mapping[UUID, Deployment]
    images: Mapping[UUID, tuple[str, ...]]
    crashes: Mapping[UUID, Crashes]
    trends: Mapping[UUID, Trend]

    @classmethod
    def of(cls, shown: Sequence[AppEnvironment], doubtful: Sequence[AppEnvironment]) -> "_Seen":
        """Trends are read for what is shown only."""
        places = [*shown, *doubtful]
        latest = [place.latest_deployment for place in places if place.latest_deployment]  # type: ignore[attr-defined]  # annotated
        deployments = Deployment.objects.filter(pk__in=latest).select_related("operation", "release", "replaced")
        instances = ObservedInstance.objects.filter(place__in=places).only("place", "state", "wanted", "service")
        by_place = {one.place_id: one for one in deployments}
        return cls(
            places={(place.app_id, place.environment_id): place for place in places},
            services=_by_place(ObservedService.objects.filter(place__in=places)),
            instances=_by_place(instances),
            deployments=by_place,
            images=_images({place.release_id for place in places if place.release_id}),
            crashes=crashes_today(places, {key: one.operation.ended_at for key, one in by_place.items()}),
            trends=trends({place.pk for place in shown if place.release_id}),
        )


def _by_place(rows: Iterable[Any]) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.place_id].append(row)
    return found


def _images(releases: set[UUID]) -> dict[UUID, tuple[str, ...]]:
    found: dict[UUID, tuple[str, ...]] = {}
    for image in ReleaseImage.objects.filter(release__in=releases).order_by("service"):
        short = image.reference.rpartition("/")[2].partition("@")[0]
        found[image.release_id] = tuple(dict.fromkeys((*found.get(image.release_id, ()), short)))
    return found


def _row(actor: Actor, app: App, environments: Sequence[Environment], seen: _Seen) -> Row:
    cards = [_card(app, environment, seen) for environment in environments]
    befores: list[Card | None] = [None, *cards]
    steps = [
        Step(card, before, (app.pk, card.environment.pk) in seen.places and _may_deploy(actor, card.place))
        for card, before in zip(cards, befores, strict=False)
    ]
    return Row(app, tuple(steps))


def _may_deploy(actor: Actor, place: AppEnvironment) -> bool:
    return any(may(actor, code, place) for code in needs_deploy(place))


def _card(app: App, environment: Environment, seen: _Seen) -> Card:
    """Where an app has no place in an environment, nothing is deployed and nothing can be: an empty card."""
    place = seen.places.get((app.pk, environment.pk)) or AppEnvironment(
        tenant_id=app.tenant_id, project_id=app.project_id, app=app, environment=environment
    )
    place.environment = environment
    deployment = seen.deployments.get(place.pk)
    operation = deployment.operation if deployment else None
    services, instances = seen.services.get(place.pk, []), seen.instances.get(place.pk, [])
    images = seen.images.get(place.release_id, ()) if place.release_id else ()
    state = place_state(place, services, instances, operation)
    restarts = sum(seen.crashes.get(place.pk, {}).values()) if state.status is Status.RUNNING else 0
    return Card(place, environment, state, deployment, images, restarts, seen.trends.get(place.pk))


def today(actor: Actor, project: Project, *, most: int = 6) -> list[Deployment]:
    """The newest deployments since midnight, with their operation; one query."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    rows = visible(actor, Deployment.objects.filter(project=project, created_at__gte=midnight))
    rows = rows.select_related("operation", "app", "environment", "release", "replaced")
    return list(rows.order_by("-created_at")[:most])
