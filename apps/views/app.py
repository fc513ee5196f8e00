"""One app: how it runs now, what was done to it, its settings, and what people do with it."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from apps import services
from apps.models import AppEnvironment
from apps.needs import needs_deploy
from apps.selectors import now as selector
from apps.selectors.newer_images import newer_there
from apps.selectors.timeline import TROUBLE, timeline
from apps.specification import stored
from apps.views.answers import shown
from apps.views.app_frame import AppFrame, app_frame, deployment_address, why_not
from apps.views.app_topology import instance_ways, topology_context
from apps.views.found import actor_of, app_of
from apps.views.scaling import asked, scale_form
from apps.views.timeline import Told
from core import access
from core.access import Actor
from core.errors import FieldProblem, Invalid
from operations.models import Operation

DEEDS: dict[str, Callable[[Actor, AppEnvironment], Operation]] = {
    "restart": services.restart,
    "stop": services.stop,
    "start": services.start,
    "withdraw": services.withdraw,
}
LATEST = 6  # entries of the timeline beside the instances


class TitleForm(forms.Form):
    title = forms.CharField(
        label=gettext_lazy("Title"), max_length=100, required=False,
        help_text=gettext_lazy("Free text for people. The name in addresses stays as it is."),
    )  # fmt: skip


@login_required
@require_safe
def page(request: HttpRequest, **names: str) -> HttpResponse:
    frame = app_frame(request, "app", **names)
    return shown(request, "app/now", frame.context(**_now(frame, request)), part="app/_now")


@login_required
@require_POST
def scale(request: HttpRequest, **names: str) -> HttpResponse:
    frame = app_frame(request, "app", **names)
    return _watch(frame, services.scale(frame.actor, frame.place, **asked(frame, request.POST)))


@login_required
@require_POST
def act(request: HttpRequest, deed: str, **names: str) -> HttpResponse:
    """Restart, stop, start, or take out of the environment."""
    frame = app_frame(request, "app", **names)
    return _watch(frame, DEEDS[deed](frame.actor, frame.place))


@login_required
@require_safe
def settings(request: HttpRequest, **names: str) -> HttpResponse:
    frame = app_frame(request, "app_settings", **names)
    return render(request, "apps/app/settings.html", frame.context(**_settings(frame)))


@login_required
@require_POST
def rename(request: HttpRequest, **names: str) -> HttpResponse:
    row, form = app_of(request, **names), TitleForm(request.POST)
    if not form.is_valid():
        raise Invalid(errors=[FieldProblem("title", "too_long", str(form.errors["title"][0]))])
    services.update_app(actor_of(request), row, title=form.cleaned_data["title"])
    messages.success(request, _("The title is saved."))
    return HttpResponseRedirect(reverse("app_settings", kwargs=names))


@login_required
@require_POST
def delete(request: HttpRequest, **names: str) -> HttpResponse:
    row = app_of(request, **names)
    if request.POST.get("typed_name", "").strip() != row.name:
        text = _("Type %(name)s to delete it.") % {"name": row.name}
        raise Invalid(errors=[FieldProblem("typed_name", "not_the_name", text)])
    services.delete_app(actor_of(request), row)
    messages.success(request, _("%(app)s is deleted. Its history stays in the audit.") % {"app": row.name})
    return redirect("project", tenant=names["tenant"], project=names["project"])


def _now(frame: AppFrame, request: HttpRequest) -> dict[str, Any]:
    now = selector.now(frame.place)
    return {
        "now": now,
        "scale_form": scale_form(frame),
        "timeline_url": frame.address("timeline"),
        "trouble_url": frame.address("timeline", show=TROUBLE),
        "lines": [{"one": one, "ways": instance_ways(frame, one)} for one in now.instances],
        "newer": [{"one": one, "url": frame.image_address(one)} for one in newer_there(frame.actor, frame.place)],
        "latest": [Told(frame).day(day) for day in timeline(frame.actor, frame.place, size=LATEST).days],
        **topology_context(frame, now.topology, request.GET.get("topology", "")),
    }


def _settings(frame: AppFrame) -> dict[str, Any]:
    release = frame.place.release
    still = [place for place in frame.places if place.release_id]
    return {
        "yaml": stored(release.specification).to_yaml() if release else "",
        "given_url": frame.release_address("release_given", release.number) if release else "",
        "still": [_still(frame, place) for place in still],
        "releases": frame.app.releases.count(),
        "title_form": TitleForm(initial={"title": frame.app.title}),
        "may_rename": access.may(frame.actor, "app.deploy", frame.app),
        "why_not_rename": why_not(frame.actor, ("app.deploy",), frame.app),
        "why_not_delete": why_not(frame.actor, ("app.delete",), frame.app) or _runs_in(frame, still),
    }


def _still(frame: AppFrame, place: AppEnvironment) -> dict[str, Any]:
    """A place that has to be left before the app can be deleted; its button opens the dialog that asks."""
    query = urlencode({"environment": place.environment.name, "ask": "withdraw"})
    return {
        "place": place,
        "url": f"{reverse('app', kwargs=frame.names)}?{query}",
        "kind": "prod" if place.environment.protected else "",
        "why_not": why_not(frame.actor, needs_deploy(place), place),
    }


def _runs_in(frame: AppFrame, still: list[AppEnvironment]) -> str:
    if not still:
        return ""
    names = ", ".join(place.environment.name for place in still)
    return _("%(app)s still runs in %(places)s; take it out there first.") % {"app": frame.app.name, "places": names}


def _watch(frame: AppFrame, operation: Operation) -> HttpResponseRedirect:
    return HttpResponseRedirect(deployment_address(frame.names, operation))
