"""What needs me: requests of others that I may decide, what I asked for, roles of mine that end; and one request."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from core.access import Actor
from core.errors import BadRequest
from core.status import Status
from tenants.custom.resolving import title_of
from tenants.models import Grant, Request
from tenants.notices import place_name
from tenants.requests import selectors, services
from tenants.requests.registry import words_of

MOST = 50
STATES: dict[str, Status] = {
    Request.State.OPEN: Status.WAITING,
    Request.State.APPROVED: Status.SUCCEEDED,
    Request.State.REJECTED: Status.DENIED,
    Request.State.WITHDRAWN: Status.CANCELLED,
    Request.State.EXPIRED: Status.CANCELLED,
}
DEEDS: dict[str, Callable[..., Request]] = {"approve": services.approve, "reject": services.reject}


@dataclass(frozen=True)
class Asked:
    """A request in words."""

    row: Request

    @property
    def title(self) -> str:
        return words_of(self.row)

    @property
    def place(self) -> str:
        return place_name(self.row.tenant, self.row.project)

    @property
    def status(self) -> Status:
        return STATES.get(self.row.state, Status.UNKNOWN)

    @property
    def state_word(self) -> str:
        return str(Request.State(self.row.state).label)


@login_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    actor = _actor(request)
    needs = selectors.needs(actor)
    own = selectors.own(actor).order_by("-created_at")[:MOST]
    decided = selectors.decided_by(actor).order_by("-decided_at")[:10]
    context = {
        "waiting": [Asked(row) for row in needs.requests],
        "own": [Asked(row) for row in own],
        "decided": [Asked(row) for row in decided],
        "ending": [_ending(grant) for grant in needs.ending],
        "reviews": needs.reviews,
    }
    part = "_needs" if request.headers.get("HX-Request") == "true" else "page"
    return render(request, f"tenants/requests/{part}.html", context)


@login_required
@require_safe
def count(request: HttpRequest) -> HttpResponse:
    """The part of every page that says how much needs its reader; it keeps itself new."""
    return render(request, "components/frame_needs.html")


def _ending(grant: Grant) -> dict[str, Any]:
    place = place_name(grant.tenant, grant.project) or _("the platform")
    return {"grant": grant, "role": title_of(grant), "place": place}


@login_required
@require_safe
def one(request: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    actor = _actor(request)
    row = selectors.one(actor, request_id)
    context = {
        "asked": Asked(row),
        "may_decide": selectors.decidable(actor).filter(pk=row.pk).exists(),
        "may_withdraw": row.asked_by_id == actor.id and row.state == Request.State.OPEN and row.kind != "review",
    }
    return render(request, "tenants/requests/one.html", context)


@login_required
@require_POST
def decide(request: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    """Field `deed`: approve or reject; `reason`: the decider's words."""
    actor, deed = _actor(request), DEEDS.get(request.POST.get("deed", ""))
    row = selectors.one(actor, request_id)
    if deed is None:
        raise BadRequest()
    done = deed(actor, row, reason=request.POST.get("reason", "")[:500])
    said = (
        _("Approved. %(person)s is told.")
        if done.state == Request.State.APPROVED
        else _("Rejected. %(person)s is told.")
    )
    messages.success(request, said % {"person": done.asked_by.get_username()})
    return redirect("requests")


@login_required
@require_POST
def withdraw(request: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    actor = _actor(request)
    services.withdraw(actor, selectors.one(actor, request_id))
    messages.success(request, _("You took the request back."))
    return redirect("requests")


def _actor(request: HttpRequest) -> Actor:
    return cast(Actor, request.actor)  # type: ignore[attr-defined]  # set by our middleware
