"""Gives and ends the roles in which people differ from what Keystone says of them."""

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models.functions import Now

from audit.models import AuditEntry
from audit.services import Line, record_all
from core.access import Actor
from tenants.changes import tell_of_all
from tenants.groups.leaving import leave_with_last_role
from tenants.identity.models import KeystoneWrite
from tenants.identity.rows import SOURCE
from tenants.models import Grant, User

KEYSTONE = Actor(id=None, name=SOURCE, kind="system")
Role = tuple[str, uuid.UUID | None]  # role, tenant
Due = Mapping[uuid.UUID, set[Role]]  # person -> all they are to hold


@dataclass(frozen=True)
class Outcome:
    given: int
    ended: int


@dataclass(frozen=True)
class Step:
    """One role of one person that is given, or, with a grant, that ends."""

    user: User
    role: str
    tenant: uuid.UUID | None
    grant: uuid.UUID | None = None

    @property
    def line(self) -> Line:
        line = Line("grant.end" if self.grant else "grant.give", target_id=str(self.tenant or ""))
        line.tenant_id, line.target_kind = self.tenant, "tenant" if self.tenant else "platform"
        said = {"person": self.user.get_username(), "role": self.role}
        line.before, line.after = (said, None) if self.grant else (None, said)
        return line


@transaction.atomic
def settle(due: Due) -> Outcome:
    """Give and end what differs, in one transaction, by a few statements for all of these people together."""
    users = list(User.objects.select_for_update().filter(pk__in=due).order_by("pk"))
    steps = list(_steps(users, with_writes(due)))
    given, ended = [one for one in steps if not one.grant], [one for one in steps if one.grant]
    Grant.objects.filter(pk__in=[one.grant for one in ended]).update(ended_at=Now(), ended_by=SOURCE)
    Grant.objects.bulk_create(
        Grant(user=one.user, role=one.role, tenant_id=one.tenant, granted_by=SOURCE, source=SOURCE) for one in given
    )
    left = leave_with_last_role([(one.user, one.tenant) for one in ended if one.tenant], by=SOURCE)
    tell_of_all({one.user.pk for one in steps})
    record_all(KEYSTONE, [*(one.line for one in steps), *left], result=AuditEntry.Result.DONE)
    return Outcome(len(given), len(ended))


def _steps(users: list[User], due: Due) -> Iterator[Step]:
    """Person after person; first what ends."""
    held: dict[uuid.UUID, dict[Role, Grant]] = defaultdict(dict)
    for row in Grant.objects.filter(user__in=users, ended_at__isnull=True, project__isnull=True):
        held[row.user_id][row.role, row.tenant_id] = row  # type: ignore[index]  # found by their users
    for user in users:
        for place, row in held[user.pk].items():
            if row.source == SOURCE and place not in due[user.pk]:
                yield Step(user, *place, grant=row.pk)
        for place in sorted(due[user.pk] - held[user.pk].keys(), key=str):
            yield Step(user, *place)


def with_writes(due: Due) -> dict[uuid.UUID, set[Role]]:
    """What is still to be written to Keystone counts as written."""
    wanted = {person: set(roles) for person, roles in due.items()}
    for row in KeystoneWrite.objects.filter(user__in=list(due), done_at__isnull=True).order_by("id"):
        roles = wanted[row.user_id]
        act = roles.add if row.deed == KeystoneWrite.Deed.GIVE else roles.discard
        act((row.role, row.tenant_id))
    return wanted


def differing(due: Due) -> dict[uuid.UUID, int]:
    """How many roles of each person are not as they should be, by one query however many people they are."""
    held: dict[uuid.UUID, set[Role]] = {person: set() for person in due}
    synced: dict[uuid.UUID, set[Role]] = {person: set() for person in due}
    rows = Grant.objects.filter(ended_at__isnull=True, project__isnull=True, user__source=SOURCE)
    if len(due) == 1:  # somebody signs in, and need not wait for the rows of everybody
        rows = rows.filter(user__in=list(due))
    for person, role, tenant, source in rows.values_list("user_id", "role", "tenant_id", "source"):
        if person in due:
            held[person].add((role, tenant))
            if source == SOURCE:
                synced[person].add((role, tenant))
    found = {person: len(roles - held[person]) + len(synced[person] - roles) for person, roles in due.items()}
    return {person: count for person, count in found.items() if count}
