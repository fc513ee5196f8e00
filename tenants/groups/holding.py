"""Who holds a grant: the person it was given to, or everybody who is in its group at the moment."""

from collections.abc import Collection, Iterator
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from tenants.changes import tell_of
from tenants.groups.models import Membership
from tenants.models import Grant, User

Place = tuple[str, UUID | None, UUID | None, list[str] | None]  # role, tenant, project, what an own one may
PLACE = ("role", "tenant_id", "project_id", "custom__permissions")
HOLDER = "group__memberships__user"
IN_NOW = Q(group__memberships__ended_at=None)


def held_by(person: User | UUID | None) -> Q:
    """Grants of a person, their own and those of groups they are in. Two looks into an index, one query."""
    return Q(pk__in=ids_held_by(person))


def ids_held_by(person: User | UUID | None) -> QuerySet[Any]:
    own = Grant.objects.filter(user=person, ended_at=None).values("pk")
    by_group = Grant.objects.filter(IN_NOW, **{HOLDER: person}, ended_at=None).values("pk")
    return own.union(by_group, all=True)


def by_holder(rows: QuerySet[Grant], counted: Q = IN_NOW) -> QuerySet[Any]:
    """Each grant once for each person who holds it, whose id is in `holder`.

    `counted`: which memberships, as a condition on `group__memberships`.
    """
    named: QuerySet[Any] = rows.filter(Q(group=None) | counted).annotate(holder=Coalesce("user", HOLDER))
    return named.filter(holder__isnull=False)


def holders(rows: QuerySet[Grant]) -> QuerySet[User]:
    """Everybody who holds one of the grants, each once."""
    return User.objects.filter(pk__in=by_holder(rows).order_by().values("holder"))


def places_held(people: Collection[UUID], running: Q) -> Iterator[tuple[UUID, Place]]:
    """(person, place) of all that these people hold, in one query."""
    own = Grant.objects.filter(running, user__in=people).values_list("user_id", *PLACE)
    by_group = Grant.objects.filter(running, IN_NOW, **{f"{HOLDER}__in": people}).values_list(HOLDER, *PLACE)
    for person, *place in own.union(by_group, all=True):
        yield person, tuple(place)


def place_of(grant: Grant) -> Place:
    """Read it with `select_related("custom")` where there are many."""
    return (grant.role, grant.tenant_id, grant.project_id, grant.custom.permissions if grant.custom else None)


def people_of(grant: Grant) -> list[UUID]:
    """Everybody whom a grant concerns."""
    if grant.user_id:
        return [grant.user_id]
    return list(Membership.objects.filter(group=grant.group_id, ended_at=None).values_list("user_id", flat=True))


def tell_holders(grant: Grant) -> None:
    """As `tell_of`, everybody whom a grant concerns."""
    for person in people_of(grant):
        tell_of(person)
