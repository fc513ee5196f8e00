"""The pages that ask: for a role in a project for hours or for good, and to join a tenant one cannot see yet."""

import uuid
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from core import access
from core.access import Actor
from core.errors import Conflict, FieldProblem, PortalError
from tenants import selectors as places
from tenants.breakglass.services import break_glass
from tenants.custom.resolving import roles_at
from tenants.models import Project
from tenants.requests import selectors, services
from tenants.roles import PERMISSIONS

form_page = require_http_methods(["GET", "HEAD", "POST"])
HOURS = [
    ("1", gettext_lazy("1 hour")),
    ("2", gettext_lazy("2 hours")),
    ("4", gettext_lazy("4 hours")),
    ("8", gettext_lazy("8 hours")),
    ("24", gettext_lazy("1 day")),
    ("168", gettext_lazy("1 week")),
    ("", gettext_lazy("no end")),
]


def roles_with(permission: str, tenant: uuid.UUID) -> list[tuple[str, Any]]:
    """Roles of a project that hold a permission, the one with the least besides first; all of them without one."""
    fitting = roles_at(tenant, level="project")
    if permission in PERMISSIONS:
        fitting = [role for role in fitting if permission in role.permissions] or fitting
    return [(role.key, role.title) for role in sorted(fitting, key=lambda role: len(role.permissions))]


class AskForm(forms.Form):
    role = forms.ChoiceField(label=gettext_lazy("Role"))
    hours = forms.ChoiceField(label=gettext_lazy("For"), choices=HOURS, required=False, initial="2")
    reason = forms.CharField(
        label=gettext_lazy("Why"), max_length=500, required=False,
        help_text=gettext_lazy("Whoever decides reads it, such as the number of a ticket. Kept in the audit."),
    )  # fmt: skip

    def __init__(self, data: Any = None, *, tenant: uuid.UUID, permission: str = "") -> None:
        super().__init__(data)
        self.fields["role"].choices = roles_with(permission, tenant)  # type: ignore[attr-defined]  # a ChoiceField

    @property
    def asked(self) -> dict[str, Any]:
        """Kind and payload: access for hours, or to join for good."""
        role, hours = self.cleaned_data["role"], self.cleaned_data["hours"]
        if hours:
            return {"kind": "access", "payload": {"role": role, "hours": int(hours)}}
        return {"kind": "join", "payload": {"role": role}}


@login_required
@form_page
def ask(request: HttpRequest, tenant: str, project: str) -> HttpResponse:
    """Ask for a role in a project. ?permission= chooses the smallest role that holds it."""
    actor = _actor(request)
    row = places.project(actor, tenant, project)
    permission = request.GET.get("permission", "")
    form = AskForm(request.POST if request.method == "POST" else None, tenant=row.tenant_id, permission=permission)
    take = request.POST.get("deed") == "take"
    if form.is_bound and form.is_valid() and _done(actor, row, form, take=take):
        messages.success(request, _took() if take else _waits())
        return redirect("requests")
    context = {"form": form, "project": row, "tenant": row.tenant, "lets": PERMISSIONS.get(permission, "")}
    context["owns"] = access.may(actor, "tenant.manage", row.tenant) and access.may(actor, "audit.view", row.tenant)
    return render(request, "tenants/requests/ask.html", context, status=422 if form.is_bound else 200)


def _waits() -> str:
    return _("You asked. Whoever may decide it is told, and you are told the answer.")


def _took() -> str:
    return _("The role is yours now. Owners and auditors are told, and one of them looks at it.")


def _done(actor: Actor, target: Project, form: AskForm, *, take: bool) -> bool:
    """Whether it could be asked, or taken at once; else the form says why not."""
    asked, reason = form.cleaned_data, form.cleaned_data["reason"]
    try:
        if take:
            break_glass(actor, target, role=asked["role"], hours=int(asked["hours"] or 0), reason=reason)
        else:
            services.ask(actor, target, reason=reason, **form.asked)
    except PortalError as error:
        for problem in error.errors or [FieldProblem("", error.code, f"{error.message} {error.hint}")]:
            form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
        return False
    return True


class JoinForm(forms.Form):
    tenant = forms.SlugField(label=gettext_lazy("Tenant"), max_length=40, help_text=gettext_lazy("Its short name."))
    reason = forms.CharField(
        label=gettext_lazy("Why"), max_length=500, required=False,
        help_text=gettext_lazy("Its owners read it, so say who you are."),
    )  # fmt: skip


@login_required
@form_page
def join(request: HttpRequest) -> HttpResponse:
    """Ask to join a tenant by its name. The answer is the same whether there is one or not."""
    form = JoinForm(request.POST if request.method == "POST" else None)
    if not form.is_bound or not form.is_valid():
        return render(request, "tenants/requests/join.html", {"form": form}, status=422 if form.is_bound else 200)
    home = selectors.tenant_to_join(form.cleaned_data["tenant"])
    if home is not None:
        try:
            payload = {"role": "tenant.member"}
            services.ask(_actor(request), home, kind="join", payload=payload, reason=form.cleaned_data["reason"])
        except Conflict as error:  # asked or joined already: the page does not tell either from a name of nobody
            request.META["berth.join"] = error.code
    messages.success(request, _("If there is a tenant of that name, its owners and admins are asked."))
    return redirect("home")


def _actor(request: HttpRequest) -> Actor:
    return cast(Actor, request.actor)  # type: ignore[attr-defined]  # set by our middleware
