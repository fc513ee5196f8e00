"""One repository: its tags or the images without one, how to push and pull, and who else may pull."""

import uuid
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.selectors.paging import Page, page_by
from apps.selectors.promoting import ladder
from apps.selectors.running_images import where_runs
from apps.views.answers import shown
from apps.views.app_frame import why_not
from apps.views.images.frame import ImageFrame, image_frame, pull_commands, push_commands, searched, shown_uses
from images.models import Artifact, Repository, Tag
from images.repositories import selectors
from images.selectors import shared_by_name

UNTAGGED = "untagged"
ROWS = 25  # each says much
ORDERS = {"": ("-moved_at", "-pk"), "name": ("name", "pk"), "-name": ("-name", "-pk"), "pushed": ("moved_at", "pk")}
ORDERS["-pushed"] = ORDERS[""]


@login_required
@require_safe
def page(request: HttpRequest, tenant: str, project: str, repository: str) -> HttpResponse:
    frame = image_frame(request, tenant, project, repository)
    return shown(request, "images/repository", _context(request, frame), part="images/_repository")


def _context(request: HttpRequest, frame: ImageFrame) -> dict[str, Any]:
    row = frame.row
    search, untagged = searched(request), request.GET.get("show") == UNTAGGED
    rows, found = _untagged(request, row, search) if untagged else _tags(request, row, search)
    artifacts = [one["artifact"] for one in rows]
    uses = where_runs(frame.actor, [one.digest for one in artifacts], of=row)
    platforms = selectors.platforms(artifacts)
    steps = ladder(frame.project, [one.digest for one in artifacts]) if frame.ours else None
    for one in rows:
        one["url"] = frame.digest_url(one["artifact"].digest)
        one["uses"] = shown_uses(uses.get(one["artifact"].digest, []))
        one["reached"] = steps.reached[one["artifact"].digest] if steps else []
        one["platforms"] = platforms.get(one["artifact"].pk) or [one["artifact"].platform]
    newest = rows[0]["name"] if rows else ""
    return frame.context(
        rows=rows,
        found=found,
        search=search,
        untagged=untagged,
        inside=selectors.amount(row),
        environments=steps.environments if steps else [],
        ways=_ways(frame, search, untagged=untagged),
        pull=pull_commands(frame, tag=newest) if newest else [],
        push=push_commands(frame, frame.name) if frame.ours else [],
        why_not_push=why_not(frame.actor, ("image.push",), frame.project),
        tenants=shared_by_name(row),
        access_url=frame.address("repository_access", row),
        fragment=request.get_full_path(),
        every=0 if frame.ours else 15,  # of another project's nobody tells here
    )


def _tags(request: HttpRequest, row: Repository, search: str) -> tuple[list[dict[str, Any]], Page[Tag]]:
    order = ORDERS.get(request.GET.get("sort", ""), ORDERS[""])
    found = page_by(selectors.tags(row, search=search), order=order, cursor=request.GET.get("cursor", ""), size=ROWS)
    return [
        {"name": tag.name, "artifact": tag.artifact, "at": tag.moved_at, "by": tag.moved_by, "rating": tag.rating}  # type: ignore[attr-defined]  # annotated
        for tag in found.rows
    ], found


def _untagged(request: HttpRequest, row: Repository, search: str) -> tuple[list[dict[str, Any]], Page[Artifact]]:
    rows = selectors.untagged(row, search=search)
    found = page_by(rows, order=("-created_at", "-pk"), cursor=request.GET.get("cursor", ""), read=uuid.UUID, size=ROWS)
    return [
        {"name": "", "artifact": one, "at": one.created_at, "by": one.pushed_by, "rating": one.rating}  # type: ignore[attr-defined]  # annotated
        for one in found.rows
    ], found


def _ways(frame: ImageFrame, search: str, *, untagged: bool) -> list[dict[str, Any]]:
    kept = {"search": search} if search else {}
    named: tuple[tuple[str, dict[str, str], bool], ...]
    named = ((_("Tags"), {}, not untagged), (_("Without a tag"), {"show": UNTAGGED}, untagged))
    return [
        {"label": label, "url": f"{frame.url}?{urlencode(kept | more)}" if kept | more else frame.url, "current": now}
        for label, more, now in named
    ]
