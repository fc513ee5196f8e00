"""Makes our rows follow Keystone: of one person at sign-in, of everybody every minute."""

import time
import uuid

from django.conf import settings
from django.db.models.functions import Now

from core.pace import unhurried, weighed
from tenants.identity.errors import IdentityUnavailable
from tenants.identity.facts import Snapshot
from tenants.identity.models import SyncState
from tenants.identity.rows import SOURCE, follow_people, follow_places
from tenants.identity.settling import Outcome, Role, differing, settle
from tenants.identity.wanted import rules, wishes
from tenants.models import User


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
    """Organizations, tenants, people; then the grants that differ, some people's in each transaction.

    One that is killed has done what was committed until then, and the next one does the rest.
    """
    wished = wishes(read, rules(read.roles, bind=True))
    tenants = follow_places(read, wished)
    people = follow_people(read, wished)
    due: dict[uuid.UUID, set[Role]] = {row.pk: set() for row in people.values()}
    for wish in wished:
        person, home = people.get(wish.person), tenants.get(wish.project) if wish.project else None
        if person and (home or not wish.project):
            due[person.pk].add((wish.role, home.pk if home else None))
    given = ended = 0
    for part in unhurried(weighed(differing(due))):
        outcome = settle({person: due[person] for person in part})
        given, ended = given + outcome.given, ended + outcome.ended
    return Outcome(given, ended)


def configured() -> bool:
    return bool(settings.KEYSTONE["url"])
