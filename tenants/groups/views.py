"""The pages about groups: those of a tenant, and one with its people, its roles, and what removing would cut."""

import uuid
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from audit.commands import check_before
from core.access import may
from core.errors import BadRequest, FieldProblem, NotFound, PortalError
from tenants import selectors as places
from tenants.groups import selectors, services
from tenants.groups.forms import AddForm, GroupForm, GroupRoleForm
from tenants.groups.losing import losing
from tenants.groups.models import Group
from tenants.members.views import Chip, Where, form_page, page_context, projects_at, where
from tenants.services import give_grant

ROWS = 50
MOST_GROUPS = 200


@login_required
@form_page
def page(request: HttpRequest, tenant: str) -> HttpResponse:
    at = where(request, tenant)
    form = GroupForm(request.POST if request.method == "POST" else None)
    made: list[Group] = []
    if form.is_bound and form.is_valid():
        act = lambda: made.append(services.create_group(at.actor, at.tenant, **form.cleaned_data))  # noqa: E731
        if _done(form, act):
            messages.success(request, _("The group is made. Add people, and give it a role."))
            return redirect("group", tenant=tenant, group=made[0].pk)
    context = page_context(at, "groups") | {
        "form": form,
        "groups": selectors.groups(at.actor, at.tenant).order_by("name")[:MOST_GROUPS],
        "may_manage": may(at.actor, "member.manage", at.tenant),
    }
    return render(request, "tenants/groups/page.html", context, status=422 if form.is_bound else 200)


@login_required
@form_page
def group(request: HttpRequest, tenant: str, group: uuid.UUID) -> HttpResponse:
    """One group. Field `deed` says which of its forms was sent: add, give or rename. ?out= asks before taking out."""
    at = where(request, tenant)
    row = selectors.group(at.actor, at.tenant, group)
    asked = _forms(request, at, row)
    deed = request.POST.get("deed", "") if request.method == "POST" else ""
    if deed and deed not in asked:
        raise BadRequest()
    if deed and asked[deed].is_valid() and _done(asked[deed], lambda: DEEDS[deed](at, row, asked[deed])):
        messages.success(request, _("Done."))
        return redirect("group", tenant=tenant, group=group)
    context = _group(request, at, row) | {f"{name}_form": form for name, form in asked.items()}
    return render(request, "tenants/groups/group.html", context, status=422 if deed else 200)


def _forms(request: HttpRequest, at: Where, row: Group) -> dict[str, Any]:
    def sent(deed: str) -> Any:
        return request.POST if request.method == "POST" and request.POST.get("deed") == deed else None

    return {
        "add": AddForm(sent("add")),
        "give": GroupRoleForm(
            sent("give"), projects=projects_at(at), tenant=at.tenant.pk, initial={"role": "project.developer"}
        ),
        "rename": GroupForm(sent("rename"), initial={"name": row.name, "title": row.title}),
    }


def _group(request: HttpRequest, at: Where, row: Group) -> dict[str, Any]:
    manages, after = may(at.actor, "member.manage", at.tenant), request.GET.get("after", "")[:150]
    found = list(selectors.members(row).filter(user__username__gt=after).order_by("user__username")[: ROWS + 1])
    out = _asked_out(request, row) if manages else None
    return page_context(at, "groups") | {
        "group": row,
        "people": found[:ROWS],
        "after": found[ROWS - 1].user.get_username() if len(found) > ROWS else "",
        "chips": [Chip(grant, may_end=manages) for grant in selectors.grants(row)],
        "may_manage": manages,
        "out": out,
        "losing": losing(row, [out.user_id] if out else None),
    }


def _asked_out(request: HttpRequest, row: Group) -> Any:
    """The membership that ?out= names; None where it names none."""
    try:
        return selectors.membership(row, uuid.UUID(request.GET.get("out", "")))
    except (ValueError, NotFound):
        return None


def _add(at: Where, row: Group, form: forms.Form) -> None:
    check_before(services.add_to_group, at.actor, row)  # before names of people are looked up
    services.add_to_group(at.actor, row, user=places.person("person", str(form.cleaned_data["person"])))


def _give(at: Where, row: Group, form: forms.Form) -> None:
    asked = form.cleaned_data
    target = places.grantable(at.actor, at.tenant, asked["project"] or None)
    ends_at = form.until  # type: ignore[attr-defined]  # a GroupRoleForm
    give_grant(at.actor, target, group=row, role=asked["role"], ends_at=ends_at, reason=asked["reason"])


def _rename(at: Where, row: Group, form: forms.Form) -> None:
    services.update_group(at.actor, row, **form.cleaned_data)


DEEDS: dict[str, Callable[[Where, Group, Any], None]] = {"add": _add, "give": _give, "rename": _rename}


def _done(form: forms.Form, act: Callable[[], Any]) -> bool:
    """Whether it could be done; else the form says why not, beside its field."""
    try:
        act()
    except PortalError as error:
        for problem in error.errors or [FieldProblem("", error.code, f"{error.message} {error.hint}")]:
            form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
        return False
    return True


@login_required
@require_POST
def take(request: HttpRequest, tenant: str, group: uuid.UUID, person: uuid.UUID) -> HttpResponse:
    at = where(request, tenant)
    row = selectors.group(at.actor, at.tenant, group)
    member = selectors.membership(row, person)
    services.take_from_group(at.actor, row, user=member.user)
    said = _("%(person)s is out of the group. What was open by its roles is being closed.")
    messages.success(request, said % {"person": member.user.get_username()})
    return redirect("group", tenant=tenant, group=group)


@login_required
@require_POST
def remove(request: HttpRequest, tenant: str, group: uuid.UUID) -> HttpResponse:
    at = where(request, tenant)
    row = selectors.group(at.actor, at.tenant, group)
    services.remove_group(at.actor, row)
    messages.success(request, _("The group is removed, and its roles are ended."))
    return redirect("groups", tenant=tenant)
