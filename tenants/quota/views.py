"""Pages: a tenant's limits, use and loans; asking for more, lending, setting limits; and all tenants for operators."""

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core import access
from core.access import Actor, get_visible, may
from core.errors import PortalError
from tenants.models import Project, Tenant
from tenants.profile.views import who
from tenants.quota import asking, selectors, services
from tenants.quota.forms import AskForm, LendForm, LimitsForm, add_problems
from tenants.quota.resources import Resource, typed
from tenants.requests.services import ask

COLUMNS = (Resource.CPU, Resource.MEMORY, Resource.STORAGE)
form_page = require_http_methods(["GET", "HEAD", "POST"])


@login_required
@require_safe
def page(request: HttpRequest, tenant: str) -> HttpResponse:
    return _page(request, *_here(request, tenant))


def _here(request: HttpRequest, tenant: str) -> tuple[Actor, Tenant, list[Project]]:
    actor, _user = who(request)
    home = get_visible(actor, Tenant.objects.all(), name=tenant)
    return actor, home, selectors.projects(actor, home)


def _page(
    request: HttpRequest,
    actor: Actor,
    home: Tenant,
    found: list[Project],
    *,
    asked: AskForm | None = None,
    lent: LendForm | None = None,
    status: int = 200,
) -> HttpResponse:
    whole = selectors.of_tenant(home) if selectors.may_see_tenant(actor, home) else None
    places = selectors.of_projects(home, found)
    manages = may(actor, "quota.manage", home)
    context = {
        "tenant": home,
        "whole": whole,
        "places": [_place(one) for one in places],
        "shortest": next(((one, one.shortest) for one in [*places, *([whole] if whole else [])] if one.shortest), None),
        "loans": selectors.loans(actor, home, found),
        "asked": asked or _ask_form(request, actor, home, found),
        "lent": (lent or LendForm(projects=found)) if manages and len(found) > 1 else None,
        "manages": manages,
        "sets_tenant": may(actor, "quota.tenant", home),
    }
    return render(request, "tenants/quota/page.html", context, status=status)


def _place(one: selectors.Place) -> dict[str, Any]:
    return {
        "place": one,
        "bars": [one.lines[name] for name in COLUMNS],
        "numbers": [one.lines[Resource.INSTANCES], one.lines[Resource.ROUTES]],
    }


def _ask_form(request: HttpRequest, actor: Actor, home: Tenant, found: list[Project], data: Any = None) -> AskForm:
    """Filled in as far as the address says what is missing: ?project=shop&resource=cpu&limit=4000."""
    given = {name: request.GET.get(name, "") for name in ("project", "resource")}
    limit = request.GET.get("limit", "")
    if given["resource"] in Resource.values and limit.isascii() and limit.isdigit() and len(limit) < 17:
        given["limit"] = str(typed(given["resource"], int(limit)))
    tenant = home.name if selectors.may_see_tenant(actor, home) else ""
    return AskForm(data, projects=found, tenant=tenant, initial=given)


@login_required
@require_POST
def ask_for_more(request: HttpRequest, tenant: str) -> HttpResponse:
    actor, home, found = _here(request, tenant)
    form = _ask_form(request, actor, home, found, request.POST)
    if form.is_valid() and _asked(actor, home, form):
        messages.success(request, _("Asked. You are told when it is decided."))
        return redirect("quota", tenant=tenant)
    return _page(request, actor, home, found, asked=form, status=422)


def _asked(actor: Actor, home: Tenant, form: AskForm) -> bool:
    """False where it was refused, which the form then says."""
    name = form.cleaned_data["project"]
    try:
        target = selectors.project_named(actor, home, name, at="project") if name else home
        kind = asking.kind_for(target)
        ask(actor, target, kind=kind, payload=form.payload(), reason=form.cleaned_data["reason"])
    except PortalError as error:
        add_problems(form, error.errors, str(error.message))
        return False
    return True


@login_required
@require_POST
def lend(request: HttpRequest, tenant: str) -> HttpResponse:
    actor, home, found = _here(request, tenant)
    access.check(actor, "quota.manage", home)
    form = LendForm(request.POST, projects=found)
    if form.is_valid() and _lent(actor, home, form):
        messages.success(request, _("Lent. It goes back by itself."))
        return redirect("quota", tenant=tenant)
    return _page(request, actor, home, found, lent=form, status=422)


def _lent(actor: Actor, home: Tenant, form: LendForm) -> bool:
    asked = form.cleaned_data
    try:
        lender = selectors.project_named(actor, home, asked["lender"], at="lender")
        borrower = selectors.project_named(actor, home, asked["borrower"], at="borrower")
        services.lend(actor, lender, borrower=borrower, **form.loan())
    except PortalError as error:
        add_problems(form, error.errors, str(error.message))
        return False
    return True


@login_required
@require_POST
def give_back(request: HttpRequest, tenant: str, loan: uuid.UUID) -> HttpResponse:
    actor, home, _found = _here(request, tenant)
    row = services.return_loan(actor, selectors.loan(actor, home, loan))
    messages.success(request, _("It is back in %(project)s.") % {"project": row.lender.name})
    return redirect("quota", tenant=tenant)


@login_required
@form_page
def limits(request: HttpRequest, tenant: str) -> HttpResponse:
    """?project= names whose; without it the tenant's own."""
    actor, home, _found = _here(request, tenant)
    name = request.GET.get("project", "")
    project = selectors.project(actor, home, name) if name else None
    access.check(actor, "quota.manage" if project else "quota.tenant", project or home)
    place = selectors.of_project(project) if project else selectors.of_tenant(home)
    kept = {key: line.row.limit for key, line in place.lines.items()}
    form = LimitsForm(request.POST if request.method == "POST" else None, limits=kept, version=place.version)
    if form.is_bound and form.is_valid() and _limited(actor, project or home, form):
        messages.success(request, _("The limits of %(place)s are set.") % {"place": place.name})
        return redirect("quota", tenant=tenant)
    context = {
        "tenant": home,
        "place": place,
        "fields": [{"bound": form[key], "line": place.lines[key], "unit": _unit(key)} for key in kept],
        "form": form,
        "back": reverse("quota", kwargs={"tenant": tenant}),
    }
    return render(request, "tenants/quota/limits.html", context, status=422 if form.is_bound else 200)


def _unit(resource: str) -> str:
    units = {Resource.CPU: _("cores"), Resource.MEMORY: "GB", Resource.STORAGE: "GB"}
    return str(units.get(Resource(resource), ""))


def _limited(actor: Actor, target: Tenant | Project, form: LimitsForm) -> bool:
    version = form.cleaned_data["version"]
    try:
        if isinstance(target, Project):
            services.limit_project(actor, target, limits=form.limits(), version=version)
        else:
            services.limit_tenant(actor, target, limits=form.limits(), version=version)
    except PortalError as error:
        add_problems(form, error.errors, str(error.message))
        return False
    return True


@login_required
@require_safe
def tenants(request: HttpRequest) -> HttpResponse:
    """Every tenant with its use against its limits."""
    actor, _user = who(request)
    access.check(actor, "quota.tenant")
    context = {"places": [_place(one) for one in selectors.of_tenants(actor)]}
    return render(request, "tenants/quota/tenants.html", context)
