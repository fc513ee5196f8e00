"""Organizations, tenants and people of Keystone as rows of ours: found by id, named once, never deleted."""

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import chain

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from core.pace import parts, unhurried
from tenants.changes import tell_of
from tenants.groups.holding import holders
from tenants.identity.facts import Domain, Person, Project, Snapshot
from tenants.identity.wanted import Wish
from tenants.models import Grant, Organization, Tenant, User

SOURCE = "keystone"
LONGEST_LABEL = 40
LONGEST_NAME = 100
MOST_CHECKED = 1000  # people in one statement


def label(*texts: str) -> str:
    """The texts as one name of ours: small letters, digits and hyphens."""
    plain = re.sub(r"[^a-z0-9]+", "-", "-".join(texts).casefold()).strip("-")
    return (plain if plain[:1].isalpha() else f"t-{plain}")[:LONGEST_LABEL].strip("-") or "t"


def labels(*, wished: str, other: str, key: str) -> list[str]:
    """The wished name, then others where somebody has it already. The last one, with the id, is always free."""
    return [label(wished), label(other, wished), label(wished[:24], key[:12]), label("t", key[:36])]


def first_free(names: list[str], taken: Container[str]) -> str:
    return next((name for name in names if name not in taken), names[-1])


def follow_places(read: Snapshot, wished: Iterable[Wish]) -> dict[str, Tenant]:
    """Tenants by Keystone's project id: one for each project in which somebody is to have a role."""
    needed = {wish.project for wish in wished if wish.project}
    tenants = {row.external_id or "": row for row in Tenant.objects.filter(source=SOURCE)}
    homes = {row.external_id or "": row for row in Organization.objects.filter(source=SOURCE)}
    new: list[tuple[Project, Organization]] = []
    for key in sorted(needed | (set(read.projects) & set(tenants))):
        project = read.projects[key]
        home = _organization(read.domains[project.domain], homes)
        if key not in tenants:
            new.append((project, home))
        elif tenants[key].title != project.name[:100]:
            _retitle(tenants[key], project.name)
    for part in unhurried(parts(new)):
        tenants |= _new_tenants(part)
    for key, row in tenants.items():
        if key in read.projects or not read.about:  # of what one person does not see, nothing is known
            set_state(row, good=read.project_is_good(key))
    return tenants


def _organization(domain: Domain, homes: dict[str, Organization]) -> Organization:
    row = homes.get(domain.id)
    if row is None:
        names = labels(wished=domain.name, other="org", key=domain.id)
        name = first_free(names, _taken(Organization, names))
        row = Organization.objects.create(name=name, title=domain.name[:100], source=SOURCE, external_id=domain.id)
        homes[domain.id] = row
    elif row.title != domain.name[:100]:
        _retitle(row, domain.name)
    return row


def _new_tenants(found: Sequence[tuple[Project, Organization]]) -> dict[str, Tenant]:
    """By Keystone's id. One that a sign-in has made meanwhile stays as it is."""
    names = [labels(wished=project.name, other=home.name, key=project.id) for project, home in found]
    taken = _taken(Tenant, chain.from_iterable(names))
    rows = []
    for (project, home), each in zip(found, names, strict=True):
        name, title = first_free(each, taken), project.name[:100]
        taken.add(name)
        rows.append(Tenant(name=name, title=title, organization=home, source=SOURCE, external_id=project.id))
    Tenant.objects.bulk_create(rows, ignore_conflicts=True)
    there = Tenant.objects.filter(source=SOURCE, external_id__in=[project.id for project, _home in found])
    return {row.external_id or "": row for row in there}


def _taken(kind: type[Organization] | type[Tenant], names: Iterable[str]) -> set[str]:
    return set(kind._default_manager.filter(name__in=set(names)).values_list("name", flat=True))


def _retitle(row: Organization | Tenant, name: str) -> None:
    row.title = name[:100]
    type(row)._default_manager.filter(pk=row.pk).update(title=row.title, version=F("version") + 1, updated_at=Now())


def set_state(row: Tenant, *, good: bool) -> None:
    """Disable a tenant whose project is off or gone, and open it again when it is back. Other states are left alone."""
    before, after = ("disabled", "active") if good else ("active", "disabled")
    if row.state != before:
        return
    with transaction.atomic():
        row.state = after
        Tenant.objects.filter(pk=row.pk, state=before).update(state=after, version=F("version") + 1, updated_at=Now())
        for person in holders(Grant.objects.filter(tenant=row, ended_at__isnull=True)):
            tell_of(person.pk)


def follow_people(read: Snapshot, wished: Iterable[Wish]) -> dict[str, User]:
    """Rows by Keystone's user id: of everybody known here, and of those who are to have a role."""
    known = {row.external_id or "": row for row in User.objects.filter(source=SOURCE, **_only(read))}
    needed = {wish.person for wish in wished} | ({read.about} & set(read.people))
    for part in unhurried(parts(sorted(needed - set(known)))):
        known |= _new_people([read.people[key] for key in part], read.domains)
    for key, row in known.items():
        set_active(row, good=read.person_is_good(key))
    for good in unhurried(parts([row.pk for key, row in known.items() if read.person_is_good(key)], MOST_CHECKED)):
        User.objects.filter(pk__in=good).update(checked_at=Now())
    return known


def _only(read: Snapshot) -> dict[str, str]:
    return {"external_id": read.about} if read.about else {}


def _new_people(found: Sequence[Person], domains: Mapping[str, Domain]) -> dict[str, User]:
    """By Keystone's id: `name@organization`, for life; a later one of the same name gets a part of their id behind it.

    One whom a sign-in has made meanwhile stays as they are.
    """
    names = [f"{person.name[:LONGEST_NAME]}@{domains[person.domain].name[:36]}" for person in found]
    taken = set(User.objects.filter(username__in=names).values_list("username", flat=True))
    rows = []
    for person, name in zip(found, names, strict=True):
        free = f"{name}-{person.id[:12]}" if name in taken else name
        taken.add(free)
        row = User(username=free, source=SOURCE, external_id=person.id, title=person.name[:100])
        row.set_unusable_password()
        rows.append(row)
    User.objects.bulk_create(rows, ignore_conflicts=True)
    there = User.objects.filter(source=SOURCE, external_id__in=[person.id for person in found])
    return {row.external_id or "": row for row in there}


def set_active(row: User, *, good: bool) -> None:
    """As Keystone says; who was disabled here stays so."""
    active = good and row.disabled_at is None
    if row.is_active == active:
        return
    with transaction.atomic():
        row.is_active = active
        User.objects.filter(pk=row.pk).update(is_active=active)
        tell_of(row.pk)
