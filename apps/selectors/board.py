"""The board of a project: every app in every environment, read with a constant number of queries."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.models import App, AppEnvironment, Deployment, Environment, ObservedInstance, ObservedService, ReleaseImage
from apps.needs import needs_deploy
from apps.selectors.state import PlaceState, place_state
from core.access import Actor, may, visible
from core.status import Kind, Status
from tenants.models import Project

MOST_APPS = 200
WORST_FIRST = (Kind.BAD, Kind.WARN, Kind.STALE, Kind.BUSY, Kind.OK, Kind.WAIT, Kind.OFF)
SAID_AT_MOST = 2


@dataclass(frozen=True)
class Card:
    """One app in one environment. `images` are short ("hello:1"); `when` is when what runs here was put here."""

    place: AppEnvironment
    environment: Environment
    state: PlaceState
    deployment: Deployment | None
    images: tuple[str, ...]

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
    cards: tuple[Card, ...]

    @property
    def deployed(self) -> list[Card]:
        return [card for card in self.cards if not card.empty]

    @property
    def status(self) -> Status | None:
        worst = sorted(self.deployed, key=lambda card: WORST_FIRST.index(card.state.status.kind))
        return worst[0].state.status if worst else None

    @property
    def word(self) -> str:
        words = {
            "running": sum(card.state.running for card in self.cards),
            "wanted": sum(card.state.wanted for card in self.cards),
        }
        return _("%(running)s of %(wanted)s") % words


@dataclass(frozen=True)
class Board:
    project: Project
    environments: Sequence[Environment]
    all_rows: Sequence[Row]
    only_attention: bool = False
    cut: bool = False
    columns: tuple[Column, ...] = field(default=())

    @property
    def rows(self) -> Sequence[Row]:
        return self.needing if self.only_attention else self.all_rows

    @property
    def needing(self) -> list[Row]:
        return [row for row in self.all_rows if row.needs_attention]

    @property
    def _states(self) -> list[PlaceState]:
        return [card.state for row in self.all_rows for card in row.cards if not card.empty]

    @property
    def headline(self) -> str:
        """How many instances run of all that should."""
        running, wanted = sum(s.running for s in self._states), sum(s.wanted for s in self._states)
        if not self._states:
            return _("Nothing is deployed yet.")
        text = ngettext("%(running)s of %(wanted)s instance runs.", "%(running)s of %(wanted)s instances run.", wanted)
        return text % {"running": running, "wanted": wanted}

    @property
    def said(self) -> list[str]:
        """What is not well or on its way, the worst first; what one would want to know when all is well."""
        cards = [card for row in self.all_rows for card in row.cards if not card.empty]
        if not cards:
            return [_("Choose an image and deploy it: that is all it takes.")]
        moving = [card for card in cards if card.state.needs_attention or card.state.status.kind is Kind.BUSY]
        if not moving:
            return [_("Everything that is deployed is well.")]
        moving.sort(key=lambda card: WORST_FIRST.index(card.state.status.kind))
        told = [_said_of(card) for card in moving[:SAID_AT_MOST]]
        more = len(moving) - len(told)
        if more:
            told.append(ngettext("One more needs a look.", "%(count)s more need a look.", more) % {"count": more})
        return told


def _said_of(card: Card) -> str:
    words = {"app": card.place.app.name, "environment": card.environment.name, "state": card.state.status.word}
    if card.state.trouble and card.state.status is Status.RUNNING:
        return _("The last change of %(app)s in %(environment)s failed; what ran before serves.") % words
    return _("%(app)s in %(environment)s: %(state)s.") % words


def board_of(actor: Actor, project: Project, *, only_attention: bool = False) -> Board:
    """Everything the overview shows, for as much as the actor may see: eight queries, however many apps."""
    environments = list(visible(actor, Environment.objects.filter(project=project)).select_related("cluster"))
    apps = list(_apps(actor, project)[: MOST_APPS + 1])
    shown = apps[:MOST_APPS]
    seen = _Seen.of(_places(shown))
    rows = tuple(_row(actor, app, environments, seen) for app in shown)
    columns = tuple(
        Column(one, tuple(card for row in rows for card in row.cards if card.environment.pk == one.pk))
        for one in environments
    )
    return Board(project, environments, rows, only_attention, len(apps) > MOST_APPS, columns)


def _apps(actor: Actor, project: Project) -> QuerySet[App]:
    return visible(actor, App.objects.filter(project=project, deleted_at__isnull=True)).order_by("name")


def _places(apps: Sequence[App]) -> list[AppEnvironment]:
    latest = Deployment.objects.filter(place=OuterRef("pk")).order_by("-number").values("pk")[:1]
    rows = AppEnvironment.objects.filter(app__in=apps).select_related("app", "release")
    return list(rows.annotate(latest_deployment=Subquery(latest)))


@dataclass(frozen=True)
class _Seen:
    """What belongs to the places, by key."""

    places: Mapping[tuple[UUID, UUID], AppEnvironment]
    services: Mapping[UUID, list[ObservedService]]
    instances: Mapping[UUID, list[ObservedInstance]]
    deployments: Mapping[UUID, Deployment]
    images: Mapping[UUID, tuple[str, ...]]

    @classmethod
    def of(cls, places: Sequence[AppEnvironment]) -> "_Seen":
        latest = [place.latest_deployment for place in places if place.latest_deployment]  # type: ignore[attr-defined]  # annotated
        deployments = Deployment.objects.filter(pk__in=latest).select_related("operation", "release", "replaced")
        instances = ObservedInstance.objects.filter(place__in=places).only("place", "state", "wanted", "service")
        return cls(
            places={(place.app_id, place.environment_id): place for place in places},
            services=_by_place(ObservedService.objects.filter(place__in=places)),
            instances=_by_place(instances),
            deployments={one.place_id: one for one in deployments},
            images=_images({place.release_id for place in places if place.release_id}),
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
    steps = [Step(card, before, _may_deploy(actor, card.place)) for card, before in zip(cards, befores, strict=False)]
    return Row(app, tuple(steps))


def _may_deploy(actor: Actor, place: AppEnvironment) -> bool:
    return any(may(actor, code, place) for code in needs_deploy(place))


def _card(app: App, environment: Environment, seen: _Seen) -> Card:
    place = seen.places[app.pk, environment.pk]
    place.environment = environment
    deployment = seen.deployments.get(place.pk)
    operation = deployment.operation if deployment else None
    services, instances = seen.services.get(place.pk, []), seen.instances.get(place.pk, [])
    images = seen.images.get(place.release_id, ()) if place.release_id else ()
    return Card(place, environment, place_state(place, services, instances, operation), deployment, images)


def today(actor: Actor, project: Project, *, most: int = 6) -> list[Deployment]:
    """The newest deployments since midnight, with their operation; one query."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    rows = visible(actor, Deployment.objects.filter(project=project, created_at__gte=midnight))
    rows = rows.select_related("operation", "app", "environment", "release", "replaced")
    return list(rows.order_by("-created_at")[:most])
