"""The images of a project: its repositories, those that others offer, and the tags that a search finds."""

import uuid
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.selectors.paging import page_by
from apps.views.answers import shown
from apps.views.app_frame import why_not
from apps.views.images.frame import ImageFrame, image_frame, push_commands, searched
from images.repositories import selectors
from images.selectors import pushed_tags

OTHERS = "others"
MOST_FOUND = 20


@login_required
@require_safe
def page(request: HttpRequest, tenant: str, project: str) -> HttpResponse:
    frame = image_frame(request, tenant, project)
    return shown(request, "images/list", _context(request, frame), part="images/_list")


def _context(request: HttpRequest, frame: ImageFrame) -> dict[str, Any]:
    search, whose = searched(request), request.GET.get("whose", "")
    rows = selectors.others if whose == OTHERS else selectors.own
    found = page_by(
        rows(frame.project, search=search),
        order=("name", "pk"),
        cursor=request.GET.get("cursor", ""),
        read=uuid.UUID,
    )
    inside = selectors.contents(row.pk for row in found.rows)
    return frame.context(
        rows=[
            {"row": row, "name": _name(frame, row), "url": frame.address("repository", row), "inside": inside[row.pk]}
            for row in found.rows
        ],
        found=found,
        tags=[] if whose == OTHERS or not search else _tags(frame, search),
        search=search,
        others=whose == OTHERS,
        ways=_ways(frame, search, whose),
        commands=push_commands(frame),
        why_not_push=why_not(frame.actor, ("image.push",), frame.project),
        fragment=request.get_full_path(),
    )


def _name(frame: ImageFrame, row: Any) -> str:
    return selectors.short_name(frame.project, row).removeprefix(selectors.OTHERS)


def _tags(frame: ImageFrame, search: str) -> list[dict[str, Any]]:
    """The newest of those that the search finds in the project."""
    rows = pushed_tags(frame.project, search=search).defer(*(f"artifact__{name}" for name in selectors.LONG))
    return [
        {
            "tag": tag,
            "name": f"{_name(frame, tag.repository)}:{tag.name}",
            "url": frame.address("image_digest", tag.repository, digest=tag.artifact.digest),
        }
        for tag in rows[:MOST_FOUND]
    ]


def _ways(frame: ImageFrame, search: str, whose: str) -> list[dict[str, Any]]:
    kept = {"search": search} if search else {}
    named = ((_("Of this project"), ""), (_("Offered by others"), OTHERS))
    return [
        {
            "label": label,
            "url": _asking(frame.list_url, kept | ({"whose": one} if one else {})),
            "current": one == whose,
        }
        for label, one in named
    ]


def _asking(address: str, query: dict[str, str]) -> str:
    return f"{address}?{urlencode(query)}" if query else address
