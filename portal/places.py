"""Places to go to: projects, each with its tenant, those where somebody was last first."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

from django.db.models import Q, QuerySet
from django.urls import reverse

from core.access import Actor, visible
from tenants import recent
from tenants.models import Project, Tenant, User

MOST_PLACES = 50
MOST_RECENT = 5


@dataclass(frozen=True)
class Place:
    tenant: Tenant
    project: Project
    label: str
    url: str
    current: bool
    recent: bool = False


def places_of(
    actor: Actor, user: User, *, here: tuple[str, str] = ("", ""), words: Iterable[str] = (), most: int = MOST_PLACES
) -> list[Place]:
    """Projects somebody may see, in which each of `words` is found: recent ones first, then by tenant and name."""
    rows = projects(actor).filter(containing(words))
    others = list(rows.order_by("tenant__name", "name")[:most])
    known = recent.projects(user)[: MOST_RECENT + 1]
    first = _last(rows, known, among=others)
    others = [row for row in others if row not in first][: most - len(first)]
    return [_place(row, here, recent=True) for row in first] + [_place(row, here) for row in others]


def _last(rows: QuerySet[Project], known: list[str], *, among: list[Project]) -> list[Project]:
    """Those of the rows whose "tenant/project" is known, in that order; some or all of them have been read already."""
    found = {str(row): row for row in among}
    if missing := [name for name in known if name not in found]:
        found |= {str(row): row for row in rows.filter(named(missing))}
    return [found[name] for name in known if name in found]


def projects(actor: Actor) -> QuerySet[Project]:
    return visible(actor, Project.objects.filter(deleted_at__isnull=True)).select_related("tenant")


def named(paths: Iterable[str], prefix: str = "") -> Q:
    """Rows whose "tenant/project" is one of these."""
    found = Q(pk__in=[])
    for path in paths:
        tenant, _slash, project = path.partition("/")
        found |= Q(**{f"{prefix}tenant__name": tenant, f"{prefix}name": project})
    return found


def containing(words: Iterable[str], columns: Iterable[str] = ("name", "title", "tenant__name", "tenant__title")) -> Q:
    """Rows in which each word stands in one of the columns, whatever its case."""
    kept = list(columns)
    found = Q()
    for word in words:
        found &= reduce(lambda one, other: one | other, (Q(**{f"{column}__icontains": word}) for column in kept))
    return found


def _place(project: Project, here: tuple[str, str], *, recent: bool = False) -> Place:
    url = reverse("project", kwargs={"tenant": project.tenant.name, "project": project.name})
    current = (project.tenant.name, project.name) == here
    return Place(project.tenant, project, project.title or project.name, url, current, recent)
