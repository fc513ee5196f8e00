"""What every change of grants asks first: whose turn it is, and whether one holds what one gives."""

from django.utils.translation import gettext as _

from core.access import Actor, check, may
from core.errors import Denied, FieldProblem, Invalid
from tenants.models import Project, Tenant
from tenants.rights import actor_now
from tenants.roles import ROLES

Place = Tenant | Project


def lock_grants(actor: Actor, target: Place) -> None:
    """Wait for the turn, then see that the actor may give and take roles at this moment, not only when they came.

    Of two who remove each other at once the second one finds that their own right is gone.
    """
    Tenant.objects.select_for_update().get(pk=target.tenant_id if isinstance(target, Project) else target.pk)
    check(actor_now(actor.id), "member.manage", target)


def check_role(actor: Actor, target: Place, role: str, *, level: str = "") -> None:
    """Raises Invalid for a role that is not given on such a place, Denied for one with more than the actor holds."""
    level = level or ("project" if isinstance(target, Project) else "tenant")
    known = [key for key, known_role in ROLES.items() if known_role.level == level]
    if role not in known:
        message = _("There is no such role here; there are: %(known)s.") % {"known": ", ".join(known)}
        raise Invalid(errors=[FieldProblem("role", "unknown", message)])
    missing = sorted(code for code in ROLES[role].permissions if not may(actor, code, target))
    if missing:
        message = _("You can only give what you hold yourself; you lack %(missing)s.") % {"missing": ", ".join(missing)}
        raise Denied(message, extra={"permission": missing[0]})
