"""An image's way through the stages of a project: what stages ask, requests with their answers, what is approved."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.selectors import promoting
from apps.views.app_frame import why_not
from apps.views.project_frame import ProjectFrame, project_frame
from apps.views.projects import told
from apps.views.promotion_forms import LONGEST_REASON, AskForm, PolicyForm
from audit.commands import check_before
from core import access
from core.access import Actor, may
from core.errors import BadRequest, PortalError
from core.status import Status
from images.promotion import selectors, services
from images.promotion.models import Approval, Promotion
from images.promotion.standing import policies
from images.promotion.words import why_suspended

TAB = "promotion"
MOST = 100
STATES: dict[str, Status] = {
    Promotion.State.OPEN: Status.WAITING,
    Promotion.State.APPROVED: Status.SUCCEEDED,
    Promotion.State.REFUSED: Status.DENIED,
    Promotion.State.WITHDRAWN: Status.CANCELLED,
    Promotion.State.EXPIRED: Status.CANCELLED,
}
DEEDS: dict[str, Callable[..., Promotion]] = {"approve": services.approve, "refuse": services.refuse}
form_page = require_http_methods(["GET", "HEAD", "POST"])


def word_of(state: str) -> str:
    """How a request stands, in words of its own: an open one is no door."""
    return _("waits for an answer") if state == Promotion.State.OPEN else str(Promotion.State(state).label)


@dataclass(frozen=True)
class Asked:
    """A request as a page shows it."""

    row: Promotion
    url: str

    @property
    def image(self) -> str:
        short = self.row.name.rpartition("/")[2]
        return f"{short}:{self.row.tags[0]}" if self.row.tags else short

    @property
    def status(self) -> Status:
        return STATES[self.row.state]

    @property
    def word(self) -> str:
        return word_of(self.row.state)


@dataclass(frozen=True)
class Allowed:
    """An approval as a page shows it. `runs`: where its image is declared in the stage."""

    row: Approval
    runs: list[promoting.Run]
    passport: str

    @property
    def image(self) -> str:
        return self.row.name.rpartition("/")[2]

    @property
    def why(self) -> str:
        return why_suspended(self.row.why) if self.row.suspended_at else ""

    @property
    def status(self) -> Status:
        return Status.PAUSED if self.row.suspended_at else Status.SUCCEEDED


def framed(request: HttpRequest, **names: str) -> ProjectFrame:
    frame = project_frame(request, TAB, **names)
    access.check(frame.actor, "image.view", frame.project)
    return frame


@login_required
@require_safe
def page(request: HttpRequest, **names: str) -> HttpResponse:
    return _page(request, framed(request, **names))


def _page(request: HttpRequest, frame: ProjectFrame, *, form: PolicyForm | None = None) -> HttpResponse:
    stages = promoting.stages(frame.project)
    rows = selectors.promotions(frame.project)
    context = frame.context(
        stages=stages,
        gated=any(one["by_approval"] for one in stages),
        waiting=[_asked(frame, row) for row in rows.filter(selectors.open_now())[:MOST]],
        decided=[_asked(frame, row) for row in rows.exclude(state=Promotion.State.OPEN)[:20]],
        approvals=_allowed(frame),
        kept_out=promoting.kept_out_now(frame.project),
        form=form or PolicyForm(initial={"stage": "prod"}),
        why_not_policy=why_not(frame.actor, ("project.manage",), frame.project),
        why_not_ask=why_not(frame.actor, ("image.promote",), frame.project),
        why_not_suspend=why_not(frame.actor, ("image.approve",), frame.project),
    )
    return render(request, "apps/promotion/page.html", context, status=422 if form else 200)


def _asked(frame: ProjectFrame, row: Promotion) -> Asked:
    return Asked(row, reverse("promotion_one", kwargs=frame.names | {"promotion": row.pk}))


def _allowed(frame: ProjectFrame) -> list[Allowed]:
    rows = list(selectors.approvals(frame.project)[:MOST])
    runs = promoting.runs(frame.project, digests={row.digest for row in rows})
    return [
        Allowed(
            row,
            [run for run in runs if (run.digest, run.stage) == (row.digest, row.stage)],
            reverse("passport", kwargs=frame.names | {"digest": row.digest}),
        )
        for row in rows
    ]


@login_required
@require_POST
def policy(request: HttpRequest, **names: str) -> HttpResponse:
    """Field `deed`: set, or end."""
    frame = framed(request, **names)
    check_before(services.set_policy, frame.actor, frame.project)
    if request.POST.get("deed") == "end":
        services.end_policy(frame.actor, frame.project, stage=request.POST.get("stage", "")[:4])
        messages.success(request, _("The stage takes every image again."))
        return HttpResponseRedirect(frame.address(TAB))
    form = PolicyForm(request.POST)
    if form.is_valid() and _set(frame, form):
        messages.success(request, _("Saved. Images come into this stage by approval only."))
        return HttpResponseRedirect(frame.address(TAB))
    return _page(request, frame, form=form)


def _set(frame: ProjectFrame, form: PolicyForm) -> bool:
    try:
        services.set_policy(frame.actor, frame.project, **form.cleaned_data)
    except PortalError as error:
        told(form, error, "stage")
        return False
    return True


@login_required
@form_page
def ask(request: HttpRequest, **names: str) -> HttpResponse:
    """Ask that an image may run in a stage; `digest` and `stage` of the address are chosen already."""
    frame = framed(request, **names)
    check_before(services.ask, frame.actor, frame.project)
    images, stages = promoting.askable(frame.project), promoting.stages(frame.project)
    wanted = next((str(row.pk) for row in images if row.digest == request.GET.get("digest")), "")
    first = {"image": wanted, "stage": request.GET.get("stage", "")}
    form = AskForm(request.POST if request.method == "POST" else None, images=images, stages=stages, initial=first)
    if form.is_bound and form.is_valid() and (made := _ask(frame, form)):
        messages.success(request, _("Asked. Those who may approve it are told."))
        return HttpResponseRedirect(_asked(frame, made).url)
    context = frame.context(form=form, gated=any(one["by_approval"] for one in stages), images=images)
    return render(request, "apps/promotion/ask.html", context, status=422 if form.errors else 200)


def _ask(frame: ProjectFrame, form: AskForm) -> Promotion | None:
    said = form.cleaned_data
    try:
        return services.ask(
            frame.actor, frame.project, stage=said["stage"], artifact=form.artifact, reason=said["reason"]
        )
    except PortalError as error:
        told(form, error, "image")
        return None


@login_required
@require_safe
def one(request: HttpRequest, promotion: uuid.UUID, **names: str) -> HttpResponse:
    """One request: what differs from what runs there, who said what, and the answer."""
    frame = framed(request, **names)
    row = selectors.promotion(frame.project, promotion)
    needed = policies(frame.project.pk).get(row.stage)
    context = frame.context(
        asked=_asked(frame, row),
        decisions=list(row.decisions.order_by("created_at")),
        approving=row.decisions.filter(approves=True).count(),
        needed=needed,
        passport=promoting.passport_if_any(frame.project, row.digest),
        passport_url=reverse("passport", kwargs=frame.names | {"digest": row.digest}),
        difference=promoting.compared(frame.project, row),
        is_open=selectors.promotions(frame.project).filter(selectors.open_now(), pk=row.pk).exists(),
        may_withdraw=row.asked_by_id == frame.actor.id,
        why_not_decide=_why_not_decide(frame.actor, row),
    )
    return render(request, "apps/promotion/one.html", context)


def _why_not_decide(actor: Actor, row: Promotion) -> str:
    if not may(actor, "image.approve", row.project):
        return why_not(actor, ("image.approve",), row.project)
    if row.asked_by_id == actor.id:
        return _("You asked for it: somebody else decides.")
    if actor.name in selectors.builders(row.digest, tenant=row.tenant_id):
        return _("You brought this image: somebody else decides.")
    return _("You have answered already.") if row.decisions.filter(person_id=actor.id).exists() else ""


@login_required
@require_POST
def decide(request: HttpRequest, promotion: uuid.UUID, **names: str) -> HttpResponse:
    """Field `deed`: approve or refuse; `reason`: the decider's words."""
    frame = framed(request, **names)
    row, deed = selectors.promotion(frame.project, promotion), DEEDS.get(request.POST.get("deed", ""))
    if deed is None:
        raise BadRequest()
    done = deed(frame.actor, row, reason=_reason(request))
    said = {
        Promotion.State.APPROVED: _("Approved. It may run there now."),
        Promotion.State.REFUSED: _("Refused. %(person)s is told.") % {"person": row.asked_by_name},
    }
    others = _("Approved by you; others have to answer as well.")
    messages.success(request, said.get(Promotion.State(done.state), others))
    return HttpResponseRedirect(_asked(frame, row).url)


@login_required
@require_POST
def withdraw(request: HttpRequest, promotion: uuid.UUID, **names: str) -> HttpResponse:
    frame = framed(request, **names)
    row = selectors.promotion(frame.project, promotion)
    services.withdraw(frame.actor, row)
    messages.success(request, _("You took the request back."))
    return HttpResponseRedirect(_asked(frame, row).url)


@login_required
@require_POST
def suspend(request: HttpRequest, approval: uuid.UUID, **names: str) -> HttpResponse:
    frame = framed(request, **names)
    check_before(services.suspend, frame.actor, frame.project)
    services.suspend(frame.actor, selectors.approval(frame.project, approval), reason=_reason(request))
    messages.success(request, _("Withdrawn. What runs keeps running; nothing starts with it any more."))
    return HttpResponseRedirect(frame.address(TAB))


def _reason(request: HttpRequest) -> str:
    return request.POST.get("reason", "").replace("\0", "").strip()[:LONGEST_REASON]
