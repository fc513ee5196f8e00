"""Who could do what at a moment: answered from the grants, which are never deleted."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from core.access import NONE, Actor, check
from core.errors import FieldProblem, Invalid
from tenants.custom.resolving import Past, holding, past_at
from tenants.groups.holding import HOLDER, by_holder
from tenants.members.cutting import Place
from tenants.members.selectors import here, shown_grant
from tenants.models import Grant, Project, Tenant
from tenants.roles import PERMISSIONS, ROLES

MOST = 500


@dataclass(frozen=True)
class Held:
    """A grant that counted at the moment, what it allowed of what is asked for, and whether it counts now."""

    grant: Grant
    person: str
    permissions: list[str]
    now: bool

    @property
    def words(self) -> list[str]:
        return [str(PERMISSIONS[code]) for code in self.permissions]


def counted_at(moment: datetime) -> Q:
    """Grants that held at a moment. One that was made later did not, whatever beginning it was given."""
    began = Q(starts_at__lte=moment, created_at__lte=moment)
    return began & (Q(ends_at=None) | Q(ends_at__gt=moment)) & (Q(ended_at=None) | Q(ended_at__gt=moment))


def who_could(
    actor: Actor,
    home: Tenant,
    *,
    moment: datetime,
    now: datetime,
    person: str = "",
    permission: str = "",
    place: Place | None = None,
) -> list[Held]:
    """For a person, a permission or a place of the tenant, or any mixture; at most 500, by person.

    Raises Denied for whoever may not read the tenant's audit. What a built-in role allows is that of this
    version; what an own one of the tenant allows is what it was at the moment.
    """
    check(actor, "audit.view", home)
    rows = grants_at(home, moment=moment, place=place)
    if person:
        rows = rows.filter(who=person)
    past = past_at(home.pk, moment)
    if permission:
        rows = rows.filter(holding([permission], home.pk, past=past))
    return [_held(grant, permission, now, past) for grant in rows[:MOST]]


def project_names(home: Tenant) -> list[str]:
    """Of all projects there ever were, each name once."""
    names = Project.objects.filter(tenant=home).order_by("name").values_list("name", flat=True)
    return list(names.distinct()[:MOST])


def place_once(home: Tenant, name: str) -> Project | None:
    """The project of that name, the present one or the last that had it; None without a name.

    Raises Invalid where there never was one.
    """
    if not name:
        return None
    found = Project.objects.filter(tenant=home, name=name).order_by("-created_at").first()
    if found is None:
        raise Invalid(errors=[FieldProblem("project", "unknown", _("There is no such project here."))])
    return found


def grants_at(home: Tenant, *, moment: datetime, place: Place | None) -> QuerySet[Any]:
    """Each once for everybody who held it: `who`; and till when they were in its group: `out_at`."""
    in_then = Q(group__memberships__created_at__lte=moment) & (
        Q(group__memberships__ended_at=None) | Q(group__memberships__ended_at__gt=moment)
    )
    rows: QuerySet[Any] = by_holder(Grant.objects.filter(counted_at(moment), here(place or home)), in_then).annotate(
        who=Coalesce("user__username", f"{HOLDER}__username"), out_at=F("group__memberships__ended_at")
    )
    return rows.select_related("user", "group", "tenant", "project__tenant", "custom").order_by("who", "created_at")


def _held(grant: Any, permission: str, now: datetime, past: Past) -> Held:
    role = ROLES.get(grant.role)
    could = past.get(grant.custom_id, NONE) if grant.custom_id else role.permissions if role else NONE
    codes = [code for code in PERMISSIONS if code in could and permission in ("", code)]
    over = [grant.ended_at, grant.ends_at, grant.out_at]
    return Held(grant, grant.who, codes, now=all(at is None or at > now for at in over))


def shown_held(one: Held) -> dict[str, Any]:
    return {
        "person": one.person,
        "permissions": one.permissions,
        "grant": shown_grant(one.grant) | {"ended_at": one.grant.ended_at, "ended_by": one.grant.ended_by},
        "now": one.now,
    }
