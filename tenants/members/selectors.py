"""Who belongs to a tenant or project, with which roles, until when, given by whom; and why they may do what."""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, Q, QuerySet

from core.access import Actor, check, may
from core.clock import from_now
from core.errors import NotFound
from tenants.custom.models import CustomRole
from tenants.custom.resolving import role_of, roles_at
from tenants.groups.holding import by_holder, held_by, holders
from tenants.members.cutting import Place
from tenants.models import Grant, Project, Session, Tenant, User
from tenants.rights import running_grants
from tenants.robots.explaining import keepers_part
from tenants.roles import PERMISSIONS

MOST = 200
ENDS_SOON = timedelta(days=7)


@dataclass(frozen=True)
class Member:
    """A person with the roles that count at the place. `seen_at`: when a browser of theirs was last here."""

    user: User
    grants: list[Grant]  # their own, and those of groups they are in
    seen_at: datetime | None


@dataclass(frozen=True)
class Path:
    """One way to a permission: permission -> role -> grant."""

    permission: str
    grant: Grant
    cut: str = ""  # why it does not count at this moment, of a robot; empty: it does

    @property
    def words(self) -> str:
        return str(PERMISSIONS.get(self.permission, self.permission))


def here(place: Place) -> Q:
    """Grants that count at the place: on a project also those of its whole tenant."""
    if isinstance(place, Project):
        return Q(project=place) | Q(tenant=place.tenant_id, project=None)
    return Q(tenant=place)


def seen_grants(actor: Actor, place: Place) -> QuerySet[Grant]:
    """Running grants at the place, as far as the actor may see members there."""
    check(actor, "member.view", place)
    condition = here(place)
    if isinstance(place, Project) and not may(actor, "member.view", place.tenant):
        condition = Q(project=place)
    rows = Grant.objects.filter(running_grants(), condition)
    return rows.select_related("user", "group", "tenant", "project__tenant", "custom").order_by("created_at")


def members(
    actor: Actor,
    place: Place,
    *,
    search: str = "",
    beyond: str = "",
    back: bool = False,
    most: int = MOST,
    only: Q | None = None,
) -> list[Member]:
    """By user name, those beyond one name (`back`: before it, the nearest first), at most so many; four queries.

    `only`: those with such grants, and of each person only these.
    """
    rows = seen_grants(actor, place).filter(only or Q())
    people = holders(rows)
    if search:
        people = people.filter(Q(username__icontains=search) | Q(title__icontains=search))
    if beyond:
        people = people.filter(username__lt=beyond) if back else people.filter(username__gt=beyond)
    wanted = list(people.order_by("-username" if back else "username")[:most])
    held, seen = _held(rows, wanted), last_seen(one.pk for one in wanted)
    return [Member(one, held[one.pk], seen.get(one.pk)) for one in wanted]


def _held(rows: QuerySet[Grant], people: Iterable[User]) -> dict[uuid.UUID, list[Grant]]:
    """The grants of each, oldest first, in one query."""
    found: dict[uuid.UUID, list[Grant]] = defaultdict(list)
    for grant in by_holder(rows).filter(holder__in=[one.pk for one in people]):
        found[grant.holder].append(grant)
    return found


def which(*, role: str = "", on: str = "") -> Q:
    """Grants of one role, and those on one project by its name."""
    asked = Q(role=role) if role else Q()
    return asked & Q(project__name=on) if on else asked


def ending_soon(actor: Actor, place: Place) -> int:
    """How many of the grants that one may see there end within seven days."""
    return seen_grants(actor, place).filter(ends_at__lte=from_now(ENDS_SOON)).count()


def last_seen(people: Iterable[uuid.UUID]) -> dict[uuid.UUID, datetime]:
    """When each was last here: a browser that still is signed in, else the last sign-in."""
    ids = list(people)
    signed_in = dict(User.objects.filter(pk__in=ids, last_login__isnull=False).values_list("pk", "last_login"))
    rows = Session.objects.filter(user__in=ids).values_list("user").annotate(seen=Max("seen_at"))
    for person, seen in rows.order_by():
        signed_in[person] = max(seen, signed_in.get(person) or seen)
    return {person: at for person, at in signed_in.items() if at}


def member(actor: Actor, place: Place, person: uuid.UUID) -> Member:
    """One of them; the same NotFound for nobody and for somebody of elsewhere."""
    grants = list(seen_grants(actor, place).filter(held_by(person)))
    if not grants:
        raise NotFound()
    return Member(User.objects.get(pk=person), grants, last_seen([person]).get(person))


def kept_by_groups(member: Member, place: Place) -> list[str]:
    """Names of groups that give them a role in a project: out of it alone nobody is removed before those are."""
    if not isinstance(place, Project):
        return []
    return sorted({str(one.group) for one in member.grants if one.group_id and one.project_id == place.pk})


def paths(member: Member) -> list[Path]:
    """Every way to every permission the person holds at the place, in the order of the table of permissions.

    Those of a robot that its keeper lacks are there too, with the reason that they do not count.
    """
    kept = keepers_part(member.user)
    return [
        Path(permission, grant, kept.why_not(permission) if kept else "")
        for permission in PERMISSIONS
        for grant in member.grants
        if (role := role_of(grant)) and permission in role.permissions
    ]


def roles(actor: Actor, place: Tenant) -> list[dict[str, Any]]:
    """Every role of tenants and projects: what it may do, how many hold it, and whether the actor could give it."""
    held: dict[str, int] = defaultdict(int)
    for key in by_holder(seen_grants(actor, place)).values_list("role", flat=True):
        held[key] += 1
    return [
        {
            "key": role.key,
            "own": role.custom_id is not None,
            "name": role.key.split(".", 1)[1],
            "level": role.level,
            "title": str(role.title),
            "permissions": sorted(role.permissions),
            "held_by": held[role.key],
            "may_give": all(may(actor, code, place) for code in (*role.permissions, "member.manage")),
        }
        for role in roles_at(place.pk)
    ]


def shown_role(actor: Actor, row: CustomRole) -> dict[str, Any]:
    """One of the tenant's own, as in the list, with what a change of it needs."""
    listed = next(role for role in roles(actor, row.tenant) if role["key"] == row.key)
    return listed | {"version": row.version}


def shown_member(one: Member) -> dict[str, Any]:
    return {
        "id": one.user.pk,
        "name": one.user.get_username(),
        "title": one.user.title,
        "origin": one.user.source,
        "seen_at": one.seen_at,
        "grants": [shown_grant(grant) for grant in one.grants],
    }


def shown_grant(grant: Grant) -> dict[str, Any]:
    named = ("id", "role", "starts_at", "ends_at", "reason", "granted_by", "request_id")
    return {name: getattr(grant, name) for name in named} | {
        "tenant": grant.tenant.name if grant.tenant else None,
        "project": grant.project.name if grant.project else None,
        "group": grant.group.name if grant.group else None,
        "origin": grant.source,
    }


def shown_path(path: Path) -> dict[str, Any]:
    return {"permission": path.permission, "words": path.words, "cut": path.cut, "grant": shown_grant(path.grant)}
