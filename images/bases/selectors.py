"""Base images with their versions, as far as somebody may pull them."""

from typing import Any

from django.db.models import F, Prefetch, Q, QuerySet

from core.access import Actor, check, visible
from core.errors import NotFound
from images.bases.models import BaseImage
from images.models import Repository, Tag
from images.selectors import offered_to
from tenants.models import Project

MOST_VERSIONS = 5
OPEN = Q(tenant__isnull=True) | Q(visible=Repository.Visible.EVERYONE)


def for_project(project: Project) -> list[BaseImage]:
    """Those that the project may pull."""
    return list(_with_versions(BaseImage.objects.filter(repository__in=Repository.objects.filter(offered_to(project)))))


def for_operator(actor: Actor) -> list[BaseImage]:
    check(actor, "cluster.view")
    return list(_with_versions(BaseImage.objects.all()))


def eligible() -> QuerySet[Repository]:
    """What may be published and is not yet."""
    return Repository.objects.filter(OPEN, base__isnull=True).order_by("name")


def repository_named(actor: Actor, name: str) -> Repository:
    """For operators: one that everybody may pull or that is published, by its name; first the platform's own."""
    rows = visible(actor, Repository.objects.filter(OPEN | Q(base__isnull=False)), "cluster.view")
    found = rows.filter(name=name).order_by(F("tenant").asc(nulls_first=True), "pk").first()
    if found is None:
        raise NotFound()
    return found


def _with_versions(rows: QuerySet[BaseImage]) -> QuerySet[BaseImage]:
    newest = Tag.objects.select_related("artifact").order_by("-moved_at", "-name")
    found = rows.select_related("repository").order_by("repository__name")
    return found.prefetch_related(Prefetch("repository__tags", newest, to_attr="newest"))


def versions(row: BaseImage) -> list[Tag]:
    """The newest first."""
    found: list[Tag] = row.repository.newest  # type: ignore[attr-defined]  # of the prefetch
    return found[:MOST_VERSIONS]


def shown(row: BaseImage) -> dict[str, Any]:
    return {
        "repository": row.repository.name,
        "title": row.repository.title,
        "advice": row.advice,
        "published_at": row.created_at,
        "versions": [
            {
                "tag": tag.name,
                "reference": f"{row.repository.name}:{tag.name}",
                "digest": tag.artifact.digest,
                "size_bytes": tag.artifact.size_bytes,
                "platform": tag.artifact.platform,
                "built_at": tag.artifact.built_at,
                "moved_at": tag.moved_at,
            }
            for tag in versions(row)
        ],
    }
