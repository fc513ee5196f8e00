"""From what Keystone says to the grants that follow from it. Nothing is written here."""

from collections.abc import Mapping
from dataclasses import dataclass

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


def rules(roles: Mapping[str, str]) -> Rules:
    """The mapping table by Keystone's ids. A row that names a role for the first time is bound to its id."""
    by_name = {name: key for key, name in roles.items()}
    found: dict[tuple[str, str], list[str]] = {}
    for row in RoleMapping.objects.all():
        key = row.external_id or by_name.get(row.keystone_role, "")
        if not key or roles.get(key, "").casefold() == ADMIN:
            continue
        if not row.external_id:
            RoleMapping.objects.filter(pk=row.pk, external_id="").update(external_id=key)
        found.setdefault((row.place, key), []).append(row.role)
    return found


def wishes(read: Snapshot, known: Rules) -> set[Wish]:
    """What the assignments of good people on good projects come to."""
    homes: dict[str, list[str]] = {}
    for project in read.projects.values():
        homes.setdefault(project.domain, []).append(project.id)
    return {
        Wish(each.user, role, project)
        for each in read.assignments
        if read.person_is_good(each.user)
        for role in known.get((each.place, each.role), [])
        for project in _where(each, read, homes)
    }


def _where(each: Assignment, read: Snapshot, homes: Mapping[str, list[str]]) -> list[str | None]:
    if each.place == "system":
        return [None]
    projects = [each.where] if each.place == "project" else homes.get(each.where, [])
    return [key for key in projects if read.project_is_good(key)]
