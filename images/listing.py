"""Images as rows of lists."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import F

from core.access import Actor, check
from core.api.paging import Rows, plain
from core.errors import NotFound
from images import selectors
from images.models import Artifact
from tenants.models import Project
from tenants.selectors import project as project_of

FORM = re.compile(r"[a-z0-9][a-z0-9._:/-]{0,299}\Z", re.ASCII)
REPOSITORY = ["id", "name", "title", "description", "tenant_id", "created_at"]
TAG = ["name", "digest", "size_bytes", "platform", "moved_at", "repository__name"]


def image_project(actor: Actor, tenant: str, project: str) -> Project:
    """The project, if the actor may look at images there."""
    row = project_of(actor, tenant, project)
    check(actor, "image.view", row)
    return row


def repositories(project: Project) -> Rows:
    return plain(selectors.repositories(project.tenant_id).order_by(), *REPOSITORY)


def shown_repositories(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "shared": row["tenant_id"] is None} for row in rows]


def tags(project: Project, repository: str) -> Rows:
    """The tags of one repository that is offered here. Raises NotFound for any other."""
    _check_form(repository)
    home = selectors.repositories(project.tenant_id).filter(name=repository).first()
    if home is None:
        raise NotFound()
    known = {"digest": F("artifact__digest"), "size_bytes": F("artifact__size_bytes")}
    return plain(home.tags.annotate(platform=F("artifact__platform"), **known), *TAG)


def shown_tags(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [_shown_tag(dict(row)) for row in rows]


def _shown_tag(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"reference": f"{row.pop('repository__name')}:{row['name']}"}


def artifact(project: Project, *, repository: str, digest: str) -> Artifact:
    _check_form(repository, digest)
    found = selectors.find(project.tenant_id, repository=repository, digest=digest)
    if found is None:
        raise NotFound()
    return found


def _check_form(*texts: str) -> None:
    """What has characters that no name of an image has (a NUL, for one) is not there; no database is asked."""
    if not all(FORM.match(text) for text in texts):
        raise NotFound()


def shown_artifact(row: Artifact) -> dict[str, Any]:
    columns = ["id", "digest", "size_bytes", "platform", "ports", "health", "user", "labels", "built_at", "created_at"]
    tags_of_it = list(row.tags.order_by("name").values_list("name", flat=True))
    return {name: getattr(row, name) for name in columns} | {"repository": row.repository.name, "tags": tags_of_it}
