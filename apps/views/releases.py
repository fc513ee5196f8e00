"""Releases of an app: the list, two of them compared, one of them whole, and going back to one."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps import services
from apps.models import Release
from apps.selectors import releases as selector
from apps.specification import stored
from apps.views.app_frame import AppFrame, app_frame, deployment_address
from core.access import get_visible
from operations.models import Operation


@login_required
@require_safe
def page(request: HttpRequest, **names: str) -> HttpResponse:
    frame = app_frame(request, "releases", **names)
    lines, found = selector.releases_page(frame.app, frame.places, cursor=request.GET.get("cursor", ""))
    rows = [{"line": line, **_way_back(frame, line)} for line in lines]
    pair = _pair(frame, request.GET.getlist("compare"))
    more = {"rows": rows, "found": found, "pair": pair, "chosen": request.GET.getlist("compare")}
    return render(request, "apps/releases/list.html", frame.context(**more))


@login_required
@require_safe
def one(request: HttpRequest, number: int, **names: str) -> HttpResponse:
    frame = app_frame(request, "releases", **names)
    row = release_of(frame, number)
    line = selector.line_of(row, frame.places)
    more = {"line": line, "yaml": stored(row.specification).to_yaml(), "images": selector.image_lines(row)}
    more["export_url"] = frame.release_address("release_export", row.number)
    more["given_url"] = frame.release_address("release_given", row.number)
    return render(request, "apps/releases/one.html", frame.context(**more, **_way_back(frame, line)))


@login_required
@require_POST
def serve(request: HttpRequest, number: int, **names: str) -> HttpResponse:
    """Serve a release again that served before, or put a newer one here."""
    frame = app_frame(request, "releases", **names)
    row = release_of(frame, number)
    return HttpResponseRedirect(deployment_address(frame.names, _put(frame, row)))


def _put(frame: AppFrame, row: Release) -> Operation:
    current = frame.place.release
    if current is not None and row.number < current.number:
        return services.rollback(frame.actor, frame.place, release=row)
    return services.deploy(frame.actor, frame.place, release=row)


def release_of(frame: AppFrame, number: int) -> Release:
    """Raises NotFound."""
    rows = Release.objects.select_related("app").prefetch_related("images")
    return get_visible(frame.actor, rows, app=frame.app, number=number)


def _pair(frame: AppFrame, asked: list[str]) -> selector.Comparison | None:
    """The two releases that ?compare= names twice; None for anything else."""
    numbers = sorted({int(text) for text in asked if text.isascii() and text.isdigit() and len(text) < 9})
    if len(numbers) != 2:
        return None
    return selector.compare(release_of(frame, numbers[0]), release_of(frame, numbers[1]))


def _way_back(frame: AppFrame, line: selector.ReleaseLine) -> dict[str, Any]:
    """The button that puts a release here: its words, its address, and why it is disabled."""
    number, environment = line.release.number, frame.place.environment
    current = frame.place.release
    back = current is not None and number < current.number
    words = _("Roll back to %(number)s") if back else _("Deploy %(number)s")
    whole = _("Roll back %(environment)s to %(number)s") if back else _("Deploy %(number)s to %(environment)s")
    said = {"number": number, "environment": environment.name}
    query = urlencode({"environment": environment.name})
    return {
        "back": back,
        "put_label": words % said,
        "put_whole": whole % said,
        "put_url": f"{reverse('release_serve', kwargs=frame.names | {'number': number})}?{query}",
        "put_id": f"put-{number}",
        "serves_here": current is not None and number == current.number,
        "why_not": frame.why_not_deploy,
    }
