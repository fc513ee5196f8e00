"""The page that invites, and the one that an invitation's link opens."""

import uuid
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from core.access import Actor, may
from core.errors import FieldProblem, PortalError
from core.secrets import Secret
from tenants import selectors as places
from tenants.custom.resolving import title_at
from tenants.invitations import selectors, services
from tenants.invitations.links import invitation_of
from tenants.invitations.newcomers import join
from tenants.members.forms import GrantForm
from tenants.members.views import Where, form_page, page_context, projects_at, where
from tenants.notices import place_name


class InviteForm(GrantForm):
    subject = forms.CharField(
        label=gettext_lazy("For whom"), max_length=150, help_text=gettext_lazy("A name or an address, for the record."),
        error_messages={"required": gettext_lazy("Say whom it is for.")},
    )  # fmt: skip


@login_required
@form_page
def page(request: HttpRequest, tenant: str) -> HttpResponse:
    """Invitations that wait, and a form for a new one, whose link is shown once."""
    at = where(request, tenant)
    form = _form(at, request.POST if request.method == "POST" else None)
    secret = _invited(at, form) if form.is_bound and form.is_valid() else None
    status = 422 if form.is_bound and secret is None else 200
    if secret is not None:
        form = _form(at)
    context = page_context(at, "invitations") | {
        "form": form,
        "link": request.build_absolute_uri(reverse("invitation", args=[secret.reveal()])) if secret else "",
        "rows": [
            (row, title_at(row.tenant_id, row.role)) for row in selectors.waiting(at.actor, at.tenant)[: selectors.MOST]
        ],
        "may_manage": may(at.actor, "member.manage", at.tenant),
    }
    return render(request, "tenants/invitations/page.html", context, status=status)


def _form(at: Where, sent: QueryDict | None = None) -> InviteForm:
    """What nobody chose is the least."""
    return InviteForm(sent, projects=projects_at(at), tenant=at.tenant.pk, initial={"role": "tenant.member"})


def _invited(at: Where, form: InviteForm) -> Secret | None:
    asked = form.cleaned_data
    try:
        target = places.grantable(at.actor, at.tenant, asked["project"] or None)
        made = {"person": asked["subject"], "role": asked["role"], "ends_at": form.until, "reason": asked["reason"]}
        return services.invite(at.actor, target, **made)[1]
    except PortalError as error:
        _tell(form, error, {"person": "subject"})
        return None


def _tell(form: forms.Form, error: PortalError, names: dict[str, str]) -> None:
    for problem in error.errors or [FieldProblem("", error.code, f"{error.message} {error.hint}")]:
        field = names.get(problem.field, problem.field)
        form.add_error(field if field in form.fields else None, str(problem.message))


@login_required
@require_POST
def revoke(request: HttpRequest, tenant: str, invitation: uuid.UUID) -> HttpResponse:
    at = where(request, tenant)
    services.revoke_invitation(at.actor, selectors.one(at.actor, at.tenant, invitation))
    messages.success(request, _("The link opens nothing any more."))
    return redirect("invitations", tenant=tenant)


class NewcomerForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("User name"), max_length=40, widget=forms.TextInput(attrs={"autocomplete": "username"})
    )
    password = forms.CharField(
        label=gettext_lazy("Password"), max_length=1024, strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("At least 12 characters."),
    )  # fmt: skip


@sensitive_post_parameters()
@form_page
def come(request: HttpRequest, link: str) -> HttpResponse:
    """Who is signed in accepts; who is not makes an account of their own, or signs in first."""
    row, actor = invitation_of(link), cast(Actor, request.actor)  # type: ignore[attr-defined]  # set by our middleware
    form = NewcomerForm(request.POST if request.method == "POST" and actor.id is None else None)
    if request.method == "POST" and actor.id is not None:
        services.accept(actor, row)
        messages.success(request, _("Welcome. The role is yours now."))
        return redirect("home")
    if form.is_bound and form.is_valid() and _joined(request, row, form):
        return redirect("sign_in")
    context = {
        "form": form,
        "row": row,
        "role": title_at(row.tenant_id, row.role),
        "place": place_name(row.tenant, row.project),
    }
    context |= {
        "known": actor.id is not None,
        "name": actor.name,
        "sign_in": f"{reverse('sign_in')}?next={request.path}",
    }
    return render(request, "tenants/invitations/come.html", context, status=422 if form.is_bound else 200)


def _joined(request: HttpRequest, row: Any, form: NewcomerForm) -> bool:
    sent = {"name": form.cleaned_data["name"], "password": Secret(form.cleaned_data["password"])}
    origin = {"address": request.META.get("REMOTE_ADDR", ""), "client": request.headers.get("User-Agent", "")}
    try:
        with transaction.atomic():
            join(row, **sent, **origin)
    except PortalError as error:
        _tell(form, error, {})
        return False
    return True
