"""The page about one person: their roles, why they may do what, and what removing them would cut and hand over."""

import uuid

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from core.access import may
from core.errors import FieldProblem, Invalid, PortalError
from tenants.factors.taking import lost_factors
from tenants.handing.doing import successors
from tenants.handing.leaving import Removal, removal
from tenants.identity import outgoing
from tenants.members import selectors
from tenants.members.forms import SuccessorForm
from tenants.members.services import remove_member
from tenants.members.views import Chip, Where, page_context, where
from tenants.models import Grant
from tenants.roles import PERMISSIONS

MOST_NAMES = 200  # proposed while one types


@login_required
@require_safe
def page(request: HttpRequest, tenant: str, person: uuid.UUID, project: str = "") -> HttpResponse:
    """?permission= narrows the ways to it, ?hand_over_to= names who would take over what the person keeps."""
    at = where(request, tenant, project)
    one = selectors.member(at.actor, at.place, person)
    form = SuccessorForm({"hand_over_to": request.GET.get("hand_over_to", "")})
    return _page(request, at, one, form)


def _page(
    request: HttpRequest, at: Where, one: selectors.Member, form: SuccessorForm, *, status: int = 200
) -> HttpResponse:
    manages = may(at.actor, "member.manage", at.place)
    chips = [Chip(grant, may_end=manages and _ends_here(grant)) for grant in one.grants]
    asked = request.GET.get("permission", "")
    found = [path for path in selectors.paths(one) if asked in ("", path.permission)]
    context = page_context(at, "people") | {
        "member": one,
        "chips": chips,
        "paths": [(path, Chip(path.grant)) for path in found],
        "counting": sum(not path.cut for path in found),
        "permission": asked if asked in PERMISSIONS else "",
        "permissions": PERMISSIONS.items(),
        "form": form,
        "removal": _removal(at, one, form),
        "successors": successors(at.actor, at.place, instead_of=one.user)[:MOST_NAMES] if manages else (),
        "kept_by": selectors.kept_by_groups(one, at.place),
        "may_manage": manages,
        "member_url": at.url("member", person=one.user.pk),
        "remove_url": at.url("member_remove", person=one.user.pk),
        "lost": lost_factors(at.actor, at.tenant, one.user) if at.project is None else None,
    }
    return render(request, "tenants/members/member.html", context, status=status)


def _ends_here(grant: Grant) -> bool:
    """Not what Keystone keeps; and what a group has is ended on the group's page, for all of it."""
    return grant.group_id is None and not outgoing.kept_there(grant)


def _removal(at: Where, one: selectors.Member, form: SuccessorForm) -> Removal:
    """With whom the form names; where they cannot take over the form says so, and it is as if nobody was named."""
    to = form.cleaned_data["hand_over_to"] if form.is_valid() else ""
    try:
        return removal(at.actor, at.place, one.user, to)
    except Invalid as error:
        _tell(form, error)
        return removal(at.actor, at.place, one.user)


def _tell(form: forms.Form, error: PortalError) -> None:
    """Beside its field, where it has one."""
    for problem in error.errors or [FieldProblem("", error.code, error.message, error.hint)]:
        field = problem.field if problem.field in form.fields else None
        form.add_error(field, f"{problem.message} {problem.hint}".strip())


@login_required
@require_POST
def remove(request: HttpRequest, tenant: str, person: uuid.UUID, project: str = "") -> HttpResponse:
    """End all roles of a person here. Field `hand_over_to`: who takes over what they keep for others."""
    at = where(request, tenant, project)
    one = selectors.member(at.actor, at.place, person)
    form = SuccessorForm(request.POST)
    if not form.is_valid():
        return _page(request, at, one, form, status=422)
    try:
        ended = remove_member(at.actor, at.place, user=one.user, **form.named)
    except Invalid as error:
        _tell(form, error)
        return _page(request, at, one, form, status=422)
    words = ngettext("%(count)s role of %(person)s is ended.", "%(count)s roles of %(person)s are ended.", ended)
    messages.success(request, words % {"count": ended, "person": one.user.get_username()})
    return redirect(at.url("members"))
