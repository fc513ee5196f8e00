"""Reads of robots and of the tokens that count in one project."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import F, Max, QuerySet
from django.utils.translation import gettext as _

from core.access import Actor, Rights, check, get_visible, may, visible
from core.api.paging import Rows, plain
from core.errors import FieldProblem, Invalid, NotFound
from tenants.custom.resolving import codes_at
from tenants.models import Project, Token
from tenants.presence import rights_of_all
from tenants.robots.models import Robot

ROBOT = [
    "id", "name", "role", "made_by", "created_at", "last_used_at", "keeper_id", "keeper_name", "keeper_is_active",
    "tenant_id", "project_id",
]  # fmt: skip
NO_KEEPER, DISABLED, LACKS = "no_keeper", "keeper_disabled", "keeper_lacks"  # why a robot stands still
TOKEN = [
    "id", "name", "scopes", "owner", "robot_name", "created_at", "expires_at", "last_used_at", "prefix",
]  # fmt: skip


def robots(actor: Actor, project: Project) -> Rows:
    check(actor, "member.view", project)
    return _plain_robots(Robot.objects.filter(project=project, removed_at=None))


def _plain_robots(rows: QuerySet[Robot]) -> Rows:
    named = {"keeper_name": F("keeper__username"), "keeper_is_active": F("keeper__is_active")}
    return plain(rows.annotate(last_used_at=Max("user__auth_token_set__last_used_at"), **named), *ROBOT)


def robot(actor: Actor, project: Project, name: str) -> Robot:
    rows = Robot.objects.select_related("user", "keeper", "project__tenant").filter(project=project, removed_at=None)
    return get_visible(actor, rows, name=name)


def robot_named(actor: Actor, project: Project, name: str) -> Robot:
    """As `robot`, of a name that a body sent."""
    rows = Robot.objects.select_related("user", "project__tenant").filter(project=project, removed_at=None, name=name)
    found = visible(actor, rows).first()
    if found is None:
        raise Invalid(errors=[FieldProblem("robot", "unknown", _("This project has no such robot."))])
    return found


def may_take_over(actor: Actor, project: Project, role: str) -> bool:
    """Whether they may manage members there and hold all of the role, at this moment."""
    codes = codes_at(project.tenant_id, role)
    return bool(codes) and all(may(actor, code, project) for code in (*codes, "member.manage"))


def shown_robots(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """With the keeper, what the robot may not because its keeper may not, and why it stands still where it does."""
    held = rights_of_all({row["keeper_id"] for row in rows if row["keeper_is_active"]})
    return [_shown_robot(row, held.get(row["keeper_id"])) for row in rows]


def _shown_robot(row: Mapping[str, Any], keeper: Rights | None) -> dict[str, Any]:
    role = codes_at(row["tenant_id"], row["role"])
    place = {"tenant": row["tenant_id"], "project": row["project_id"]}
    lacks = sorted(code for code in role if keeper is None or not keeper.allows(code, **place))
    shown = {name: row[name] for name in ("id", "name", "role", "made_by", "created_at", "last_used_at")}
    return shown | {"keeper": row["keeper_name"], "lacks": lacks, "stopped": _why_stopped(row, len(lacks) == len(role))}


def _why_stopped(row: Mapping[str, Any], lacks_all: bool) -> str | None:
    if row["keeper_id"] is None:
        return NO_KEEPER
    if not row["keeper_is_active"]:
        return DISABLED
    return LACKS if lacks_all else None


def shown_robot(row: Robot) -> dict[str, Any]:
    return shown_robots(list(_plain_robots(Robot.objects.filter(pk=row.pk))))[0]


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
