"""Groups of a tenant: who is in them and which roles they have."""

import uuid
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from core.access import Actor, check, get_visible, may
from core.api.paging import Rows, plain
from core.errors import FieldProblem, Invalid, NotFound
from tenants.groups.models import Group, Membership
from tenants.members.selectors import shown_grant
from tenants.models import Grant, Project, Tenant

GROUP = ["id", "name", "title", "version", "created_at", "updated_at", "made_by", "people", "roles"]
MOST = 200
MEMBER = ["user_id", "user__username", "user__title", "created_at", "added_by"]


def not_over(prefix: str = "") -> Q:
    """Grants that count, or will."""
    ends = Q(**{f"{prefix}ends_at": None}) | Q(**{f"{prefix}ends_at__gt": Now()})
    return ends & Q(**{f"{prefix}ended_at": None})


def groups(actor: Actor, home: Tenant) -> QuerySet[Any]:
    """Those there are, each with the number of its people and roles."""
    check(actor, "member.view", home)
    people = Count("memberships", filter=Q(memberships__ended_at=None), distinct=True)
    roles = Count("grants", filter=not_over("grants__"), distinct=True)
    return Group.objects.filter(tenant=home, removed_at=None).annotate(people=people, roles=roles)


def rows(actor: Actor, home: Tenant) -> Rows:
    return plain(groups(actor, home), *GROUP)


def proposed(actor: Actor, project: Project) -> list[Group]:
    """Groups to choose from in a project: all of the tenant for who sees its members, else those with a role there."""
    rows = Group.objects.filter(tenant=project.tenant_id, removed_at=None)
    if not may(actor, "member.view", project.tenant):
        rows = rows.filter(pk__in=Grant.objects.filter(not_over(), project=project).values("group"))
    return list(rows.order_by("name")[:MOST])


def grants_at(actor: Actor, project: Project) -> list[Grant]:
    """What groups hold there, or will, by the name of the group; each with `people`, how many are in it."""
    check(actor, "member.view", project)
    rows = Grant.objects.filter(not_over(), project=project, group__removed_at=None).exclude(group=None)
    people = Count("group__memberships", filter=Q(group__memberships__ended_at=None))
    found = rows.annotate(people=people).select_related("group", "tenant", "project__tenant", "custom")
    return list(found.order_by("group__name", "created_at")[:MOST])


def group(actor: Actor, home: Tenant, group_id: uuid.UUID) -> Group:
    found = Group.objects.select_related("tenant").filter(tenant=home, removed_at=None)
    return get_visible(actor, found, pk=group_id)


def named(home: Tenant, name: str | None) -> Group | None:
    """The group that a body names; None where it names none. Ask only for whoever may give roles there."""
    if name is None:
        return None
    found = Group.objects.select_related("tenant").filter(tenant=home, removed_at=None, name=name).first()
    if found is None:
        raise Invalid(errors=[FieldProblem("group", "unknown", _("There is no such group here."))])
    return found


def grants(row: Group) -> list[Grant]:
    found = Grant.objects.filter(not_over(), group=row).select_related("group", "tenant", "project__tenant")
    return list(found.order_by("created_at"))


def members(row: Group) -> QuerySet[Membership]:
    """Who is in it at the moment."""
    return Membership.objects.filter(group=row, ended_at=None).select_related("user", "group__tenant")


def member_rows(row: Group) -> Rows:
    return plain(members(row).select_related(None), *MEMBER)


def membership(row: Group, person: uuid.UUID) -> Membership:
    found = members(row).filter(user=person).first()
    if found is None:
        raise NotFound()
    return found


def shown_members(found: Any) -> list[dict[str, Any]]:
    names = {"id": "user_id", "name": "user__username", "title": "user__title", "since": "created_at"}
    return [{name: row[column] for name, column in names.items()} | {"added_by": row["added_by"]} for row in found]


def shown_member(row: Membership) -> dict[str, Any]:
    return shown_members(plain(Membership.objects.filter(pk=row.pk), *MEMBER))[0]


def shown(row: Group) -> dict[str, Any]:
    """One group with its roles; its people have a list of their own."""
    held = grants(row)
    plain_values = {name: getattr(row, name) for name in GROUP[:-2]}
    return plain_values | {
        "people": members(row).count(),
        "roles": len(held),
        "grants": [shown_grant(grant) for grant in held],
    }
