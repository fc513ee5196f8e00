"""Who may see and do what. Rights are loaded once per request from grants; no check costs a query."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _

from core.errors import Changed, Denied, NotFound

M = TypeVar("M", bound=Model)
Codes = frozenset[str]
NONE: Codes = frozenset()


class Scope(NamedTuple):
    """Which columns of a model say whose a row is; None where the model has no such column.

    `shared`: a row whose tenant column is null is for everyone who holds the permission anywhere.
    `upkeep`: a row whose tenant column is null is for whoever holds this permission on the platform.
    """

    tenant: str | None = "tenant_id"
    project: str | None = "project_id"
    shared: bool = False
    upkeep: str = ""


PLATFORM_SCOPE = Scope(None, None)


@dataclass(frozen=True)
class Rights:
    """Permission codes by place. A code held in a tenant holds in all its projects."""

    platform: Codes = NONE
    tenants: Mapping[uuid.UUID, Codes] = field(default_factory=dict)
    projects: Mapping[uuid.UUID, Codes] = field(default_factory=dict)
    own: Codes = NONE  # held by being signed in: one's own account
    ceiling: Codes | None = None  # a token's scopes: nothing outside them
    ends: tuple[datetime, ...] = field(default=(), compare=False)  # of what is held, as far as it has an end

    def allows(self, code: str, *, tenant: uuid.UUID | None, project: uuid.UUID | None) -> bool:
        if self.ceiling is not None and code not in self.ceiling:
            return False
        if code in self.own or code in self.platform:
            return True
        if tenant is not None and code in self.tenants.get(tenant, NONE):
            return True
        return project is not None and code in self.projects.get(project, NONE)

    def places(self, code: str) -> tuple[list[uuid.UUID], list[uuid.UUID]]:
        """Tenants and projects in which the code is held."""
        if self.ceiling is not None and code not in self.ceiling:
            return [], []
        return (
            [tenant for tenant, codes in self.tenants.items() if code in codes],
            [project for project, codes in self.projects.items() if code in codes],
        )


@dataclass(frozen=True)
class Actor:
    """Who acts, with what rights, from where. There is no action without one; the system is one too."""

    id: uuid.UUID | None
    name: str
    rights: Rights = Rights()
    kind: str = "person"  # person | token | system | nobody
    address: str = ""
    client: str = ""
    request_id: str = ""
    session: str = ""
    token: uuid.UUID | None = None  # id of the token a program came with


SYSTEM = Actor(id=None, name="berth", kind="system")
NOBODY = Actor(id=None, name="", kind="nobody")

_behind: list[Callable[[uuid.UUID, tuple[str, ...], Model | None], list[str]]] = []


def register_behind(find: Callable[[uuid.UUID, tuple[str, ...], Model | None], list[str]]) -> None:
    """Tenants tells here how to find the grants that allow something."""
    _behind.append(find)


def grants_behind(actor: Actor, permissions: tuple[str, ...], target: Model | None) -> list[str]:
    """Ids of the grants by which the actor may do this now; what is one's own needs none."""
    if actor.id is None or set(permissions) & actor.rights.own:
        return []
    return [found for find in _behind for found in find(actor.id, permissions, target)]


_use: list[Callable[[list[str]], None]] = []


def register_use(note: Callable[[list[str]], None]) -> None:
    """Tenants tells here how to remember that something was done under grants."""
    _use.append(note)


def note_use(grants: list[str]) -> None:
    """Call it in the transaction of what was done under these grants."""
    for note in _use:
        note(grants)


_who_grants: list[Callable[[str, Model | None], str]] = []
_gates: list[Callable[[Model | None], None]] = []


def register_who_grants(find: Callable[[str, Model | None], str]) -> None:
    """Tenants tells here how to name the people who can give a permission."""
    _who_grants.append(find)


def register_gate(refuse: Callable[[Model | None], None]) -> None:
    """Tenants tells here how to find out that nothing may be changed in the place a row is in; it raises."""
    _gates.append(refuse)


def check_open(target: Model | None) -> None:
    """Pass where changes are possible; every command asks, except those that lead out of a closed place."""
    for refuse in _gates:
        refuse(target)


def scope_of(model: type[Model] | Model) -> Scope:
    scope: Scope = model.scope  # type: ignore[union-attr]  # portal/checks.py refuses a model that declares none
    return scope


def places_of(target: Model | None) -> tuple[uuid.UUID | None, uuid.UUID | None]:
    """(tenant id, project id) of a row; (None, None) of the platform."""
    if target is None:
        return None, None
    scope = scope_of(target)
    return _column(target, scope.tenant), _column(target, scope.project)


def _column(target: Model, path: str | None) -> uuid.UUID | None:
    """The value at the end of a lookup path such as `release__tenant_id`."""
    if path is None:
        return None
    value: uuid.UUID | None = attrgetter(path.replace("__", "."))(target)
    return value


def may(actor: Actor, permission: str, target: Model | None = None) -> bool:
    tenant, project = places_of(target)
    return actor.rights.allows(permission, tenant=tenant, project=project)


def check(actor: Actor, permission: str, target: Model | None = None) -> None:
    check_any(actor, (permission,), target)


def check_any(actor: Actor, permissions: tuple[str, ...], target: Model | None = None) -> None:
    """Pass with any one of the permissions; else Denied names the first and who can give it."""
    if any(may(actor, code, target) for code in permissions):
        return
    permission = permissions[0]
    who = next((find(permission, target) for find in _who_grants), "")
    raise Denied(
        _("You need the permission “%(permission)s” for this.") % {"permission": permission},
        hint=who,
        extra={"permission": permission},
    )


def visible(actor: Actor, queryset: QuerySet[M], permission: str | None = None) -> QuerySet[M]:
    """Narrow to the rows the actor may see, by one condition on indexed columns."""
    condition = seen(actor, queryset.model, permission)
    return queryset.filter(condition) if condition else queryset


def seen(actor: Actor, model: type[Model], permission: str | None = None, *, prefix: str = "") -> Q:
    """The condition of `visible`; an empty one for whoever may see all rows, which `|` would lose.

    `prefix` leads to the model from another one whose rows are asked for.
    """
    code: str = permission or model.view_permission  # type: ignore[attr-defined]  # declared beside `scope`
    scope, rights = scope_of(model), actor.rights
    if code in rights.platform and (rights.ceiling is None or code in rights.ceiling):
        return Q()
    tenants, projects = rights.places(code)
    condition = Q(pk__in=[])
    if scope.tenant and tenants:
        condition |= Q(**{f"{prefix}{scope.tenant}__in": tenants})
    if scope.project and projects:
        condition |= Q(**{f"{prefix}{scope.project}__in": projects})
    if scope.shared and (tenants or projects):
        condition |= Q(**{f"{prefix}{scope.tenant}__isnull": True})
    if scope.upkeep and rights.allows(scope.upkeep, tenant=None, project=None):
        condition |= Q(**{f"{prefix}{scope.tenant}__isnull": True})
    return condition


def get_visible(actor: Actor, queryset: QuerySet[M], *, permission: str | None = None, **lookup: Any) -> M:
    """The row, or the same NotFound for a missing row and for a foreign one."""
    row = visible(actor, queryset, permission).filter(**lookup).first()
    if row is None:
        raise NotFound()
    return row


def check_unchanged(target: Any, expected_version: int | None) -> None:
    """Refuse a change on top of somebody else's (`If-Match`)."""
    if expected_version is not None and target.version != expected_version:
        raise Changed(extra={"version": target.version})
