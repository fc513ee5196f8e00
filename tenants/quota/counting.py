"""What is held, added up again from what is declared: says where the numbers drifted, and puts them right.

`doubtful` reads, without any lock, and names what looks wrong; `mend` looks at a few of these again with the tenant's
rows locked, and leaves claims and sums right. So however large a tenant is, nobody waits long for a row of it.
"""

import logging
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import NamedTuple

from django.db import transaction
from django.db.models import Sum

from core.pace import unhurried
from tenants.models import Project, Tenant
from tenants.quota import claiming
from tenants.quota.claiming import Amounts, Where
from tenants.quota.models import Quota, QuotaClaim
from tenants.quota.resources import Resource

log = logging.getLogger(__name__)
MOST_AT_ONCE = 100  # things looked at and mended in one transaction
READ_AT_ONCE = 500


@dataclass(frozen=True)
class Held:
    """What a thing has to hold. `changing`: it may hold more, since what it replaces still runs."""

    holder: uuid.UUID
    project: uuid.UUID | None
    needs: Amounts
    changing: bool = False


class Drift(NamedTuple):
    """A claim or a sum that was not what it has to be."""

    tenant: str
    what: str
    resource: str
    was: int
    now: int


Count = Callable[[uuid.UUID, Collection[uuid.UUID] | None], Iterator[Held]]
_counters: dict[str, Count] = {}


def register(kind: str, count: Count) -> None:
    """The packages above say here what their things hold in a tenant: all of them, or those of these ids."""
    if kind in _counters:
        raise ValueError(f"{kind} is counted already")
    _counters[kind] = count


def _projects(tenant: uuid.UUID, holders: Collection[uuid.UUID] | None) -> Iterator[Held]:
    rows = Project.objects.filter(tenant_id=tenant, deleted_at__isnull=True)
    for project in rows if holders is None else rows.filter(pk__in=holders):
        yield Held(project.pk, None, {Resource.PROJECTS: 1})


register("projects", _projects)


def doubtful(tenant: Tenant) -> Iterator[list[uuid.UUID]]:
    """What may hold other than it has to, a few at a time; at last an empty list if only the sums look wrong.

    All is read before the first is given out: nobody writes while a row is still being read.
    """
    wrong, known = list[uuid.UUID](), set[uuid.UUID]()
    every = _held(tenant.pk)
    for one in unhurried(every):
        several = [one, *islice(every, READ_AT_ONCE - 1)]
        claims = _claims(held.holder for held in several)
        wrong += [held.holder for held in several if _wrong(held, claims[held.holder])]
        known.update(held.holder for held in several)
    wrong += set(QuotaClaim.objects.filter(tenant=tenant).values_list("holder", flat=True)) - known
    for first in range(0, len(wrong), MOST_AT_ONCE):
        yield wrong[first : first + MOST_AT_ONCE]
    if next(_wrong_sums(tenant), None) is not None:
        yield []


def mend(tenant: Tenant, holders: Collection[uuid.UUID]) -> list[Drift]:
    """Look again and put right, in one transaction that nothing else of this tenant's quota gets between."""
    with transaction.atomic():
        claiming.lock(tenant.pk)
        held = {one.holder: one for one in _held(tenant.pk, holders)}
        claims = _claims(holders)
        found = [
            drift
            for holder in holders
            for drift in _mend(tenant, held.get(holder) or Held(holder, None, {}), claims[holder])
        ]
        found += _mend_sums(tenant)
    for one in found:
        log.warning("quota of %s: %s of %s was %s, is %s", one.tenant, one.resource, one.what, one.was, one.now)
    return found


def _held(tenant: uuid.UUID, holders: Collection[uuid.UUID] | None = None) -> Iterator[Held]:
    return chain.from_iterable(count(tenant, holders) for count in _counters.values())


def _claims(holders: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, dict[str, int]]:
    found: dict[uuid.UUID, dict[str, int]] = defaultdict(dict)
    rows = QuotaClaim.objects.filter(holder__in=list(holders)).values_list("holder", "resource", "amount")
    for holder, resource, amount in rows:
        found[holder][resource] = amount
    return found


def _wrong(held: Held, has: Amounts) -> dict[str, int]:
    """What it has to hold of each resource of which it holds another amount."""
    needs = {name: max(held.needs.get(name, 0), has.get(name, 0) if held.changing else 0) for name in Resource.values}
    return {name: amount for name, amount in needs.items() if amount != has.get(name, 0)}


def _mend(tenant: Tenant, held: Held, has: Amounts) -> Iterator[Drift]:
    """Its claims alone. What is not there any more holds nothing."""
    where, wrong = Where(tenant.pk, held.project), _wrong(held, has)
    if wrong:
        claiming.make_rows(where, [name for name, amount in wrong.items() if amount])
        claiming.write_claims(held.holder, where, wrong)
    for name, amount in wrong.items():
        yield Drift(tenant.name, str(held.holder), name, has.get(name, 0), amount)


def _wrong_sums(tenant: Tenant) -> Iterator[tuple[Quota, int]]:
    """Rows whose `used` is not the sum of the claims below them, and that sum."""
    sums: Counter[tuple[uuid.UUID | None, str]] = Counter()
    rows = QuotaClaim.objects.filter(tenant=tenant).values_list("project", "resource").annotate(total=Sum("amount"))
    for project, resource, total in rows.order_by():
        sums[None, resource] += total
        if project is not None:
            sums[project, resource] += total
    for row in Quota.objects.filter(tenant=tenant).select_related("project"):
        if row.used != (now := sums[row.project_id, row.resource]):
            yield row, now


def _mend_sums(tenant: Tenant) -> Iterator[Drift]:
    for row, now in _wrong_sums(tenant):
        yield Drift(tenant.name, str(row.project or tenant), row.resource, row.used, now)
        Quota.objects.filter(pk=row.pk).update(used=now)
