"""Makes our rows follow Keystone: of one person at sign-in, of everybody every minute."""

import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from audit.models import AuditEntry
from audit.services import Line, record
from core.access import Actor
from tenants.changes import tell_of
from tenants.groups.leaving import leave_with_last_role
from tenants.identity.errors import IdentityUnavailable
from tenants.identity.facts import Snapshot
from tenants.identity.models import KeystoneWrite, SyncState
from tenants.identity.rows import SOURCE, follow_people, follow_places
from tenants.identity.wanted import rules, wishes
from tenants.models import Grant, Tenant, User

KEYSTONE = Actor(id=None, name=SOURCE, kind="system")
Role = tuple[str, uuid.UUID | None]  # role, tenant


@dataclass(frozen=True)
class Outcome:
    given: int
    ended: int


def follow(external_id: str) -> User | None:
    """One person, at this moment; None where Keystone does not know them. Raises IdentityUnavailable."""
    from tenants.identity import wire

    apply(wire.about(external_id))
    return User.objects.filter(source=SOURCE, external_id=external_id).first()


def follow_all() -> Outcome | None:
    """Everybody; None where Keystone does not answer, which is noted down."""
    from tenants.identity import wire

    began = time.monotonic()
    try:
        outcome = apply(wire.everything())
    except IdentityUnavailable:
        note(problem=IdentityUnavailable.code)
        return None
    note(took_ms=round((time.monotonic() - began) * 1000))
    return outcome


def note(*, problem: str = "", took_ms: int = 0) -> None:
    state = {"tried_at": Now(), "problem": problem} | ({} if problem else {"worked_at": Now(), "took_ms": took_ms})
    SyncState.objects.update_or_create(id=1, defaults=state)


def apply(read: Snapshot) -> Outcome:
    """Organizations, tenants, people; then the grants that differ, each person in a transaction of their own."""
    wished = wishes(read, rules(read.roles, bind=True))
    tenants = follow_places(read, wished)
    people = follow_people(read, wished)
    due: dict[uuid.UUID, set[Role]] = {row.pk: set() for row in people.values()}
    for wish in wished:
        if wish.person in people:
            due[people[wish.person].pk].add((wish.role, tenants[wish.project].pk if wish.project else None))
    given = ended = 0
    for person in differing(due):
        outcome = settle(person, due[person], tenants.values())
        given, ended = given + outcome.given, ended + outcome.ended
    return Outcome(given, ended)


def differing(due: dict[uuid.UUID, set[Role]]) -> list[uuid.UUID]:
    """People whose grants are not as they should be, by two queries however many they are."""
    held: dict[uuid.UUID, set[Role]] = {person: set() for person in due}
    synced: dict[uuid.UUID, set[Role]] = {person: set() for person in due}
    rows = Grant.objects.filter(ended_at__isnull=True, project__isnull=True, user__source=SOURCE)
    for person, role, tenant, source in rows.values_list("user_id", "role", "tenant_id", "source"):
        if person in due:
            held[person].add((role, tenant))
            if source == SOURCE:
                synced[person].add((role, tenant))
    return [person for person, roles in due.items() if roles - held[person] or synced[person] - roles]


@transaction.atomic
def settle(person: uuid.UUID, due: set[Role], tenants: Iterable[Tenant]) -> Outcome:
    """Give and end what differs. What is still to be written to Keystone counts as written."""
    user = User.objects.select_for_update().get(pk=person)
    homes = {row.pk: row for row in tenants}
    due = with_writes(user, due)
    held = {(row.role, row.tenant_id): row for row in Grant.objects.filter(
        user=user, ended_at__isnull=True, project__isnull=True
    )}  # fmt: skip
    ended = [row for place, row in held.items() if row.source == SOURCE and place not in due]
    for row in ended:
        Grant.objects.filter(pk=row.pk).update(ended_at=Now(), ended_by=SOURCE)
        _write_down("grant.end", user, row.role, row.tenant_id, given=False)
    given = [place for place in due if place not in held]
    for role, tenant in given:
        home = homes[tenant] if tenant else None
        Grant.objects.create(user=user, role=role, tenant=home, granted_by=SOURCE, source=SOURCE)
        _write_down("grant.give", user, role, tenant, given=True)
    leave_with_last_role(user, {row.tenant_id for row in ended if row.tenant_id}, by=KEYSTONE)
    if given or ended:
        tell_of(user.pk)
    return Outcome(len(given), len(ended))


def with_writes(user: User, due: set[Role]) -> set[Role]:
    due = set(due)
    for row in KeystoneWrite.objects.filter(user=user, done_at__isnull=True).order_by("id"):
        act = due.add if row.deed == KeystoneWrite.Deed.GIVE else due.discard
        act((row.role, row.tenant_id))
    return due


def _write_down(action: str, user: User, role: str, tenant: uuid.UUID | None, *, given: bool) -> None:
    line = Line(action, target_kind="tenant" if tenant else "platform", target_id=str(tenant or ""))
    line.tenant_id = tenant
    said = {"person": user.get_username(), "role": role}
    line.before, line.after = (None, said) if given else (said, None)
    record(KEYSTONE, line, result=AuditEntry.Result.DONE)


def configured() -> bool:
    return bool(settings.KEYSTONE["url"])
