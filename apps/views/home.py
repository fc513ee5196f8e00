"""The first page after signing in."""

from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.selectors.home import Home, Need, ProjectLine, home_of
from apps.selectors.image_choice import image_choices
from apps.views.answers import shown
from apps.views.found import actor_of
from core import access
from core.access import Actor, visible
from core.status import Kind, Status
from tenants import recent
from tenants.custom.resolving import title_of
from tenants.models import Grant, Project, Tenant, User
from tenants.requests.registry import words_of

MOST_IMAGES = 4
DEPLOYERS = ("app.deploy", "app.test", "app.release")


@login_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    actor, user = actor_of(request), cast(User, request.user)
    found = home_of(actor, last=recent.projects(user))
    may_start = [line for line in found.projects if any(access.may(actor, code, line.project) for code in DEPLOYERS)]
    context = {"home": found, "person": user.shown_name, "operates": access.may(actor, "cluster.view")}
    context["new_in"] = next(iter(visible(actor, Tenant.objects.order_by("name"), "project.create")[:1]), None)
    return shown(request, "home/page", context | _lines(found) | _start(actor, found, may_start), part="home/_home")


def _lines(found: Home) -> dict[str, Any]:
    return {
        "needs": [_need(need) for need in found.needs],
        "asked": [{"row": row, "title": words_of(row)} for row in found.asked],
        "ending": [_ending(grant) for grant in found.ending],
        "projects": [_project(line) for line in found.projects],
    }


def _names(line: ProjectLine) -> dict[str, str]:
    return {"tenant": line.project.tenant.name, "project": line.project.name}


def _project(line: ProjectLine) -> dict[str, Any]:
    closed = line.project.state != Project.State.ACTIVE
    status = Status.of(line.project.state) if closed else None
    return {"line": line, "url": reverse("project", kwargs=_names(line)), "status": status}


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


def _ending(grant: Grant) -> dict[str, Any]:
    """A role that ends soon; its project is a click away as long as it lasts."""
    names = {"tenant": grant.tenant.name, "project": grant.project.name} if grant.tenant and grant.project else None
    return {
        "grant": grant,
        "role": title_of(grant),
        "place": str(grant.project or grant.tenant or _("the platform")),
        "url": reverse("project", kwargs=names) if names else "",
    }


def _start(actor: Actor, found: Home, may_start: list[ProjectLine]) -> dict[str, Any]:
    """Where somebody deploys: with images to choose from where nothing is deployed yet; empty where they may not."""
    if not may_start:
        return {}
    project, url = may_start[0].project, reverse("deploy", kwargs=_names(may_start[0]))
    if found.deployed:
        return {"deploy_url": url}
    images = image_choices(actor, project, search="", chosen="").shown[:MOST_IMAGES]
    return {
        "start_url": url,
        "images": [{"image": one, "url": f"{url}?{urlencode({'image': one.reference})}"} for one in images],
    }
