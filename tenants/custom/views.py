"""The pages of roles: what each may do side by side, and the tenant's own to make, change and remove."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from core.access import may
from core.errors import FieldProblem, PortalError
from tenants.custom import selectors, services
from tenants.custom.forms import NewRoleForm, RoleForm, choices
from tenants.custom.holders import Holders
from tenants.members.selectors import roles as all_roles
from tenants.members.views import Where, form_page, page_context, where
from tenants.roles import PERMISSIONS


@login_required
@require_safe
def roles(request: HttpRequest, tenant: str) -> HttpResponse:
    """A table of rights by roles: the tenant's own first, then the built-in ones, which stay as they are."""
    at = where(request, tenant)
    found = sorted(all_roles(at.actor, at.tenant), key=lambda role: not role["own"])
    shown = [code for code in PERMISSIONS if any(code in role["permissions"] for role in found)]
    context = page_context(at, "roles") | {
        "roles": found,
        "own_roles": [role | {"words": _words(role["permissions"])} for role in found if role["own"]],
        "lines": [(PERMISSIONS[code], [code in role["permissions"] for role in found]) for code in shown],
        "may_manage": may(at.actor, "member.manage", at.tenant),
    }
    return render(request, "tenants/members/roles.html", context)


def _words(codes: list[str]) -> list[str]:
    return [str(PERMISSIONS[code]) for code in codes]


@login_required
@form_page
def new(request: HttpRequest, tenant: str) -> HttpResponse:
    at = where(request, tenant)
    rights = choices(at.actor, at.tenant, "tenant")
    form = NewRoleForm(request.POST if request.method == "POST" else None, rights=rights)
    if form.is_bound and form.is_valid():
        asked = {name: form.cleaned_data[name] for name in ("name", "level", "title", "permissions")}
        if _done(form, lambda: services.create_role(at.actor, at.tenant, **asked)):
            messages.success(request, _("The role “%(name)s” is there; it can be given now.") % asked)
            return redirect("member_roles", tenant=tenant)
    return _page(request, at, form)


@login_required
@form_page
def one(request: HttpRequest, tenant: str, role: str) -> HttpResponse:
    """One role of the tenant's own: what it may, who holds it, and what removing it would end."""
    at = where(request, tenant)
    row = selectors.role(at.actor, at.tenant, role)
    start = {"title": row.title, "permissions": row.permissions, "version": row.version}
    rights = choices(at.actor, at.tenant, row.level)
    form = RoleForm(request.POST if request.method == "POST" else None, rights=rights, initial=start)
    if (
        form.is_bound
        and form.is_valid()
        and _done(form, lambda: services.update_role(at.actor, row, **form.cleaned_data))
    ):
        messages.success(request, _("Changed, for all who hold it."))
        return redirect("member_roles", tenant=tenant)
    return _page(
        request, at, form, role=row, holders=Holders(row), words=_words(row.permissions),
        lacking=_words([code for code in row.permissions if not may(at.actor, code, at.tenant)]),
    )  # fmt: skip


def _page(request: HttpRequest, at: Where, form: forms.Form, **more: Any) -> HttpResponse:
    context = page_context(at, "roles") | {"form": form, "may_manage": may(at.actor, "member.manage", at.tenant)}
    return render(request, "tenants/members/role.html", context | more, status=422 if form.is_bound else 200)


def _done(form: forms.Form, act: Callable[[], object]) -> bool:
    """Whether it was done; where it was refused the form says so beside the field."""
    try:
        act()
    except PortalError as error:
        for problem in error.errors or [FieldProblem("", error.code, f"{error.message} {error.hint}")]:
            form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
        return False
    return True


@login_required
@require_POST
def remove(request: HttpRequest, tenant: str, role: str) -> HttpResponse:
    """Remove it; with `end_grants` it ends for all who hold it."""
    at = where(request, tenant)
    row = selectors.role(at.actor, at.tenant, role)
    ended = services.remove_role(at.actor, row, end_grants=request.POST.get("end_grants") == "on")
    words = ngettext(
        "The role is removed; %(count)s grant ended.", "The role is removed; %(count)s grants ended.", ended
    )
    messages.success(request, words % {"count": ended})
    return redirect("member_roles", tenant=tenant)
