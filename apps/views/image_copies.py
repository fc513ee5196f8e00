"""Images copied from other registries: asking for one, and how far each is."""

import uuid
from dataclasses import dataclass
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from apps.views.answers import shown
from apps.views.app_frame import why_not
from apps.views.project_frame import ProjectFrame, project_frame
from apps.views.projects import sent
from audit.commands import check_before
from core import access
from core.access import visible
from core.errors import NotFound
from core.status import Status
from images.registry import names as registry_names
from images.replication import selectors, services
from images.replication.models import ImageCopy
from images.replication.problems import said
from operations.selectors import told as operation_told
from operations.services import cancel as cancel_operation

TAB = "image_copies"
MOST = 50
MOST_EVENTS = 12
State = ImageCopy.State
STATUS = {  # for the glyph; the word is the copy's own
    State.WAITING: Status.WAITING,
    State.COPYING: Status.UPDATING,
    State.COPIED: Status.SUCCEEDED,
    State.SKIPPED: Status.SUCCEEDED,
    State.REFUSED: Status.DEGRADED,
    State.FAILED: Status.FAILED,
    State.CANCELLED: Status.CANCELLED,
}


class CopyForm(forms.Form):
    image = forms.CharField(
        label=gettext_lazy("Image"), max_length=400,
        help_text=gettext_lazy("As you would write it elsewhere: registry.example.com/team/web:1.4, or nginx:1.27."),
        error_messages={"required": gettext_lazy("Say which image.")},
    )  # fmt: skip
    name = forms.CharField(
        label=gettext_lazy("Repository here"), max_length=200,
        help_text=gettext_lazy("Its name in this project, such as web."),
        error_messages={"required": gettext_lazy("Name it.")},
    )  # fmt: skip
    tag = forms.CharField(
        label=gettext_lazy("Tag here"), max_length=128, required=False,
        help_text=gettext_lazy("Left empty, it keeps the tag it has there."),
    )  # fmt: skip


@dataclass(frozen=True)
class CopyLine:
    """One copy as a row of a list."""

    copy: ImageCopy
    url: str = ""

    @property
    def status(self) -> Status:
        return STATUS[State(self.copy.state)]

    @property
    def word(self) -> str:
        under_way = self.copy.state == State.COPYING
        return _("being copied") if under_way else str(self.copy.get_state_display())

    @property
    def said(self) -> str:
        return said(self.copy.reason)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, **names: str) -> HttpResponse:
    """The form and the list; a POST begins a copy."""
    frame = _frame(request, names)
    if request.method != "POST":
        return _page(request, frame, CopyForm(initial={"image": request.GET.get("image", "")[:400]}))
    check_before(services.copy_image, frame.actor, frame.project)
    form = CopyForm(request.POST)
    made = sent(form, "image", partial(services.copy_image, frame.actor, frame.project))
    if made is None:
        response = _page(request, frame, form)
        response.status_code = 422
        return response
    messages.success(request, _("It has begun; nobody needs to wait for it here."))
    return HttpResponseRedirect(frame.address("image_copy", copy=made.pk))


@login_required
@require_http_methods(["GET", "HEAD"])
def one(request: HttpRequest, copy: uuid.UUID, **names: str) -> HttpResponse:
    frame = _frame(request, names)
    row = selectors.copy(frame.project, copy)
    events = list(row.operation.events.order_by("-seq")[:MOST_EVENTS]) if row.operation else []
    lines = [(event, operation_told({"code": event.code, "params": event.params}) or {}) for event in events]
    active = row.operation is not None and row.operation.active
    context = {
        "line": CopyLine(row),
        "copy": row,
        "events": [{"at": event.at, "kind": event.level, "text": words.get("message", "")} for event, words in lines],
        "active": active,
        "cancelled": active and row.operation is not None and row.operation.cancel_requested,
        "reference": registry_names.reference(row.path) if registry_names.address() else row.path,
        "why_not": why_not(frame.actor, (services.PUSH,), frame.project, even_closed=True),
    }
    return shown(request, "replication/copy", frame.context(**context), part="replication/_copy")


@login_required
@require_POST
def cancel(request: HttpRequest, copy: uuid.UUID, **names: str) -> HttpResponse:
    frame = _frame(request, names)
    row = selectors.copy(frame.project, copy)
    if row.operation is None:
        raise NotFound()
    cancel_operation(frame.actor, row.operation)
    messages.success(request, _("It stops; layers that are here already stay for the next time."))
    return HttpResponseRedirect(frame.address("image_copy", copy=copy))


def _frame(request: HttpRequest, names: dict[str, str]) -> ProjectFrame:
    frame = project_frame(request, TAB, **names)
    access.check(frame.actor, "image.view", frame.project)
    return frame


def _page(request: HttpRequest, frame: ProjectFrame, form: CopyForm) -> HttpResponse:
    rows = visible(frame.actor, ImageCopy.objects.filter(project=frame.project, rule=None)).order_by("-pk")[:MOST]
    context: dict[str, Any] = {
        "form": form,
        "lines": [CopyLine(row, frame.address("image_copy", copy=row.pk)) for row in rows],
        "has_registry": bool(registry_names.address()),
        "registries": list(selectors.registries(frame.project)[: services.MOST_REGISTRIES]),
        "why_not": why_not(frame.actor, (services.PUSH,), frame.project),
    }
    return shown(request, "replication/copies", frame.context(**context), part="replication/_copies")
