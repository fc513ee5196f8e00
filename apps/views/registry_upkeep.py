"""The registry as operators see it: tidying it up, and what came of it before."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.selectors.history import deed_of
from apps.selectors.reasons import failure_sentence
from apps.selectors.state import operation_status
from apps.views.answers import shown
from apps.views.found import actor_of
from core import access
from core.access import Actor
from core.errors import NotFound
from images.keeping import selectors, services
from images.registry import names
from operations.models import Operation
from operations.selectors import told
from operations.services import cancel as cancel_operation

NEEDS = "cluster.manage"
MOST_EVENTS = 8


@login_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    access.check(actor, "cluster.view")
    return shown(request, "registry/page", _context(actor), part="registry/_registry")


def _context(actor: Actor) -> dict[str, Any]:
    now = selectors.collecting()
    before = selectors.collections(actor).exclude(state__in=Operation.ACTIVE).order_by("-id")
    missing = _("This needs “%(permission)s” on the platform.") % {"permission": NEEDS}
    return {
        "address": names.address(),
        "ours": bool(settings.REGISTRY["url"]),
        "gate_is_missing": selectors.gate_is_missing(),
        "now": _now(now) if now else None,
        "before": [_done(one) for one in before[: selectors.MOST_BEFORE]],
        "why_not": "" if access.may(actor, NEEDS) else missing,
    }


def _now(operation: Operation) -> dict[str, Any]:
    events = list(operation.events.order_by("-seq")[:MOST_EVENTS])
    said = [(event, (told({"code": event.code, "params": event.params}) or {}).get("message", "")) for event in events]
    return {
        "title": deed_of(operation),
        "status": operation_status(operation),
        "said": said[0][1] if said else "",
        "events": [{"at": event.at, "kind": event.level, "text": text} for event, text in said],
        "cancelled": operation.cancel_requested or operation.failure is not None,
    }


def _done(operation: Operation) -> dict[str, Any]:
    """How it ended, with how much room it made."""
    status = operation_status(operation)
    report = operation.events.filter(code="registry_collected").first()
    words = told({"code": report.code, "params": report.params}) if report else None
    reason = (words or {}).get("message", "") or failure_sentence(operation.failure).sentence
    return {
        "at": operation.created_at,
        "kind": status.glyph,
        "text": f"{deed_of(operation)}: {status.word}",
        "detail": f"{operation.requested_by_name}. {reason}".strip(),
    }


@login_required
@require_POST
def collect(request: HttpRequest) -> HttpResponse:
    services.collect(actor_of(request), None)
    messages.success(request, _("It has begun; nobody needs to wait for it here."))
    return redirect("registry_upkeep")


@login_required
@require_POST
def cancel(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    access.check(actor, "cluster.view")
    operation = selectors.collecting()
    if operation is None:
        raise NotFound()
    cancel_operation(actor, operation)
    messages.success(request, _("It is being called off; pushes are let in again."))
    return redirect("registry_upkeep")
