"""Reads of tenants, projects, grants and tokens, as far as somebody may see them."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, overload

from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from core.access import Actor, Codes, get_visible, visible
from core.api.paging import Rows, plain
from core.errors import FieldProblem, Invalid, NotFound
from tenants.models import Grant, Project, Tenant, Token, User
from tenants.rights import running_grants

TENANT = ["id", "name", "title", "state", "version", "created_at", "updated_at"]
PROJECT = [*TENANT, "tenant_id", "state_since", "state_by", "state_reason", "deleted_at"]
GRANT = [
    "id",
    "user_id",
    "user__username",
    "group_id",
    "group__name",
    "role",
    "project__name",
    "starts_at",
    "ends_at",
    "reason",
    "granted_by",
    "created_at",
]
TOKEN = ["id", "name", "scopes", "tenant_name", "project_name", "created_at", "expires_at", "last_used_at", "prefix"]


def tenants(actor: Actor) -> Rows:
    return plain(visible(actor, Tenant.objects.all()), *TENANT)


def tenant(actor: Actor, name: str) -> Tenant:
    return get_visible(actor, Tenant.objects.all(), name=name)


def projects(actor: Actor, home: Tenant, state: str = "") -> Rows:
    """Those there are, or those in one state; of deleted ones those that somebody may still bring back."""
    if state == Project.State.DELETED:
        return plain(visible(actor, deleted_projects().filter(tenant=home), "project.delete"), *PROJECT)
    rows = Project.objects.filter(tenant=home, deleted_at__isnull=True)
    return plain(visible(actor, rows.filter(state=state) if state else rows), *PROJECT)


def deleted_projects() -> QuerySet[Project]:
    return Project.objects.filter(deleted_at__isnull=False, purged_at__isnull=True)


def project(actor: Actor, tenant_name: str, name: str, *, deleted: bool = False) -> Project:
    """The project with its tenant, in one query; `deleted`: also one that is to be brought back."""
    rows = Project.objects.select_related("tenant").filter(tenant__name=tenant_name, name=name)
    if deleted and visible(actor, deleted_projects().filter(pk__in=rows), "project.delete").exists():
        return get_visible(actor, rows.filter(purged_at__isnull=True), permission="project.delete")
    return get_visible(actor, rows.filter(deleted_at__isnull=True))


def shown_tenant(row: Tenant) -> dict[str, Any]:
    return {name: getattr(row, name) for name in TENANT}


def shown_project(row: Project) -> dict[str, Any]:
    return {name: getattr(row, name) for name in PROJECT}


def grants(home: Tenant) -> Rows:
    """Those that hold now, on the tenant and on its projects."""
    return plain(Grant.objects.filter(running_grants(), tenant=home), *GRANT)


def grant(actor: Actor, home: Tenant, grant_id: uuid.UUID) -> Grant:
    rows = Grant.objects.select_related("tenant", "project__tenant", "user", "group").filter(
        running_grants(), tenant=home
    )
    return get_visible(actor, rows, pk=grant_id)


def shown_grants(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [shown_grant_row(row) for row in rows]


def shown_grant_row(row: Mapping[str, Any]) -> dict[str, Any]:
    document = dict(row)
    named = {"subject": "user__username", "group": "group__name", "project": "project__name"}
    return {name: document.pop(column) for name, column in named.items()} | document


def shown_grant(row: Grant) -> dict[str, Any]:
    return shown_grant_row(plain(Grant.objects.filter(pk=row.pk), *GRANT)[0])


def grantable(actor: Actor, home: Tenant, project_name: str | None) -> Tenant | Project:
    """What a role is to be given on: the tenant itself, or the project that is named."""
    if project_name is None:
        return home
    rows = visible(actor, Project.objects.select_related("tenant").filter(tenant=home, deleted_at__isnull=True))
    found = rows.filter(name=project_name).first()
    if found is None:
        raise Invalid(errors=[FieldProblem("project", "unknown", _("There is no such project here."))])
    return found


@overload
def person(field: str, name: str) -> User: ...
@overload
def person(field: str, name: None) -> None: ...
def person(field: str, name: str | None) -> User | None:
    """The active person of that name; None where none was named. `field` is where the name was sent."""
    if name is None:
        return None
    found = User.objects.filter(username=name, is_active=True, robot=None).first()
    if found is None:
        raise Invalid(errors=[FieldProblem(field, "unknown", _("There is no such person."))])
    return found


def tokens(user: User) -> Rows:
    named = {
        "created_at": F("created"),
        "expires_at": F("expiry"),
        "prefix": F("token_key"),
        "tenant_name": F("tenant__name"),
        "project_name": F("project__name"),
    }
    return plain(Token.objects.filter(user=user).annotate(**named), *TOKEN)


def shown_tokens(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [_shown_token_row(dict(row)) for row in rows]


def _shown_token_row(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"tenant": row.pop("tenant_name"), "project": row.pop("project_name")}


def place_of_token(actor: Actor, tenant_name: str | None, project_name: str | None) -> Tenant | Project | None:
    """Where a new token is to count; None: everywhere."""
    if tenant_name is None:
        return None
    home = visible(actor, Tenant.objects.all()).filter(name=tenant_name).first()
    if home is None:
        raise Invalid(errors=[FieldProblem("tenant", "unknown", _("There is no such tenant."))])
    return grantable(actor, home, project_name)


def token(user: User, token_id: uuid.UUID) -> Token:
    found: Token | None = Token.objects.filter(user=user, id=token_id).first()
    if found is None:
        raise NotFound()
    return found


def shown_token(row: Token) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "scopes": row.scopes,
        "tenant": row.tenant.name if row.tenant else None,
        "project": row.project.name if row.project else None,
        "created_at": row.created,
        "expires_at": row.expiry,
        "last_used_at": row.last_used_at,
        "prefix": row.token_key,
    }


def me(actor: Actor, user: User, used: Token | None) -> dict[str, Any]:
    """Who somebody is, and what they may do where; limited by the token they came with."""
    rights = actor.rights

    def limited(codes: Codes) -> list[str]:
        return sorted(codes if rights.ceiling is None else codes & rights.ceiling)

    homes = Tenant.objects.filter(pk__in=list(rights.tenants)).order_by("name")
    rows = Project.objects.filter(pk__in=list(rights.projects), deleted_at__isnull=True).select_related("tenant")
    return {
        "id": user.pk,
        "name": user.get_username(),
        "title": user.title,
        "language": user.language,
        "theme": user.theme,
        "time_zone": user.time_zone,
        "keys": user.keys,
        "reader": user.reader,
        "platform": limited(rights.platform),
        "tenants": [
            {"id": row.pk, "name": row.name, "title": row.title, "permissions": limited(rights.tenants[row.pk])}
            for row in homes
        ],
        "projects": [
            {"id": row.pk, "tenant": row.tenant.name, "name": row.name, "title": row.title}
            | {"permissions": limited(rights.projects[row.pk])}
            for row in rows.order_by("tenant__name", "name")
        ],
        "token": shown_token(used) if used is not None else None,
    }
