"""Asking for a higher limit: of a project, which the tenant's admins decide, or of the tenant, which operators do."""

from typing import Any

from django.utils.translation import gettext as _

from core.access import Actor
from core.errors import FieldProblem, Invalid
from tenants.models import Project
from tenants.notices import place_name
from tenants.quota import services
from tenants.quota.models import Quota
from tenants.quota.resources import OF_PROJECTS, Resource, amount_text, from_sent, label_of
from tenants.requests.models import Request
from tenants.requests.registry import Payload, Place, register

QUOTA, TENANT_QUOTA = "quota", "tenant_quota"


def kind_for(target: Place) -> str:
    return QUOTA if isinstance(target, Project) else TENANT_QUOTA


def _check(actor: Actor, target: Place, payload: Payload) -> tuple[str, dict[str, Any]]:
    """`payload`: {resource, limit}: how much there is to be in all, as the API says it; more than there is now."""
    resource = payload.get("resource")
    if resource not in (OF_PROJECTS if isinstance(target, Project) else Resource.values):
        message = _("What has limits here: %(names)s.") % {"names": ", ".join(OF_PROJECTS)}
        raise Invalid(errors=[FieldProblem("resource", "unknown", message)])
    try:
        wanted = from_sent(str(resource), payload.get("limit"))
    except ValueError:
        message = _("Say how much there is to be in all: cores, bytes such as 16Gi, or a whole number.")
        raise Invalid(errors=[FieldProblem("limit", "out_of_range", message)]) from None
    before = _limit_of(target, str(resource))
    if before is None or wanted <= before:
        said = _("There is no limit of this.") if before is None else _("It is %(limit)s already.")
        words = {"limit": amount_text(str(resource), before or 0)}
        raise Invalid(errors=[FieldProblem("limit", "not_more", said % words)])
    return str(resource), {"resource": resource, "limit": wanted, "before": before}


def _limit_of(target: Place, resource: str) -> int | None:
    mine = {"project": target} if isinstance(target, Project) else {"tenant": target, "project": None}
    return Quota.objects.filter(resource=resource, **mine).values_list("limit", flat=True).first()


def _give(actor: Actor, request: Request) -> None:
    limits = {request.payload["resource"]: request.payload["limit"]}
    if request.project is not None:
        services.limit_project(actor, request.project, limits=limits)
    else:
        services.limit_tenant(actor, request.tenant, limits=limits)


def _words(request: Request) -> str:
    resource = str(request.payload.get("resource", ""))
    return _("%(person)s asks for %(limit)s of %(resource)s instead of %(before)s for %(place)s") % {
        "person": request.asked_by.get_username(),
        "resource": label_of(resource),
        "limit": amount_text(resource, int(request.payload.get("limit", 0))),
        "before": amount_text(resource, int(request.payload.get("before", 0))),
        "place": place_name(request.tenant, request.project),
    }


register(QUOTA, permission="quota.manage", decide=_give, words=_words, check=_check)
register(TENANT_QUOTA, permission="quota.tenant", decide=_give, words=_words, check=_check)
