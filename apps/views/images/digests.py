"""One image by its digest: what it is made of, how it starts, where it runs, and how to fetch exactly it."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from apps.images.breaking import breaks_of
from apps.selectors.promoting import ladder
from apps.views.answers import shown
from apps.views.images.frame import SHORT, ImageFrame, image_frame, pull_commands, shown_uses
from core.errors import NotFound
from images.building import selectors as builds
from images.models import Artifact
from images.registry.telling import DIGEST
from images.repositories import selectors


@login_required
@require_safe
def page(request: HttpRequest, tenant: str, project: str, repository: str, digest: str) -> HttpResponse:
    frame = image_frame(request, tenant, project, repository)
    context = _context(request, frame, artifact_of(frame, digest))
    return shown(request, "images/digest", context, part="images/_digest")


def artifact_of(frame: ImageFrame, digest: str) -> Artifact:
    """Raises NotFound."""
    row = selectors.artifact(frame.row, digest) if DIGEST.match(digest) else None
    if row is None:
        raise NotFound()
    return row


def _context(request: HttpRequest, frame: ImageFrame, row: Artifact) -> dict[str, Any]:
    found = breaks_of(frame.actor, row)
    return frame.context(
        artifact=row,
        short=row.digest[:SHORT],
        title=f"{frame.name}:{found.tags[0]}" if found.tags else f"{frame.name}@{row.digest[:SHORT]}",
        found=found,
        uses=shown_uses(found.runs),
        **_stages(frame, row),
        passport_url=reverse("passport", kwargs=frame.names | {"digest": row.digest}) if frame.ours else "",
        tags=[{"name": tag, "url": _take_off(frame, row, tag)} for tag in found.tags],
        lists=[{"digest": one.digest, "url": frame.digest_url(one.digest)} for one in found.lists],
        parts=[one | {"url": frame.digest_url(one["digest"])} for one in selectors.parts(row)],
        configuration=row.configuration or {},
        unread=row.configuration is None,
        steps=selectors.steps(row),
        labels=sorted(row.labels.items()),
        pulls=selectors.pulls(row),
        rating=selectors.rating(row),
        scan_url=reverse("image_scan", kwargs=frame.names | {"artifact": row.pk}),
        commands=pull_commands(frame, tag=found.tags[0] if found.tags else "", digest=row.digest),
        remove_url=frame.address("image_remove", row.repository, digest=row.digest) if frame.ours else "",
        builds=[
            {"row": one, "url": reverse("image_build", kwargs=frame.names | {"build": one.pk})}
            for one in builds.of_digest(row.digest, tenant=frame.project.tenant_id).filter(project=frame.project)[:5]
        ],
        fragment=request.get_full_path(),
        every=0 if frame.ours else 15,
    )


def _stages(frame: ImageFrame, row: Artifact) -> dict[str, Any]:
    """The project's environments and those it may run in; nothing where nobody asks for an approval."""
    steps = ladder(frame.project, [row.digest]) if frame.ours else None
    return {"environments": steps.environments, "reached": steps.reached[row.digest]} if steps else {}


def _take_off(frame: ImageFrame, row: Artifact, tag: str) -> str:
    """Where a tag is taken off, for who may."""
    if not frame.ours or frame.why_not_delete:
        return ""
    return frame.address("image_tag_remove", row.repository, tag=tag)
