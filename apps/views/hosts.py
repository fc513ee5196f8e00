"""One host: how it is, whose instances are there, and taking it out and in again."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.hosts import selectors, services
from apps.hosts.work import NEEDS
from apps.selectors.cluster_places import places_there
from apps.selectors.history import deed_of
from apps.selectors.state import operation_status
from apps.views.answers import shown
from apps.views.app_frame import why_not
from apps.views.done import told_done
from apps.views.found import actor_of
from backends.models import Host
from core import access
from core.access import Actor
from core.errors import NotFound
from operations.models import Operation
from operations.selectors import told
from operations.services import cancel as cancel_operation

DEEDS: dict[str, Callable[..., Operation]] = {
    "cordon": services.cordon,
    "uncordon": services.uncordon,
    "drain": services.drain,
}
LONGEST_REASON = 500
MOST_EVENTS = 8


@login_required
@require_safe
def page(request: HttpRequest, cluster: str, host: UUID) -> HttpResponse:
    actor = actor_of(request)
    access.check(actor, "cluster.view")
    row = selectors.host_of(actor, cluster, host)
    return shown(request, "hosts/page", _context(actor, row), part="hosts/_host")


def _context(actor: Actor, host: Host) -> dict[str, Any]:
    now = selectors.under_way(host)
    return {
        "line": selectors.line_of(host),
        "host": host,
        "touched": selectors.touched(host),
        "there": places_there(host.cluster, host),
        "labels": sorted(host.labels.items()),
        "now": _now(now) if now else None,
        "before": [told_done(one) for one in selectors.before(actor, host) if not one.active],
        "why_not": why_not(actor, (NEEDS,), host),
        "urls": {deed: _address(f"host_{deed}", host) for deed in (*DEEDS, "cancel")},
    }


def _address(name: str, host: Host) -> str:
    return reverse(name, kwargs={"cluster": host.cluster.name, "host": host.pk})


def _now(operation: Operation) -> dict[str, Any]:
    """What is being done: its newest words with the next step, and the words before them."""
    events = list(operation.events.order_by("-seq")[:MOST_EVENTS])
    said = [(event, told({"code": event.code, "params": event.params}) or {}) for event in events]
    newest = said[0][1] if said else {}
    return {
        "operation": operation,
        "title": deed_of(operation),
        "status": operation_status(operation),
        "said": newest.get("message", ""),
        "hint": newest.get("hint", ""),
        "events": [{"at": event.at, "kind": event.level, "text": words.get("message", "")} for event, words in said],
        "cancelled": operation.cancel_requested or operation.failure is not None,
    }


@login_required
@require_POST
def act(request: HttpRequest, deed: str, cluster: str, host: UUID) -> HttpResponse:
    """Start one of DEEDS."""
    actor = actor_of(request)
    row = selectors.host_of(actor, cluster, host)
    more: dict[str, Any] = {"reason": request.POST.get("reason", "").replace("\0", "").strip()[:LONGEST_REASON]}
    if deed == "drain":
        more["leave_volumes"] = request.POST.get("leave_volumes") == "on"
    DEEDS[deed](actor, row, **more)
    messages.success(request, _("It has begun; nobody needs to wait for it here."))
    return redirect("host", cluster=cluster, host=host)


@login_required
@require_POST
def cancel(request: HttpRequest, cluster: str, host: UUID) -> HttpResponse:
    actor = actor_of(request)
    operation = selectors.under_way(selectors.host_of(actor, cluster, host))
    if operation is None:
        raise NotFound()
    cancel_operation(actor, operation)
    messages.success(request, _("It goes back; what has moved stays where it is now."))
    return redirect("host", cluster=cluster, host=host)
