"""The mapping table, and where Keystone and Berth differ."""

import uuid
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings

from core.access import Actor, get_visible, visible
from core.api.paging import Rows, plain
from tenants.ending import role_title
from tenants.identity.errors import IdentityUnavailable
from tenants.identity.facts import Snapshot
from tenants.identity.models import KeystoneWrite, RoleMapping, SyncState
from tenants.identity.rows import SOURCE
from tenants.identity.wanted import ADMIN, Wish, rules, wishes
from tenants.models import Grant

MAPPING = ["id", "place", "keystone_role", "role", "created_at"]
MOST_SHOWN = 200


def mappings(actor: Actor) -> Rows:
    return plain(visible(actor, RoleMapping.objects.all()), *MAPPING)


def mapping(actor: Actor, key: uuid.UUID) -> RoleMapping:
    return get_visible(actor, RoleMapping.objects.all(), pk=key)


def shown_mapping(row: RoleMapping) -> dict[str, Any]:
    return {name: getattr(row, name) for name in MAPPING}


@dataclass(frozen=True)
class Difference:
    """`kind`: missing (only in Keystone), extra (only in Berth), unwritten, refused (`said`: why)."""

    kind: str
    person: str
    role: str
    tenant: str
    said: str = ""

    @property
    def title(self) -> str:
        return role_title(self.role)


@dataclass(frozen=True)
class Drift:
    """`reachable` is None where no Keystone is configured. `unmapped` are Keystone's roles that give nothing."""

    reachable: bool | None
    differences: list[Difference]
    unmapped: list[str]
    more: int = 0

    def as_json(self) -> dict[str, Any]:
        state = SyncState.objects.filter(pk=1).first()
        return {
            "configured": self.reachable is not None,
            "reachable": bool(self.reachable),
            "synced_at": state.worked_at if state else None,
            "differences": [asdict(one) for one in self.differences],
            "more": self.more,
            "unmapped": self.unmapped,
        }


def sync_state() -> SyncState | None:
    return SyncState.objects.filter(pk=1).first()


def drift() -> Drift:
    """Looks at Keystone now; nothing is changed by that."""
    if not settings.KEYSTONE["url"]:
        return Drift(None, [], [])
    from tenants.identity import wire

    try:
        read = wire.everything()
    except IdentityUnavailable:
        return Drift(False, _writes(), [])
    known = rules(read.roles)
    found = [*_writes(), *_grants(read, wishes(read, known))]
    mapped = {role for _place, role in known}
    used = {each.role for each in read.assignments} - mapped
    unmapped = sorted(name for key in used if (name := read.roles.get(key, "")) and name.casefold() != ADMIN)
    return Drift(True, found[:MOST_SHOWN], unmapped, more=max(0, len(found) - MOST_SHOWN))


def _writes() -> list[Difference]:
    rows = KeystoneWrite.objects.filter(done_at__isnull=True).select_related("user", "tenant").order_by("id")
    return [
        Difference(
            "refused" if row.problem else "unwritten", row.user.get_username(), row.role, row.tenant.name, row.problem
        )
        for row in rows[:MOST_SHOWN]
    ]


def _grants(read: Snapshot, wished: set[Wish]) -> list[Difference]:
    """Roles on one side only, but for those that are on their way."""
    columns = ("user__external_id", "role", "tenant__external_id", "source", "user__username", "tenant__name")
    rows = Grant.objects.filter(ended_at__isnull=True, project__isnull=True, user__source=SOURCE)
    held = {Wish(str(row[0]), row[1], row[2]): row for row in rows.values_list(*columns)}
    open_rows = KeystoneWrite.objects.filter(done_at__isnull=True)
    places = open_rows.values_list("user__external_id", "role", "tenant__external_id")
    moving = {Wish(str(person), role, project) for person, role, project in places}
    extra = [row for wish, row in held.items() if row[3] == SOURCE and wish not in wished | moving]
    missing = wished - set(held) - moving
    return [
        *(Difference("extra", row[4], row[1], row[5] or "") for row in sorted(extra, key=str)),
        *(_missing(wish, read) for wish in sorted(missing, key=str)),
    ]


def _missing(wish: Wish, read: Snapshot) -> Difference:
    tenant = read.projects[wish.project].name if wish.project else ""
    return Difference("missing", read.people[wish.person].name, wish.role, tenant)
