"""Which requests somebody may see and decide, and what needs them."""

import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from core.access import Actor, visible
from core.access import seen as seen_where
from core.clock import from_now
from core.errors import NotFound
from tenants.groups.holding import held_by
from tenants.models import Grant, Review, Tenant
from tenants.requests.models import Request, still_open
from tenants.requests.registry import KINDS
from tenants.reviews.deciding import answerable_count
from tenants.reviews.selectors import waiting
from tenants.rights import running_grants

ENDS_SOON = timedelta(days=7)


def _rows() -> QuerySet[Request]:
    return Request.objects.select_related("tenant", "project", "asked_by", "decided_by")


def may_decide_somewhere(actor: Actor) -> bool:
    """Costs no query: most people decide nothing."""
    codes = {kind.permission for kind in KINDS.values()}
    held = [actor.rights.platform, *actor.rights.tenants.values(), *actor.rights.projects.values()]
    return any(codes & found for found in held)


def decidable(actor: Actor) -> QuerySet[Request]:
    """Open requests that the actor may decide: those of others, where they hold the kind's permission."""
    if not may_decide_somewhere(actor):
        return _rows().none()
    open_now = _rows().filter(still_open()).exclude(asked_by=actor.id)
    kinds: dict[Q, list[str]] = defaultdict(list)
    for kind in KINDS.values():
        kinds[seen_where(actor, Request, kind.permission)].append(kind.name)
    condition = Q(pk__in=[])
    for where, names in kinds.items():
        condition |= Q(kind__in=names) & where
    return open_now.filter(condition)


def tenant_to_join(name: str) -> Tenant | None:
    """By its exact name, whether or not the asker may see it; never show what comes of it."""
    return Tenant.objects.filter(name=name, state="active").first()


def own(actor: Actor) -> QuerySet[Request]:
    return _rows().filter(asked_by=actor.id)


def decided_by(actor: Actor) -> QuerySet[Request]:
    return _rows().filter(decided_by=actor.id)


def seen(actor: Actor) -> QuerySet[Request]:
    """One's own, those one may decide, and those of places whose members one may see."""
    here = visible(actor, Request.objects.all()).values("pk")
    return _rows().filter(Q(asked_by=actor.id) | Q(pk__in=here) | Q(pk__in=decidable(actor).values("pk")))


def one(actor: Actor, request_id: uuid.UUID, *, tenant: str = "") -> Request:
    """The request (of that tenant); the same NotFound for a missing one and for one that is not theirs to see."""
    rows = seen(actor).filter(tenant__name=tenant) if tenant else seen(actor)
    found = rows.filter(pk=request_id).first() if actor.id else None
    if found is None:
        raise NotFound()
    return found


def of_tenant(actor: Actor, home: Tenant) -> QuerySet[Request]:
    return seen(actor).filter(tenant=home)


@dataclass(frozen=True)
class Needs:
    """What waits for a person: requests they may decide, roles of theirs that end within seven days, and running
    reviews with how many roles they have to answer for."""

    requests: list[Request]
    ending: list[Grant]
    reviews: list[tuple[Review, int]]

    @property
    def count(self) -> int:
        return len(self.requests) + len(self.ending) + sum(count for _review, count in self.reviews)


def ending(actor: Actor) -> QuerySet[Grant]:
    rows = Grant.objects.filter(running_grants(), held_by(actor.id), ends_at__lte=from_now(ENDS_SOON))
    return rows.select_related("tenant", "project__tenant", "custom").order_by("ends_at")


def needs(actor: Actor, *, most: int = 50) -> Needs:
    """What needs the actor, the oldest request and the first role to end first. Nobody signed in needs nothing."""
    if actor.id is None:
        return Needs([], [], [])
    found = decidable(actor).order_by("created_at")
    return Needs(list(found[:most]), list(ending(actor)[:most]), waiting(actor))


def needs_count(actor: Actor) -> int:
    """As `needs(actor).count`; every page shows it, so what the actor's rights tell already is not asked again."""
    if actor.id is None:
        return 0
    soon = timezone.now() + ENDS_SOON  # a clock some minutes off changes no count of days
    return decidable(actor).count() + sum(end <= soon for end in actor.rights.ends) + answerable_count(actor)
