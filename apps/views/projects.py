"""The projects of a tenant, a new one, and the general settings of one."""

from collections.abc import Callable
from typing import Any, TypeVar

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.environments.services import delete_environment, update_environment
from apps.lifecycle.selectors import restorable
from apps.models import Environment
from apps.projects import make_project
from apps.selectors import listing
from apps.services import create_environment
from apps.views.app import TitleForm
from apps.views.app_frame import why_not
from apps.views.found import actor_of, tenant_of
from apps.views.project_frame import NewEnvironmentForm, NewProjectForm, ProjectFrame, project_frame
from audit.commands import check_before
from core.access import visible
from core.errors import PortalError
from core.status import Status
from tenants.models import Project
from tenants.services import create_project, update_project

form_page = require_http_methods(["GET", "HEAD", "POST"])
Made = TypeVar("Made")
MOST_PROJECTS = 500
MOST_ENVIRONMENTS = 100


@login_required
@require_safe
def page(request: HttpRequest, tenant: str) -> HttpResponse:
    """All projects of a tenant with their state, and those that can be brought back."""
    actor, home = actor_of(request), tenant_of(request, tenant)
    rows = visible(actor, Project.objects.filter(tenant=home, deleted_at__isnull=True)).order_by("name")
    context = {
        "tenant": home,
        "projects": [{"project": row, "status": Status.of(row.state)} for row in rows[:MOST_PROJECTS]],
        "deleted": restorable(actor, home),
        "why_not_new": why_not(actor, ("project.create",), home),
    }
    return render(request, "apps/projects/page.html", context)


@login_required
@require_safe
def of_tenant(request: HttpRequest, tenant: str) -> HttpResponse:
    """The address that is left when somebody shortens another: the tenant's projects."""
    return redirect("projects", tenant=tenant_of(request, tenant).name)


@login_required
@form_page
def new(request: HttpRequest, tenant: str) -> HttpResponse:
    actor, home = actor_of(request), tenant_of(request, tenant)
    check_before(create_project, actor, home)
    form = NewProjectForm(request.POST or None, clusters=listing.clusters_for(home))
    if form.is_valid():
        try:
            asked = {"name": form.cleaned_data["name"], "title": form.cleaned_data["title"]}
            made = make_project(actor, home, **asked, stages=form.stages)
        except PortalError as error:
            told(form, error, "name")
        else:
            messages.success(request, _("The project %(name)s is made.") % {"name": made.name})
            return redirect("project", tenant=home.name, project=made.name)
    return render(request, "apps/projects/new.html", {"tenant": home, "form": form}, status=422 if form.errors else 200)


def told(form: forms.Form, error: PortalError, field: str) -> None:
    """A refusal beside the field it is about."""
    for problem in error.errors:
        text = f"{problem.message} {problem.hint}".strip()
        form.add_error(problem.field if problem.field in form.fields else field, text)
    if not error.errors:
        form.add_error(field, f"{error.message} {error.hint}".strip())


def sent(form: forms.Form, field: str, command: Callable[..., Made]) -> Made | None:
    """What the command made of a form that is well. None where the form now says what needs another look."""
    if not form.is_valid():
        return None
    try:
        return command(**form.cleaned_data)
    except PortalError as error:
        told(form, error, field)
        return None


@login_required
@form_page
def settings(request: HttpRequest, **names: str) -> HttpResponse:
    frame = project_frame(request, "project_settings", **names)
    form = TitleForm(request.POST if request.method == "POST" else None, initial={"title": frame.project.title})
    if form.is_bound and form.is_valid():
        update_project(frame.actor, frame.project, title=form.cleaned_data["title"])
        messages.success(request, _("The title is saved."))
        return HttpResponseRedirect(frame.address("project_settings"))
    return render(request, "apps/projects/settings.html", _settings(frame, title_form=form))


def _settings(frame: ProjectFrame, **more: Any) -> dict[str, Any]:
    rows = visible(frame.actor, Environment.objects.filter(project=frame.project))
    clusters = listing.clusters_for(frame.project)
    context = {
        "environments": list(rows.select_related("cluster").order_by("position")[:MOST_ENVIRONMENTS]),
        "new_form": NewEnvironmentForm(clusters=clusters),
        "title_form": TitleForm(initial={"title": frame.project.title}),
        "why_not": why_not(frame.actor, ("project.manage",), frame.project),
    }
    return frame.context(**context | more)


@login_required
@require_POST
def add_environment(request: HttpRequest, **names: str) -> HttpResponse:
    frame = project_frame(request, "project_settings", **names)
    check_before(create_environment, frame.actor, frame.project)
    form = NewEnvironmentForm(request.POST, clusters=listing.clusters_for(frame.project))
    if form.is_valid():
        try:
            made = create_environment(frame.actor, frame.project, **form.asked)
        except PortalError as error:
            told(form, error, "name")
        else:
            messages.success(request, _("The environment %(name)s is made.") % {"name": made.name})
            return HttpResponseRedirect(frame.address("project_settings"))
    return render(request, "apps/projects/settings.html", _settings(frame, new_form=form), status=422)


@login_required
@require_POST
def protect(request: HttpRequest, environment: str, **names: str) -> HttpResponse:
    """Protect an environment, or take its protection away (`on`: 1 or 0)."""
    frame = project_frame(request, "project_settings", **names)
    row = listing.environment(frame.actor, frame.project, environment)
    update_environment(frame.actor, row, protected=request.POST.get("on") == "1")
    messages.success(request, _("The environment %(name)s is changed.") % {"name": row.name})
    return HttpResponseRedirect(frame.address("project_settings"))


@login_required
@require_POST
def remove_environment(request: HttpRequest, environment: str, **names: str) -> HttpResponse:
    frame = project_frame(request, "project_settings", **names)
    row = listing.environment(frame.actor, frame.project, environment)
    delete_environment(frame.actor, row)
    messages.success(request, _("The environment %(name)s is removed.") % {"name": row.name})
    return HttpResponseRedirect(frame.address("project_settings"))
