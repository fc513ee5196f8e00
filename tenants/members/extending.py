"""The page that gives a role more time."""

import uuid
from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from core.access import Actor, check
from core.errors import FieldProblem, PortalError
from tenants import selectors as places
from tenants.members.forms import ExtendForm
from tenants.members.services import extend_grant
from tenants.members.views import Chip, form_page
from tenants.models import Grant, Tenant


@login_required
@form_page
def page(request: HttpRequest, tenant: str, grant: uuid.UUID) -> HttpResponse:
    actor = cast(Actor, request.actor)  # type: ignore[attr-defined]  # set by our middleware
    home = places.tenant(actor, tenant)
    row = places.grant(actor, home, grant)
    check(actor, "member.manage", row.project or home)
    form = ExtendForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid() and _extended(actor, home, row, form):
        messages.success(request, _("%(person)s has more time.") % {"person": row.subject})
        if row.group_id:
            return redirect("group", tenant=tenant, group=row.group_id)
        if row.project:
            return redirect("project_member", tenant=tenant, project=row.project.name, person=row.user_id)
        return redirect("member", tenant=tenant, person=row.user_id)
    context = {"tenant": home, "chip": Chip(row), "form": form}
    return render(request, "tenants/members/extend.html", context, status=422 if form.is_bound else 200)


def _extended(actor: Actor, home: Tenant, row: Grant, form: ExtendForm) -> bool:
    """Whether it was; where it was refused the form says so beside the field."""
    try:
        until = form.until(row.ends_at) if row.ends_at else form.cleaned_data["ends_at"]
        extend_grant(actor, row.project or home, grant=row, ends_at=until, reason=form.cleaned_data["reason"])
    except PortalError as error:
        for problem in error.errors or [FieldProblem("", error.code, f"{error.message} {error.hint}")]:
            form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
        return False
    return True
