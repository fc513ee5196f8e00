"""Where a project stands, what can be done with the whole of it, and doing it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from apps.lifecycle import selectors, services
from apps.lifecycle.turns import NEEDS
from apps.views.answers import shown
from apps.views.app_frame import why_not
from apps.views.done import told_done
from apps.views.found import actor_of
from apps.views.project_frame import ProjectFrame, project_frame
from operations.models import Operation
from operations.registry import words
from tenants.models import Project
from tenants.selectors import project as project_named

DEEDS: dict[str, Callable[..., Operation]] = {
    "suspend": services.suspend,
    "resume": services.resume,
    "archive": services.archive,
    "restore": services.restore,
    "delete": services.delete,
}
LONGEST_REASON = 500
RUNGS: tuple[tuple[str, Promise], ...] = (
    (Project.State.ACTIVE, gettext_lazy("Apps run and can be changed.")),
    (Project.State.SUSPENDED, gettext_lazy("Nothing runs; all is kept.")),
    (Project.State.ARCHIVED, gettext_lazy("Read only; nothing is left on the engines.")),
    (Project.State.DELETED, gettext_lazy("Out of sight. Back for 30 days.")),
    ("gone", gettext_lazy("Only history is left.")),
)


@login_required
@require_safe
def page(request: HttpRequest, **names: str) -> HttpResponse:
    frame = project_frame(request, "project_lifecycle", **names)
    return shown(request, "projects/lifecycle", _context(frame), part="projects/_lifecycle")


def _context(frame: ProjectFrame) -> dict[str, Any]:
    project = frame.project
    now = selectors.under_way(project)
    return frame.context(
        touched=selectors.touched(project),
        rungs=[_rung(project, *one) for one in RUNGS],
        now=now,
        now_told=_last_words(now) if now else "",
        deeds={} if now else {deed: _deed(frame, deed) for deed in selectors.possible(frame.actor, project)},
        dialogs={deed: _deed(frame, deed) for deed in DEEDS},  # all of them: the page outlives the state it began in
        before=[told_done(one) for one in selectors.before(frame.actor, project)],
        deleted=selectors.restorable(frame.actor, project.tenant),
        typed_name=str(project),
    )


def _rung(project: Project, state: str, said: Promise) -> dict[str, Any]:
    known = dict(Project.State.choices)
    return {"name": known.get(state, _("gone")), "said": said, "now": project.state == state}


def _deed(frame: ProjectFrame, deed: str) -> dict[str, str]:
    return {
        "url": frame.address(f"project_{deed}"),
        "why_not": why_not(frame.actor, (NEEDS[deed],), frame.project, even_closed=True),
    }


def _last_words(operation: Operation) -> str:
    last = operation.events.order_by("-seq").first()
    return words(last.code, last.params) if last else ""


@login_required
@require_POST
def turn(request: HttpRequest, deed: str, tenant: str, project: str) -> HttpResponse:
    """Start one of DEEDS. A deleted project has no pages: whoever deleted it goes to the list of projects."""
    row = project_named(actor_of(request), tenant, project, deleted=deed == "restore")
    more = {"reason": request.POST.get("reason", "").replace("\0", "").strip()[:LONGEST_REASON]}
    if deed == "delete":
        more["typed_name"] = request.POST.get("typed_name", "")
    DEEDS[deed](actor_of(request), row, **more)
    messages.success(request, _("It has begun; nobody needs to wait for it here."))
    if deed == "delete":
        return redirect("projects", tenant=tenant)
    return redirect("project_lifecycle", tenant=tenant, project=project)
