"""From keys and grants to roles: the built-in ones of this version and the own ones of a tenant. The one place."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db.models import OuterRef, Q, Subquery

from core.access import Codes
from tenants.custom.models import PREFIX, CustomRole, CustomRoleState
from tenants.models import Grant
from tenants.roles import ROLES, Level, Role, allowed

Past = dict[uuid.UUID, Codes]  # own role -> what it allowed


def as_role(row: CustomRole) -> Role:
    level: Level = "project" if row.level == CustomRole.Level.PROJECT else "tenant"
    return Role(row.key, level, row.shown, allowed(row.key, row.permissions), row.pk)


def role_of(grant: Grant) -> Role | None:
    """The role of a grant as it is now; None for a built-in one that this version does not know.

    Read grants with `select_related("custom")` where there are many of them.
    """
    return as_role(grant.custom) if grant.custom else ROLES.get(grant.role)


def own_roles(tenant: uuid.UUID) -> list[CustomRole]:
    return list(CustomRole.objects.filter(tenant=tenant, removed_at=None).order_by("name"))


def roles_at(tenant: uuid.UUID, *, level: str = "") -> list[Role]:
    """All that can be given in a tenant, of one level or both: built-in ones first, then its own by name."""
    known = [*ROLES.values(), *(as_role(row) for row in own_roles(tenant))]
    return [role for role in known if role.level == level or (not level and role.level != "platform")]


def title_of(grant: Grant) -> str:
    return _title(role_of(grant), grant.role)


def title_at(tenant: uuid.UUID | None, key: str) -> str:
    """A role of a tenant in words; its key where there is none of this name."""
    if not key.startswith(PREFIX):
        return _title(ROLES.get(key), key)
    row = CustomRole.objects.filter(tenant=tenant, removed_at=None, name=key.removeprefix(PREFIX)).first()
    return row.shown if row else key


def codes_at(tenant: uuid.UUID | None, key: str) -> Codes:
    """What a role of a tenant allows by now; nothing where there is none of this name."""
    if not key.startswith(PREFIX):
        return ROLES[key].permissions if key in ROLES else frozenset()
    row = CustomRole.objects.filter(tenant=tenant, removed_at=None, name=key.removeprefix(PREFIX)).first()
    return as_role(row).permissions if row else frozenset()


def _title(role: Role | None, key: str) -> str:
    return str(role.title) if role else key


def holding(permissions: Iterable[str], tenant: uuid.UUID | None, *, past: Past | None = None) -> Q:
    """Grants of the platform and of a tenant whose role holds one of the permissions, now or as in `past`."""
    wanted = set(permissions)
    keys = [key for key, role in ROLES.items() if role.permissions & wanted]
    if past is None:
        past = {row.pk: as_role(row).permissions for row in own_roles(tenant)} if tenant else {}
    own = [key for key, codes in past.items() if codes & wanted]
    return Q(custom=None, role__in=keys) | Q(custom__in=own)


def past_at(tenant: uuid.UUID, moment: datetime) -> Past:
    """What every role of the tenant's own, also one removed since, allowed at a moment; one query."""
    last = CustomRoleState.objects.filter(role=OuterRef("role"), created_at__lte=moment).order_by("-version")
    rows = CustomRoleState.objects.filter(tenant=tenant, pk=Subquery(last.values("pk")[:1]))
    return {row.role_id: allowed(PREFIX, row.permissions) for row in rows}
