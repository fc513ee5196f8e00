"""Reads of somebody's own sessions, tokens and places."""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext as _

from core.access import Actor, visible
from core.api.paging import Rows, plain
from core.errors import NotFound
from tenants.models import Project, Session, Tenant, Token, User
from tenants.robots.tenant_tokens import TokenLine

SESSION = ["id", "address", "client", "created_at", "seen_at", "session_key"]
_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrom", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (("Android", "Android"), ("iPhone", "iOS"), ("iPad", "iPadOS"), ("Windows", "Windows"), ("Mac OS", "macOS"))


@dataclass(frozen=True)
class Browser:
    """A session as a line: which browser, from where, since when, and whether it is the one that asks."""

    session: Session
    name: str
    here: bool


def browser_name(client: str) -> str:
    """ "Firefox on Linux" of a User-Agent; its first word for a program."""
    browser = next((name for sign, name in _BROWSERS if sign in client), "")
    if not browser:
        return re.split(r"[\s/]", client.strip(), maxsplit=1)[0][:40] or _("unknown program")
    system = next((name for sign, name in _SYSTEMS if sign in client), "Linux" if "Linux" in client else "")
    return _("%(browser)s on %(system)s") % {"browser": browser, "system": system} if system else browser


def browsers(actor: Actor, user: User) -> list[Browser]:
    """Where somebody is signed in: this browser first, then those seen last."""
    rows = Session.objects.filter(user=user, expire_date__gt=Now()).order_by("-seen_at")
    found = [Browser(row, browser_name(row.client), row.session_key == actor.session) for row in rows[:100]]
    return sorted(found, key=lambda one: not one.here)


def sessions(user: User) -> Rows:
    return plain(Session.objects.filter(user=user, expire_date__gt=Now()), *SESSION)


def shown_sessions(actor: Actor, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in row.items() if name != "session_key"}
        | {"current": row["session_key"] == actor.session}
        for row in rows
    ]


def own_tokens(user: User) -> list[TokenLine]:
    rows = Token.objects.filter(user=user).select_related("tenant", "project__tenant").order_by("-id")
    found = list(rows[:200])
    barred = {key for row in found for key in row.barred.split()}
    names = {str(pk): name for pk, name in Tenant.objects.filter(pk__in=barred).values_list("pk", "name")}
    return [_line(row, names) for row in found]


def _line(token: Token, names: Mapping[str, str]) -> TokenLine:
    """`names`: of tenants, by their ids."""
    return TokenLine(
        token.id, token.name, token.token_key, token.scopes, token.last_used_at, token.expiry,
        place=str(token.project or token.tenant or ""),
        barred=sorted(names[key] for key in token.barred.split() if key in names),
        revoke_url=reverse("token_revoke", args=[token.id]),
    )  # fmt: skip


def places_for_tokens(actor: Actor) -> list[tuple[str, str]]:
    """(value, words) of every place a token may be limited to: "acme" a tenant, "acme/shop" a project."""
    tenants = visible(actor, Tenant.objects.all()).order_by("name")[:200]
    projects = visible(actor, Project.objects.filter(deleted_at__isnull=True)).select_related("tenant")
    found = [(tenant.name, tenant.title or tenant.name) for tenant in tenants]
    found += [(str(row), f"{row.tenant.name} / {row.title or row.name}") for row in projects[:500]]
    return sorted(found)


def shown_account(user: User) -> dict[str, Any]:
    return {
        "title": user.title,
        "language": user.language,
        "theme": user.theme,
        "time_zone": user.time_zone,
        "keys": user.keys,
        "reader": user.reader,
    }


def session(user: User, session_id: uuid.UUID) -> Session:
    """One of somebody's own; another's is as missing as one that never was."""
    found = Session.objects.filter(user=user, id=session_id).first()
    if found is None:
        raise NotFound()
    return found
