"""The operators' page of the identity service: whether it answers, what differs, and which role gives which."""

import uuid
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from core import access
from core.access import Actor
from core.errors import PortalError
from tenants.ending import role_title
from tenants.identity import selectors, services
from tenants.identity.models import RoleMapping
from tenants.roles import ROLES

KINDS = {
    "missing": gettext_lazy("only in Keystone"),
    "extra": gettext_lazy("only in Berth"),
    "unwritten": gettext_lazy("on its way to Keystone"),
    "refused": gettext_lazy("refused by Keystone"),
}


# the least dangerous first, so that nobody gives the platform away by not choosing
OFFERED = sorted(ROLES, key=lambda key: (ROLES[key].level == "platform", len(ROLES[key].permissions)))


class MappingForm(forms.Form):
    keystone_role = forms.CharField(label=gettext_lazy("Role in Keystone"), max_length=255)
    place = forms.ChoiceField(label=gettext_lazy("Held"), choices=RoleMapping.Place.choices)
    role = forms.ChoiceField(label=gettext_lazy("Gives in Berth"), choices=[(key, ROLES[key].title) for key in OFFERED])


@login_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    access.check(_actor(request), "identity.manage")
    return _shown(request, MappingForm())


@login_required
@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """Refused with its reason beside the field; nothing that was typed is lost."""
    form = MappingForm(request.POST)
    access.check(_actor(request), "identity.manage")
    if form.is_valid():
        try:
            services.add_mapping(_actor(request), None, **form.cleaned_data)
        except PortalError as error:
            for problem in error.errors:
                form.add_error(problem.field, f"{problem.message} {problem.hint}".strip())
            if not error.errors:
                form.add_error("keystone_role", str(error.message))
        else:
            messages.success(request, _("It counts from the next look at Keystone, in a moment."))
            return HttpResponseRedirect(reverse("keystone"))
    return _shown(request, form, status=422)


@login_required
@require_POST
def remove(request: HttpRequest, mapping: uuid.UUID) -> HttpResponse:
    actor = _actor(request)
    services.remove_mapping(actor, None, mapping=selectors.mapping(actor, mapping))
    messages.success(request, _("What it gave ends with the next look at Keystone, in a moment."))
    return HttpResponseRedirect(reverse("keystone"))


@login_required
@require_POST
def mend(request: HttpRequest) -> HttpResponse:
    services.mend(_actor(request), None)
    messages.success(request, _("Berth follows Keystone now. Look again in a moment."))
    return HttpResponseRedirect(reverse("keystone"))


def _shown(request: HttpRequest, form: MappingForm, *, status: int = 200) -> HttpResponse:
    drift = selectors.drift()
    context: dict[str, Any] = {
        "form": form,
        "url": settings.KEYSTONE["url"],
        "drift": drift,
        "differences": [{"one": one, "words": KINDS[one.kind]} for one in drift.differences],
        "sync": selectors.sync_state(),
        "mappings": [
            {"row": row, "title": role_title(row.role)}
            for row in access.visible(_actor(request), RoleMapping.objects.all()).order_by("place", "keystone_role")
        ],
    }
    return render(request, "tenants/keystone.html", context, status=status)


def _actor(request: HttpRequest) -> Actor:
    return cast(Actor, request.actor)  # type: ignore[attr-defined]  # set by our middleware
