"""Images as rows of lists."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import F

from core.access import Actor, check
from core.api.paging import Rows, plain
from core.errors import NotFound
from images import selectors
from images.models import Artifact, Repository
from images.promotion.selectors import choosable_tags
from images.registry import telling
from images.repositories import selectors as kept
from tenants.models import Project
from tenants.selectors import project as project_of

FORM = re.compile(r"[a-z0-9][a-z0-9._:/-]{0,299}\Z", re.ASCII)
MOST_TAGS = 1000
REPOSITORY = ["id", "name", "title", "description", "tenant_id", "visible", "created_at"]
FOUND = ["id", "name", "title", "tenant__name", "project__name", "created_at"]
TAG = ["name", "digest", "size_bytes", "platform", "moved_at", "moved_by", "rating", "repository__name"]


def image_project(actor: Actor, tenant: str, project: str) -> Project:
    """The project, if the actor may look at images there."""
    row = project_of(actor, tenant, project)
    check(actor, "image.view", row)
    return row


def repositories(project: Project) -> Rows:
    return plain(selectors.repositories(project).order_by(), *REPOSITORY)


def shown_repositories(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    inside = kept.contents(row["id"] for row in rows)
    return [{**row, "shared": row["tenant_id"] is None, **_shown_contents(inside[row["id"]])} for row in rows]


def _shown_contents(found: kept.Contents) -> dict[str, Any]:
    return {
        "tags": found.tags,
        "size_bytes": found.size_bytes,
        "pushed_at": found.last.moved_at if found.last else None,
        "pushed_by": found.last.moved_by if found.last else "",
    }


def shown_found(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [_shown_found(dict(row)) for row in rows]


def _shown_found(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"tenant": row.pop("tenant__name"), "project": row.pop("project__name")}


def own_repository(project: Project, name: str) -> Repository:
    """One of the project's own in our registry. Raises NotFound for any other."""
    _check_form(name)
    found = selectors.pushed_to(project).filter(name=name).first()
    if found is None:
        raise NotFound()
    return found


def shown_share(row: Repository) -> dict[str, Any]:
    return {"name": row.name, "visible": row.visible, "tenants": selectors.shared_by_name(row)}


def tags(actor: Actor, project: Project, repository: str) -> Rows:
    """The tags of one repository that is offered here, for who only tests those that were released to test.

    Raises NotFound for any other.
    """
    _check_form(repository)
    home = selectors.repositories(project).filter(name=repository).first()
    if home is None:
        raise NotFound()
    known = {"digest": F("artifact__digest"), "size_bytes": F("artifact__size_bytes")}
    rows = choosable_tags(actor, project, home.tags.all()).annotate(
        platform=F("artifact__platform"), rating=kept.newest_rating("artifact"), **known
    )
    return plain(rows, *TAG)


def tag(actor: Actor, project: Project, repository: str, name: str) -> dict[str, Any]:
    """Raises NotFound."""
    row = tags(actor, project, repository).filter(name=name).first() if telling.TAG.match(name) else None
    if row is None:
        raise NotFound()
    return _shown_tag(dict(row))


def shown_tags(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [_shown_tag(dict(row)) for row in rows]


def _shown_tag(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"rating": row["rating"] or "", "reference": f"{row.pop('repository__name')}:{row['name']}"}


def artifact(project: Project, *, repository: str, digest: str) -> Artifact:
    _check_form(repository, digest)
    found = selectors.find(project, repository=repository, digest=digest)
    if found is None:
        raise NotFound()
    return found


def _check_form(*texts: str) -> None:
    """What has characters that no name of an image has (a NUL, for one) is not there; no database is asked."""
    if not all(FORM.match(text) for text in texts):
        raise NotFound()


def shown_artifact(row: Artifact) -> dict[str, Any]:
    columns = ["id", "digest", "size_bytes", "platform", "ports", "health", "user", "labels", "layers", "pushed_by"]
    columns += ["built_at", "created_at"]
    tags_of_it = list(row.tags.order_by("name").values_list("name", flat=True)[:MOST_TAGS])
    pulled = kept.pulls(row)
    return {name: getattr(row, name) for name in columns} | {
        "repository": row.repository.name,
        "tags": tags_of_it,
        "configuration": row.configuration,
        "history": row.history,
        "platforms": kept.parts(row),
        "pulls": pulled.ever,
        "pulls_lately": pulled.lately,
        "rating": kept.rating(row),
    }
