"""What every change of grants asks first: whose turn it is, and whether one holds what one gives."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from core.access import Actor, check, may
from core.errors import Conflict, Denied, FieldProblem, Invalid, NotFound
from tenants.custom.resolving import roles_at
from tenants.groups.holding import tell_holders
from tenants.identity import outgoing
from tenants.models import Grant, Project, Tenant
from tenants.rights import actor_now, running_grants
from tenants.roles import Role

Place = Tenant | Project


def lock_grants(actor: Actor, target: Place) -> None:
    """Wait for the turn, then see that the actor may give and take roles at this moment, not only when they came.

    Of two who remove each other at once the second one finds that their own right is gone.
    """
    Tenant.objects.select_for_update().get(pk=tenant_of(target))
    check(actor_now(actor.id), "member.manage", target)
    _close_what_ran_out(target)


def _close_what_ran_out(target: Place) -> None:
    """A role whose time is over stands in nobody's way when it is given again. Keystone is told when its own end."""
    at = Q(project=target) if isinstance(target, Project) else Q(tenant=target, project=None)
    over = Grant.objects.filter(at, ended_at=None, ends_at__lte=Now()).exclude(source="keystone")
    over.update(ended_at=F("ends_at"), ended_by="berth")


def check_role(actor: Actor, target: Place, role: str) -> Role:
    """The role, where the actor may give it there.

    Raises Invalid for a role that is not given on such a place, Denied for one with more than the actor holds.
    """
    on_project = isinstance(target, Project)
    known = {one.key: one for one in roles_at(tenant_of(target), level="project" if on_project else "tenant")}
    if role not in known:
        message = _("There is no such role here; there are: %(known)s.") % {"known": ", ".join(known)}
        raise Invalid(errors=[FieldProblem("role", "unknown", message)])
    check_holds(actor, target, known[role].permissions)
    return known[role]


def givable(actor: Actor, target: Place) -> list[Role]:
    """The roles of which the actor holds everything there: what `check_role` lets them give."""
    level = "project" if isinstance(target, Project) else "tenant"
    known = roles_at(tenant_of(target), level=level)
    return [role for role in known if all(may(actor, code, target) for code in role.permissions)]


def check_holds(actor: Actor, target: Place, permissions: Iterable[str]) -> None:
    """Raises Denied where a role with these would be more than the actor holds."""
    missing = sorted(code for code in permissions if not may(actor, code, target))
    if missing:
        message = _("You can only give what you hold yourself; you lack %(missing)s.") % {"missing": ", ".join(missing)}
        raise Denied(message, extra={"permission": missing[0]})


def tenant_of(target: Place) -> UUID:
    return target.tenant_id if isinstance(target, Project) else target.pk


def take_away(grant: Grant, *, by: str) -> None:
    """End a grant of a tenant now. Call it with the tenant locked. Raises Conflict for the last owner, and for a role
    that only the identity service can end."""
    if grant.tenant_id is None:
        raise NotFound()  # roles on the platform are not given or ended here
    if outgoing.kept_there(grant):
        message = _("This role is kept by the identity service.")
        raise Conflict(message, code="kept_elsewhere", hint=_("End it there; Berth follows by itself."))
    if grant.role == "tenant.owner":
        owners = Grant.objects.filter(running_grants(), tenant_id=grant.tenant_id, role=grant.role)
        if not owners.exclude(pk=grant.pk).exists():
            message = _("This is the last owner of the tenant.")
            raise Conflict(message, code="last_owner", hint=_("Make somebody else an owner first."))
    Grant.objects.filter(pk=grant.pk, ended_at__isnull=True).update(ended_at=Now(), ended_by=by)
    outgoing.note_ended(grant)
    tell_holders(grant)
