"""Reads of robots and of the tokens that count in one project."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import F, Max
from django.utils.translation import gettext as _

from core.access import Actor, check, get_visible, visible
from core.api.paging import Rows, plain
from core.errors import FieldProblem, Invalid, NotFound
from tenants.models import Project, Token
from tenants.robots.models import Robot

ROBOT = ["id", "name", "role", "made_by", "created_at", "last_used_at"]
TOKEN = [
    "id", "name", "scopes", "owner", "robot_name", "created_at", "expires_at", "last_used_at", "prefix",
]  # fmt: skip


def robots(actor: Actor, project: Project) -> Rows:
    check(actor, "member.view", project)
    rows = Robot.objects.filter(project=project, removed_at=None)
    used = Max("user__auth_token_set__last_used_at")
    return plain(rows.annotate(last_used_at=used), *ROBOT)


def robot(actor: Actor, project: Project, name: str) -> Robot:
    rows = Robot.objects.select_related("user", "project__tenant").filter(project=project, removed_at=None)
    return get_visible(actor, rows, name=name)


def robot_named(actor: Actor, project: Project, name: str) -> Robot:
    """As `robot`, of a name that a body sent."""
    rows = Robot.objects.select_related("user", "project__tenant").filter(project=project, removed_at=None, name=name)
    found = visible(actor, rows).first()
    if found is None:
        raise Invalid(errors=[FieldProblem("robot", "unknown", _("This project has no such robot."))])
    return found


def shown_robot(row: Robot) -> dict[str, Any]:
    document: dict[str, Any] = dict(Robot.objects.filter(pk=row.pk).values(*ROBOT[:-1])[0])
    return document | {"last_used_at": None}


def tokens(actor: Actor, project: Project) -> Rows:
    """Those of robots, and those that people limited to this project."""
    check(actor, "member.view", project)
    named = {
        "created_at": F("created"),
        "expires_at": F("expiry"),
        "prefix": F("token_key"),
        "owner": F("user__username"),
        "robot_name": F("user__robot__name"),
    }
    return plain(Token.objects.filter(project=project).annotate(**named), *TOKEN)


def shown_tokens(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [shown_token(row) for row in rows]


def shown_token(row: Mapping[str, Any]) -> dict[str, Any]:
    document = dict(row)
    return document | {"robot": document.pop("robot_name")}


def shown_new_token(row: Token) -> dict[str, Any]:
    robot_row = Robot.objects.filter(user=row.user_id).first()
    return {
        "id": row.id,
        "name": row.name,
        "scopes": row.scopes,
        "owner": row.user.get_username(),
        "robot": robot_row.name if robot_row else None,
        "created_at": row.created,
        "expires_at": row.expiry,
        "last_used_at": row.last_used_at,
        "prefix": row.token_key,
    }


def token(project: Project, token_id: uuid.UUID) -> Token:
    """One that counts in this project only; whoever asks may see the project already."""
    found: Token | None = Token.objects.select_related("user").filter(project=project, id=token_id).first()
    if found is None:
        raise NotFound()
    return found
