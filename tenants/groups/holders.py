"""A role goes to a person or to a group: what differs between the two when it is given."""

from django.utils.translation import gettext as _

from core.errors import FieldProblem, Invalid
from tenants.groups.models import Group
from tenants.models import Grant, Project, Tenant, User

OWNER = "tenant.owner"


def check_group(group: Group, target: Tenant | Project, role: str) -> None:
    """Raises Invalid for a group of another tenant or one that is removed, and for the role that only people have."""
    tenant_id = target.tenant_id if isinstance(target, Project) else target.pk
    if not Group.objects.filter(pk=group.pk, tenant=tenant_id, removed_at=None).exists():
        raise Invalid(errors=[FieldProblem("group", "unknown", _("There is no such group here."))])
    if role == OWNER:
        message = _("An owner is a person: this role is not given to a group. Give it to each of them.")
        raise Invalid(errors=[FieldProblem("role", "not_for_groups", message)])


def named(grant: Grant) -> dict[str, str]:
    """The holder, for the audit."""
    return {"person" if grant.user_id else "group": grant.subject}


def held_already(holder: User | Group) -> str:
    """Why the same role is not given twice."""
    if isinstance(holder, Group):
        return _("The group %(group)s has this role here already.") % {"group": holder.name}
    return _("%(person)s has this role here already.") % {"person": holder.get_username()}
