"""The page on which an archive of an image is uploaded, with what is on its way and what came before."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.selectors.state import operation_status
from apps.views.answers import shown
from apps.views.app_frame import why_not
from apps.views.found import actor_of
from apps.views.project_frame import ProjectFrame, project_frame
from core import access
from core.status import Status
from images.models import Upload
from images.registry import names as registry
from images.uploading import selectors, services
from tenants import selectors as tenants

NEEDS = "image.push"
MOST_SHOWN = 20
STATES = {
    Upload.State.DONE: Status.DONE,
    Upload.State.FAILED: Status.FAILED,
    Upload.State.CANCELLED: Status.CANCELLED,
    Upload.State.EXPIRED: Status.CANCELLED,
}


@dataclass(frozen=True)
class Line:
    """One upload as the list shows it."""

    row: Upload
    mine: bool
    said: str
    hint: str
    status: Status
    word: str
    reference: str
    operation: Any

    @property
    def percent(self) -> int:
        return int(100 * self.row.received_bytes / max(1, self.row.size_bytes))

    @property
    def waits(self) -> bool:
        return self.row.state == Upload.State.RECEIVING


@login_required
@require_safe
def page(request: HttpRequest, tenant: str, project: str) -> HttpResponse:
    frame = project_frame(request, "project_images", tenant, project)
    access.check(frame.actor, "image.view", frame.project)
    allowed = access.may(frame.actor, NEEDS, frame.project)
    context = {
        "uploads": _lines(frame) if allowed else [],
        "why_not": why_not(frame.actor, (NEEDS,), frame.project),
        "there": bool(registry.address()),
        "api": reverse("api_uploads", kwargs=frame.names),
        "most": settings.UPLOADS["tenant_bytes"],
        "hours": settings.UPLOADS["keep_hours"],
        "commands": _commands(request, frame),
        "said": sending_words(_("All of %(file)s is here. What becomes of it stands below.")),
    }
    return shown(request, "projects/upload", frame.context(**context), part="projects/_uploads")


def sending_words(done: str) -> dict[str, str]:
    """What the script says while it sends, and when all is sent; it fills the gaps itself."""
    return {
        "begun": _("Uploading %(file)s: %(percent)s %% of %(size)s MB"),
        "again": _("The connection was lost at %(percent)s %%; going on in %(seconds)s s"),
        "goes-on": _("Going on with %(file)s at %(percent)s %%"),
        "stopped": _("Stopped at %(percent)s %%. Choose the same file again to go on."),
        "done": done,
    }


def _lines(frame: ProjectFrame) -> list[Line]:
    rows = (
        selectors.uploads(frame.actor, frame.project)
        .filter(purpose=Upload.Purpose.IMAGE)
        .order_by("-created_at")[:MOST_SHOWN]
    )
    return [_line(frame, row) for row in rows]


def _line(frame: ProjectFrame, row: Upload) -> Line:
    failure = selectors.failure_of(row.failure) or {}
    step = selectors.step_of(row)
    operation = step["operation"]
    status = operation_status(operation) if operation else STATES.get(Upload.State(row.state), Status.PENDING)
    return Line(
        row=row,
        mine=row.owner_id == frame.actor.id,
        said=failure.get("message", "") or step["said"],
        hint=failure.get("hint", ""),
        status=status,
        word=_word(row),
        reference=f"{registry.reference(row.path)}@{row.digest}" if row.path else "",
        operation=operation,
    )


def _word(row: Upload) -> str:
    if row.state == Upload.State.RECEIVING:
        return _("coming in")
    return _("not finished in time") if row.state == Upload.State.EXPIRED else ""


def _commands(request: HttpRequest, frame: ProjectFrame) -> list[dict[str, str]]:
    """The same without a browser."""
    address = request.build_absolute_uri(reverse("api_uploads", kwargs=frame.names))
    bearer = '-H "Authorization: Bearer $TOKEN"'
    begin = (
        f"UPLOAD=$(curl -fsS {bearer} -H 'Content-Type: application/json' "
        '-d "{\\"file_name\\": \\"web.tar\\", \\"size_bytes\\": $(stat -c %s web.tar)}" '
        f"{address} | jq -r .id)"
    )
    send = f"curl -fsS {bearer} -H 'Upload-Offset: 0' -X PATCH -T web.tar {address}/$UPLOAD"
    look = f"curl -fsS {bearer} {address}/$UPLOAD"
    return [
        {"label": _("Begin"), "text": begin},
        {"label": _("Send the file"), "text": send},
        {"label": _("See how far it is"), "text": look},
    ]


@login_required
@require_POST
def discard(request: HttpRequest, tenant: str, project: str, upload: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    row = selectors.upload(actor, tenants.project(actor, tenant, project), upload)
    services.discard_upload(actor, row)
    messages.success(request, _("It is called off; nothing of it is kept."))
    return redirect("image_upload", tenant=tenant, project=project)
