"""Organizations, tenants and people of Keystone as rows of ours: found by id, named once, never deleted."""

import re
from collections.abc import Iterable

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from tenants.changes import tell_of
from tenants.groups.holding import holders
from tenants.identity.facts import Domain, Person, Project, Snapshot
from tenants.identity.wanted import Wish
from tenants.models import Grant, Organization, Tenant, User

SOURCE = "keystone"
LONGEST_LABEL = 40
LONGEST_NAME = 100


def label(*texts: str) -> str:
    """The texts as one name of ours: small letters, digits and hyphens."""
    plain = re.sub(r"[^a-z0-9]+", "-", "-".join(texts).casefold()).strip("-")
    return (plain if plain[:1].isalpha() else f"t-{plain}")[:LONGEST_LABEL].strip("-") or "t"


def free_label(kind: type[Organization] | type[Tenant], *, wished: str, other: str, key: str) -> str:
    """The wished name, or one beside it where another has it already. The last one, with the id, is always free."""
    for name in (label(wished), label(other, wished), label(wished[:24], key[:12])):
        if not kind.objects.filter(name=name).exists():
            return name
    return label("t", key[:36])


def follow_places(read: Snapshot, wished: Iterable[Wish]) -> dict[str, Tenant]:
    """Tenants by Keystone's project id: one for each project in which somebody is to have a role."""
    needed = {wish.project for wish in wished if wish.project}
    tenants = {row.external_id or "": row for row in Tenant.objects.filter(source=SOURCE)}
    homes = {row.external_id or "": row for row in Organization.objects.filter(source=SOURCE)}
    for key in sorted(needed | (set(read.projects) & set(tenants))):
        project = read.projects[key]
        home = _organization(read.domains[project.domain], homes)
        tenants[key] = _tenant(project, home, tenants.get(key))
    for key, row in tenants.items():
        if key in read.projects or not read.about:  # of what one person does not see, nothing is known
            set_state(row, good=read.project_is_good(key))
    return tenants


def _organization(domain: Domain, homes: dict[str, Organization]) -> Organization:
    row = homes.get(domain.id)
    if row is None:
        name = free_label(Organization, wished=domain.name, other="org", key=domain.id)
        row = Organization.objects.create(name=name, title=domain.name[:100], source=SOURCE, external_id=domain.id)
        homes[domain.id] = row
    elif row.title != domain.name[:100]:
        _retitle(row, domain.name)
    return row


def _tenant(project: Project, home: Organization, row: Tenant | None) -> Tenant:
    if row is None:
        name = free_label(Tenant, wished=project.name, other=home.name, key=project.id)
        title = project.name[:100]
        return Tenant.objects.create(name=name, title=title, organization=home, source=SOURCE, external_id=project.id)
    if row.title != project.name[:100]:
        _retitle(row, project.name)
    return row


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
    for key in sorted({wish.person for wish in wished} | ({read.about} & set(read.people))):
        if key not in known:
            person = read.people[key]
            known[key] = _person(person, read.domains[person.domain].name)
    for key, row in known.items():
        set_active(row, good=read.person_is_good(key))
    good = [row.pk for key, row in known.items() if read.person_is_good(key)]
    User.objects.filter(pk__in=good).update(checked_at=Now())
    return known


def _only(read: Snapshot) -> dict[str, str]:
    return {"external_id": read.about} if read.about else {}


def _person(person: Person, domain: str) -> User:
    """`name@organization`, for life; a later person of the same name gets a part of their id behind it."""
    name = f"{person.name[:LONGEST_NAME]}@{domain[:36]}"
    if User.objects.filter(username=name).exists():
        name = f"{name}-{person.id[:12]}"
    row = User(username=name, source=SOURCE, external_id=person.id, title=person.name[:100])
    row.set_unusable_password()
    row.save(force_insert=True)
    return row


def set_active(row: User, *, good: bool) -> None:
    """As Keystone says; who was disabled here stays so."""
    active = good and row.disabled_at is None
    if row.is_active == active:
        return
    with transaction.atomic():
        row.is_active = active
        User.objects.filter(pk=row.pk).update(is_active=active)
        tell_of(row.pk)
