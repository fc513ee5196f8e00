"""The first page after signing in."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from apps.selectors.home import Home, Need, ProjectLine, home_of
from apps.views.answers import shown
from apps.views.found import actor_of
from core import access
from core.status import Kind, Status

DEPLOYERS = ("app.deploy", "app.test", "app.release")


@login_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    found = home_of(actor)
    may_start = [line for line in found.projects if any(access.may(actor, code, line.project) for code in DEPLOYERS)]
    context = {
        "home": found,
        "person": actor.name,
        "needs": [_need(need) for need in found.needs],
        "projects": [_project(line) for line in found.projects],
        "start_url": _start(found, may_start),
        "operates": access.may(actor, "cluster.view"),
    }
    return shown(request, "home/page", context, part="home/_home")


def _names(line: ProjectLine) -> dict[str, str]:
    return {"tenant": line.project.tenant.name, "project": line.project.name}


def _project(line: ProjectLine) -> dict[str, Any]:
    return {"line": line, "url": reverse("project", kwargs=_names(line))}


def _need(need: Need) -> dict[str, Any]:
    place = need.place
    names = {"tenant": place.project.tenant.name, "project": place.project.name, "app": place.app.name}
    query = urlencode({"environment": place.environment.name})
    recovered = bool(need.state.trouble) and need.state.status is Status.RUNNING
    return {
        "need": need,
        "recovered": recovered,
        "kind": Kind.WARN.value if recovered else need.state.status.glyph,
        "url": f"{reverse('app', kwargs=names)}?{query}",
    }


def _start(found: Home, may_start: list[ProjectLine]) -> str:
    """Where somebody who has nothing deployed yet begins; empty where they may not, or have begun."""
    if found.deployed or not may_start:
        return ""
    return reverse("deploy", kwargs=_names(may_start[0]))
