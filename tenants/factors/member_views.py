"""On the page of a member: an owner takes away what somebody lost."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tenants.factors.services import reset_factors
from tenants.members import selectors
from tenants.members.views import where


@login_required
@require_POST
def take(request: HttpRequest, tenant: str, person: uuid.UUID) -> HttpResponse:
    at = where(request, tenant)
    user = selectors.member(at.actor, at.tenant, person).user
    reset_factors(at.actor, at.tenant, user=user, reason=request.POST.get("reason", ""))
    messages.success(request, _("%(person)s comes in with the password alone now.") % {"person": user.get_username()})
    return redirect(at.url("member", person=person))
