"""Whether Keystone still wants somebody in: asked at their requests, answered within a second's memory."""

import threading
import time
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from tenants.identity.errors import IdentityUnavailable
from tenants.identity.facts import Disabled
from tenants.identity.rows import SOURCE, set_active, set_state
from tenants.models import Tenant, User

MOST_KEPT = 10_000


class Memory:
    """What was heard in the last moment, in this process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.good: dict[str, float] = {}  # Keystone's user id -> when it was last said to be good
        self.off = Disabled(frozenset(), frozenset())
        self.off_at: float | None = None

    def forget(self) -> None:
        with self.lock:
            self.good.clear()
            self.off_at = None

    def keep(self, key: str) -> None:
        with self.lock:
            if len(self.good) >= MOST_KEPT:
                self.good.clear()
            self.good[key] = time.monotonic()


memory = Memory()


def lets_in(user: User) -> bool:
    """False for who is disabled, gone, or was not heard of for longer than the grace while Keystone is away.

    Tenants whose project or domain was disabled meanwhile are closed on the way.
    """
    if user.source != SOURCE:
        return True
    if not settings.KEYSTONE["url"]:
        return False
    try:
        if _is_old(memory.off_at):
            _close_disabled()
        if _is_old(memory.good.get(user.external_id or "")):
            _ask(user, user.external_id or "")
    except IdentityUnavailable:
        return within_grace(user)
    return user.is_active


def within_grace(user: User) -> bool:
    grace = timedelta(seconds=settings.KEYSTONE_GRACE_SECONDS)
    return user.is_active and user.checked_at is not None and timezone.now() - user.checked_at < grace


def _is_old(moment: float | None) -> bool:
    return moment is None or time.monotonic() - moment >= settings.KEYSTONE_RECHECK_SECONDS


def _ask(user: User, key: str) -> None:
    from tenants.identity import wire

    person = wire.person(key)
    if person is None or not person.enabled or person.domain in memory.off.domains:
        set_active(user, good=False)
    else:
        memory.keep(key)


def heed_disabled() -> int:
    """Put out who was disabled in Keystone though they ask for nothing: only their sockets are still open.

    By three short lists, however many there are. Answers how many people that were. Raises IdentityUnavailable.
    """
    from tenants.identity import wire

    _close_disabled()
    off = wire.disabled_people()
    active = User.objects.filter(source=SOURCE, is_active=True).values_list("pk", "external_id")
    found = [key for key, external_id in active if external_id in off]
    for user in User.objects.filter(pk__in=found):
        set_active(user, good=False)
    return len(found)


def _close_disabled() -> None:
    from tenants.identity import wire

    off = wire.disabled()
    if off != memory.off or memory.off_at is None:
        for row in Tenant.objects.filter(source=SOURCE, state="active").select_related("organization"):
            if row.external_id in off.projects or row.organization.external_id in off.domains:
                set_state(row, good=False)
    memory.off, memory.off_at = off, time.monotonic()
