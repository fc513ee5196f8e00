"""The notices of the person who looks: all of them, those behind the bell, and marking them as read."""

import uuid
from dataclasses import dataclass
from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from core.access import Actor
from core.errors import BadRequest
from core.status import Status
from tenants import notices
from tenants.models import Notice

ROWS = 50
BEHIND_THE_BELL = 6
LEVELS: dict[str, Status] = {
    Notice.Level.OK: Status.SUCCEEDED,
    Notice.Level.WARN: Status.NEEDS_ATTENTION,
    Notice.Level.BAD: Status.FAILED,
}


@dataclass(frozen=True)
class Line:
    """A notice in words."""

    notice: Notice
    title: str
    detail: str

    @property
    def status(self) -> Status:
        return LEVELS.get(self.notice.level, Status.UNKNOWN)

    @property
    def place(self) -> str:
        return notices.place_name(self.notice.tenant, self.notice.project)


def lines(rows: list[Notice]) -> list[Line]:
    return [Line(row, notices.title_of(row), notices.detail_of(row)) for row in rows]


def behind_the_bell(actor: Actor) -> list[Line]:
    return lines(list(notices.notices_of(actor).order_by("-id")[:BEHIND_THE_BELL])) if actor.id else []


@login_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    actor, which = _actor(request), request.GET.get("show", "")
    rows = notices.narrowed(notices.notices_of(actor), which=which, before=_id(request.GET.get("before", "")))
    found = list(rows.order_by("-id")[: ROWS + 1])
    older = urlencode({"show": which, "before": str(found[ROWS - 1].pk)}) if len(found) > ROWS else ""
    context = {"lines": lines(found[:ROWS]), "which": which, "ways": _ways(which), "older": older}
    part = request.headers.get("HX-Request") == "true"
    return render(request, f"tenants/{'_notices' if part else 'notices'}.html", context)


def _ways(which: str) -> list[dict[str, Any]]:
    named = (("", _("All")), ("unread", _("New")), ("trouble", _("Trouble")))
    return [
        {"label": label, "url": f"{reverse('notices')}?{urlencode({'show': name})}", "current": name == which}
        for name, label in named
    ]


@login_required
@require_safe
def bell(request: HttpRequest) -> HttpResponse:
    """The part of every page that the bell is; it keeps itself new."""
    return render(request, "components/frame_bell.html")


@login_required
@require_POST
def read(request: HttpRequest) -> HttpResponse:
    """Mark the notices that the field `notice` names as read; all of them without it."""
    asked = [_id(text) for text in request.POST.getlist("notice")]
    if None in asked:
        raise BadRequest()
    notices.read(_actor(request), ids=[one for one in asked if one] or None)
    return HttpResponseRedirect(reverse("notices"))


def _actor(request: HttpRequest) -> Actor:
    return cast(Actor, request.actor)  # type: ignore[attr-defined]  # set by our middleware


def _id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
