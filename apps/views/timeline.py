"""The timeline of an app, and how one of its instances ended."""

import uuid
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.models import InstanceEnd
from apps.selectors import timeline as selector
from apps.selectors.ends import end_shown
from apps.views.answers import shown
from apps.views.app_frame import AppFrame, app_frame
from core.access import get_visible


@login_required
@require_safe
def timeline(request: HttpRequest, **names: str) -> HttpResponse:
    frame = app_frame(request, "timeline", **names)
    return shown(request, "app/timeline", frame.context(**timeline_context(request, frame)), part="app/_timeline")


@login_required
@require_safe
def end(request: HttpRequest, end: uuid.UUID, **names: str) -> HttpResponse:
    """A sheet over the timeline: why an instance ended, with its last lines."""
    frame = app_frame(request, "timeline", **names)
    row = get_visible(frame.actor, InstanceEnd.objects.select_related("deployment"), place=frame.place, pk=end)
    more = {"end": end_shown(row), "back": frame.address("timeline"), "logs_url": frame.address("logs")}
    return render(request, "apps/app/end.html", frame.context(**timeline_context(request, frame), **more))


def timeline_context(request: HttpRequest, frame: AppFrame) -> dict[str, Any]:
    show, cursor = request.GET.get("show", ""), request.GET.get("cursor", "")
    found = selector.timeline(frame.actor, frame.place, show=show, cursor=cursor)
    named = [("", _("All")), *selector.shows()]
    return {
        "days": [Told(frame).day(day) for day in found.days],
        "next": found.next,
        "newest": "newest" if cursor else "",
        "fragment": _fragment(frame, show, cursor),
        "shown": show,
        "ways": [_way(frame, name, label, current=name == show) for name, label in named],
    }


def _way(frame: AppFrame, name: str, label: str, *, current: bool) -> dict[str, Any]:
    return {"label": label, "url": frame.address("timeline", show=name), "current": current}


def _fragment(frame: AppFrame, show: str, cursor: str) -> str:
    asked = {"environment": frame.place.environment.name, "show": show, "cursor": cursor}
    return (
        f"{reverse('timeline', kwargs=frame.names)}?{urlencode({name: text for name, text in asked.items() if text})}"
    )


class Told:
    """Entries with the addresses they lead to."""

    def __init__(self, frame: AppFrame) -> None:
        self.frame = frame

    def day(self, day: selector.Day) -> dict[str, Any]:
        return {"title": day.title, "entries": [self.entry(one) for one in day.entries]}

    def entry(self, entry: selector.Entry) -> dict[str, Any]:
        url = reverse("deployment", kwargs=self.frame.names | {"number": entry.deployment}) if entry.deployment else ""
        end = ""
        if entry.end and self.frame.reads_logs:
            environment = urlencode({"environment": self.frame.place.environment.name})
            end = f"{reverse('instance_end', kwargs=self.frame.names | {'end': entry.end})}?{environment}"
        return {"entry": entry, "url": url, "end": end}
