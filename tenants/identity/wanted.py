"""From what Keystone says to the grants that follow from it. Nothing is written here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.conf import settings

from tenants.identity.facts import Assignment, Snapshot
from tenants.identity.models import RoleMapping

ADMIN = "admin"  # on any one project it is admin of the whole cloud; it gives nothing here


@dataclass(frozen=True)
class Wish:
    """A role of ours that a person is to have: on the tenant of a project, or on the platform (no project)."""

    person: str
    role: str
    project: str | None


Rules = Mapping[tuple[str, str], list[str]]  # (place, Keystone's role id) -> roles of ours


def rules(roles: Mapping[str, str], *, bind: bool = False) -> Rules:
    """The mapping table by Keystone's ids. `bind`: a row that names a role for the first time keeps its id."""
    by_name = {name: key for key, name in roles.items()}
    found: dict[tuple[str, str], list[str]] = {}
    for row in RoleMapping.objects.all():
        key = row.external_id or by_name.get(row.keystone_role, "")
        if not key or roles.get(key, "").casefold() == ADMIN:
            continue
        if bind and not row.external_id:
            RoleMapping.objects.filter(pk=row.pk, external_id="").update(external_id=key)
        found.setdefault((row.place, key), []).append(row.role)
    return found


def wishes(read: Snapshot, known: Rules) -> set[Wish]:
    """What the assignments of good people on good projects come to. The account Berth reads with is nobody here."""
    homes: dict[str, list[str]] = {}
    for project in read.projects.values():
        homes.setdefault(project.domain, []).append(project.id)
    return {
        Wish(each.user, role, project)
        for each in read.assignments
        if each.user != settings.KEYSTONE["user"] and read.person_is_good(each.user)
        for theirs in with_implied(each.role, read)
        for role in known.get((each.place, theirs), [])
        for project in _where(each, read, homes)
    }


def with_implied(role: str, read: Snapshot) -> set[str]:
    """The role and all that come with it. Keystone's admin comes with every other one: here it brings none of them."""
    found: set[str] = set()
    open_roles = {role}
    while open_roles:
        each = open_roles.pop()
        if each not in found and read.roles.get(each, "").casefold() != ADMIN:
            found.add(each)
            open_roles |= read.implied.get(each, set())
    return found


def _where(each: Assignment, read: Snapshot, homes: Mapping[str, list[str]]) -> list[str | None]:
    if each.place == "system":
        return [None]
    projects = [each.where] if each.place == "project" else homes.get(each.where, [])
    return [key for key in projects if read.project_is_good(key)]


def token_roles(known: Rules, roles: Iterable[str]) -> list[str]:
    """What the roles of a token for one project give there."""
    return [ours for role in roles for ours in known.get((RoleMapping.Place.PROJECT, role), [])]
