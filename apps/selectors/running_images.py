"""Where images run: which apps in which environments have a digest before them, and which could go back to it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Exists, F, Model, OuterRef, Q, QuerySet

from apps.models import App, AppEnvironment, Deployment, Environment, Release, ReleaseImage
from core.access import Actor, visible
from images.models import Repository
from operations.models import Operation
from tenants.models import Project

MOST = 500
MOST_RELEASES = 50
PLACE = ("app", "environment", "project__tenant")
ORDER = ("app__name", "environment__position", "service")
M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Use:
    """One service of an app in one environment. `leaving`: it is being replaced at this moment.

    `stopped`: nothing runs, but it starts with this image again.
    """

    digest: str
    pinned: str
    service: str
    app: App
    environment: Environment
    project: Project
    release: int
    stopped: bool = False
    leaving: bool = False


@dataclass(frozen=True)
class WayBack:
    """A release of an app that serves nowhere now and could again."""

    app: App
    number: int


def where_runs(
    actor: Actor | None, digests: Iterable[str], *, of: Repository | None = None, most: int = MOST
) -> dict[str, list[Use]]:
    """{digest: its uses}, for as much as `actor` may see; with None all there is, for what must not break anything.

    `of`: only where it was fetched from this repository; the same digest may lie in several. Three queries, one where
    no release has any of them.
    """
    wanted = sorted(set(digests))
    if not wanted or not ReleaseImage.objects.filter(digest__in=wanted).exists():
        return {}
    found: dict[str, list[Use]] = defaultdict(list)
    for use in (*_serving(actor, wanted, of, most), *_leaving(actor, wanted, of, most)):
        found[use.digest].append(use)
    return dict(found)


def ways_back(
    actor: Actor | None, digests: Sequence[str], *, of: Repository | None = None, most: int = MOST_RELEASES
) -> list[WayBack]:
    """Releases with one of these digests that one could go back to, newest first."""
    rows = Release.objects.filter(app__deleted_at__isnull=True, project__purged_at__isnull=True)
    rows = rows.filter(images__digest__in=digests)
    rows = rows.annotate(digest=F("images__digest"), pinned=F("images__pinned")).filter(_pinned(of))
    rows = rows.exclude(Exists(AppEnvironment.objects.filter(release=OuterRef("pk"))))
    found = _seen(actor, rows).select_related("app__project__tenant").order_by("-created_at", "-pk")
    once = {row.pk: WayBack(row.app, row.number) for row in found[:most]}
    return list(once.values())


def _serving(actor: Actor | None, digests: list[str], of: Repository | None, most: int) -> list[Use]:
    rows = AppEnvironment.objects.filter(app__deleted_at__isnull=True, project__purged_at__isnull=True)
    found = _with_images(rows, "release", digests, of).select_related("release", *PLACE)
    shown = _seen(actor, found).order_by(*ORDER)[:most]
    return [_use(row, row.release, stopped=row.stopped) for row in shown]


def _leaving(actor: Actor | None, digests: list[str], of: Repository | None, most: int) -> list[Use]:
    """What is under way may end by going back to what was there before."""
    rows = Deployment.objects.filter(operation__state__in=Operation.ACTIVE).exclude(replaced=F("release"))
    found = _with_images(rows, "replaced", digests, of).select_related("replaced", *PLACE)
    shown = _seen(actor, found).order_by(*ORDER)[:most]
    return [_use(row, row.replaced, leaving=True) for row in shown]


def _with_images(rows: QuerySet[M], release: str, digests: list[str], of: Repository | None) -> QuerySet[Any]:
    """Asked for by the digest first, so that the images are joined from there and not to every row there is."""
    columns = {name: F(f"{release}__images__{name}") for name in ("digest", "pinned", "service")}
    near: QuerySet[Any] = rows.filter(**{f"{release}__images__digest__in": digests})
    found: QuerySet[Any] = near.annotate(**columns).filter(_pinned(of))
    return found


def _use(row: Any, release: Release | None, *, stopped: bool = False, leaving: bool = False) -> Use:
    """`row` has an app, an environment and a project, and columns of the image."""
    return Use(
        digest=row.digest,
        pinned=row.pinned,
        service=row.service,
        app=row.app,
        environment=row.environment,
        project=row.project,
        release=release.number if release else 0,
        stopped=stopped,
        leaving=leaving,
    )


def _pinned(of: Repository | None) -> Q:
    """By where it was fetched from, whatever the registry was called then."""
    if of is None:
        return Q()
    own = Q(pinned__startswith=f"{of.name}@")
    if of.cluster_id:
        own |= Q(pinned=F("digest"))  # what lies on the hosts alone was fetched from nowhere
    return own | Q(pinned__contains=f"/{of.path}@") if of.path else own


def _seen(actor: Actor | None, rows: QuerySet[M]) -> QuerySet[M]:
    return rows if actor is None else visible(actor, rows)
