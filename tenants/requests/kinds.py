"""The requests that tenants itself carries out: access for a while, and to join."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.access import Actor
from core.errors import Conflict, FieldProblem, Invalid
from tenants.custom.resolving import roles_at, title_at
from tenants.groups.holding import held_by
from tenants.models import Grant, Project
from tenants.notices import place_name
from tenants.requests.models import Request
from tenants.requests.registry import Payload, Place, register
from tenants.rights import running_grants
from tenants.roles import ROLES
from tenants.services import give_grant

LONGEST_HOURS = 7 * 24
ACCESS, JOIN = "access", "join"


def _role(target: Place, payload: Payload) -> str:
    if isinstance(target, Project):
        known = [role.key for role in roles_at(target.tenant_id, level="project")]
    else:  # a stranger may ask to join: what a tenant made for itself is none of their business
        known = [key for key, role in ROLES.items() if role.level == "tenant"]
    role = payload.get("role")
    if role not in known:
        message = _("There is no such role here; there are: %(known)s.") % {"known": ", ".join(known)}
        raise Invalid(errors=[FieldProblem("role", "unknown", message)])
    return str(role)


def _not_held(actor: Actor, target: Place, role: str) -> None:
    where: dict[str, Any] = {"project": target} if isinstance(target, Project) else {"tenant": target, "project": None}
    if Grant.objects.filter(running_grants(), held_by(actor.id), role=role, **where).exists():
        raise Conflict(_("You have this role here already."), code="held_already", hint=_("Look at your roles here."))


def _check_access(actor: Actor, target: Place, payload: Payload) -> tuple[str, dict[str, Any]]:
    role, hours = _role(target, payload), payload.get("hours")
    if not isinstance(hours, int) or isinstance(hours, bool) or not 0 < hours <= LONGEST_HOURS:
        message = _("Say for how many hours, 1 to %(most)s.") % {"most": LONGEST_HOURS}
        raise Invalid(errors=[FieldProblem("hours", "out_of_range", message)])
    _not_held(actor, target, role)
    return f"{actor.id}:{role}", {"role": role, "hours": hours}


def _check_join(actor: Actor, target: Place, payload: Payload) -> tuple[str, dict[str, Any]]:
    role = _role(target, payload)
    _not_held(actor, target, role)
    return f"{actor.id}:{role}", {"role": role}


def _give(actor: Actor, request: Request) -> None:
    """The clock of the role starts with the answer, not with the question."""
    hours = request.payload.get("hours")
    give_grant(
        actor,
        request.project or request.tenant,
        user=request.asked_by,
        role=request.payload["role"],
        ends_at=timezone.now() + timedelta(hours=hours) if hours else None,
        reason=request.reason,
        request=request,
    )


def _access_words(request: Request) -> str:
    hours = request.payload.get("hours", 0)
    said = ngettext(
        "%(person)s asks for the role “%(role)s” in %(place)s for %(hours)s hour",
        "%(person)s asks for the role “%(role)s” in %(place)s for %(hours)s hours",
        hours,
    )
    return said % {**_named(request), "hours": hours}


def _join_words(request: Request) -> str:
    return _("%(person)s asks to join %(place)s as “%(role)s”") % _named(request)


def _named(request: Request) -> dict[str, str]:
    return {
        "person": request.asked_by.get_username(),
        "role": title_at(request.tenant_id, str(request.payload.get("role", ""))),
        "place": place_name(request.tenant, request.project),
    }


register(ACCESS, permission="member.manage", decide=_give, words=_access_words, check=_check_access)
register(JOIN, permission="member.manage", decide=_give, words=_join_words, check=_check_join)
