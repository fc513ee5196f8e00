"""Every token that counts in a tenant, of people and of robots, for those who manage its members."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, F, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Now

from core.access import Actor, check
from core.api.paging import Rows, plain
from core.clock import from_now
from core.errors import NotFound
from tenants.models import Grant, Tenant, Token
from tenants.rights import running_grants

UNUSED = timedelta(days=90)
COLUMNS = (
    "id", "name", "scopes", "owner", "robot_name", "project_name", "everywhere", "created_at", "expires_at",
    "last_used_at", "unused", "prefix",
)  # fmt: skip


@dataclass(frozen=True)
class TokenLine:
    """A token as the lists on pages show it. `place` is empty where it counts wherever its owner is somebody."""

    id: uuid.UUID
    name: str
    prefix: str
    scopes: list[str]
    last_used_at: datetime | None
    expires_at: datetime | None
    owner: str = ""
    robot: str = ""
    place: str = ""
    unused: bool = False
    barred: list[str] = field(default_factory=list)  # names of tenants in which it was revoked
    revoke_url: str = ""  # to post to
    ask_url: str = ""  # to a page that asks why first


def _that_count(home: Tenant) -> QuerySet[Token]:
    """Those limited to the tenant or a project of it, and those for everywhere of people with a role in it."""
    people = Grant.objects.filter(running_grants(), tenant=home).values("user")
    here = Q(tenant=home) | Q(tenant=None, user__in=people)
    alive = Q(expiry=None) | Q(expiry__gt=Now())
    rows: QuerySet[Token] = Token.objects.filter(here, alive, user__is_active=True)
    return rows.exclude(barred__contains=str(home.pk))


def tokens(actor: Actor, home: Tenant, *, unused: bool = False, search: str = "") -> Rows:
    """Plain rows of COLUMNS. `search`: part of an owner's user name; `unused`: only those nothing used for 90 days."""
    check(actor, "member.manage", home)
    old = Q(used_or_made__lt=from_now(-UNUSED))
    rows = _that_count(home).annotate(
        used_or_made=Coalesce("last_used_at", "created"),
        created_at=F("created"),
        expires_at=F("expiry"),
        prefix=F("token_key"),
        owner=F("user__username"),
        robot_name=F("user__robot__name"),
        project_name=F("project__name"),
        everywhere=Case(When(tenant=None, then=Value(True)), default=Value(False)),
        unused=Case(When(old, then=Value(True)), default=Value(False)),
    )
    rows = rows.filter(old) if unused else rows
    return plain(rows.filter(user__username__icontains=search) if search else rows, *COLUMNS)


def shown(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of COLUMNS as they leave the API."""
    return [_shown(dict(row)) for row in rows]


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"robot": row.pop("robot_name"), "project": row.pop("project_name")}


def token(actor: Actor, home: Tenant, token_id: uuid.UUID) -> Token:
    """One that counts in the tenant; the same NotFound for another's and for none."""
    check(actor, "member.manage", home)
    found: Token | None = _that_count(home).select_related("user").filter(id=token_id).first()
    if found is None:
        raise NotFound()
    return found
