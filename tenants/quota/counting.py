"""What is held, added up again from what is declared: says where the numbers drifted, and puts them right."""

import logging
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from django.db import transaction
from django.db.models import Sum

from tenants.models import Project, Tenant
from tenants.quota import claiming
from tenants.quota.claiming import Amounts, Where
from tenants.quota.models import Quota, QuotaClaim
from tenants.quota.resources import Resource

log = logging.getLogger(__name__)


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


_counters: dict[str, Callable[[uuid.UUID], Iterator[Held]]] = {}


def register(kind: str, count: Callable[[uuid.UUID], Iterator[Held]]) -> None:
    """The packages above say here what their things hold in a tenant."""
    if kind in _counters:
        raise ValueError(f"{kind} is counted already")
    _counters[kind] = count


def _projects(tenant: uuid.UUID) -> Iterator[Held]:
    for project in Project.objects.filter(tenant_id=tenant, deleted_at__isnull=True):
        yield Held(project.pk, None, {Resource.PROJECTS: 1})


register("projects", _projects)


def recount(tenant: Tenant) -> list[Drift]:
    """Compare and mend one tenant, in one transaction that nothing else of this tenant's quota gets between."""
    with transaction.atomic():
        claiming.lock(tenant.pk)
        found = [drift for count in _counters.values() for held in count(tenant.pk) for drift in _mend(tenant, held)]
        found += _strangers(tenant)
        found += _sums(tenant)
    for one in found:
        log.warning("quota of %s: %s of %s was %s, is %s", one.tenant, one.resource, one.what, one.was, one.now)
    return found


def _mend(tenant: Tenant, held: Held) -> Iterator[Drift]:
    has = claiming.held_by(held.holder)
    needs = {name: max(held.needs.get(name, 0), has.get(name, 0) if held.changing else 0) for name in Resource.values}
    wrong = [name for name in Resource.values if needs[name] != has.get(name, 0)]
    if wrong:
        claiming.make_rows(Where(tenant.pk, held.project), wrong)
        claiming.write_claims(held.holder, Where(tenant.pk, held.project), {name: needs[name] for name in wrong})
    for name in wrong:
        yield Drift(tenant.name, str(held.holder), name, has.get(name, 0), needs[name])


def _strangers(tenant: Tenant) -> Iterator[Drift]:
    """Claims of things that hold nothing any more."""
    known = {held.holder for count in _counters.values() for held in count(tenant.pk)}
    for holder in set(QuotaClaim.objects.filter(tenant=tenant).values_list("holder", flat=True)):
        if holder in known:
            continue
        for name, amount in claiming.held_by(holder).items():
            yield Drift(tenant.name, str(holder), name, amount, 0)
        QuotaClaim.objects.filter(holder=holder).delete()


def _sums(tenant: Tenant) -> Iterator[Drift]:
    """Rows whose `used` is not the sum of the claims below them."""
    sums: Counter[tuple[uuid.UUID | None, str]] = Counter()
    rows = QuotaClaim.objects.filter(tenant=tenant).values_list("project", "resource").annotate(total=Sum("amount"))
    for project, resource, total in rows.order_by():
        sums[None, resource] += total
        if project is not None:
            sums[project, resource] += total
    for row in Quota.objects.filter(tenant=tenant).select_related("project"):
        now = sums[row.project_id, row.resource]
        if row.used != now:
            yield Drift(tenant.name, str(row.project or tenant), row.resource, row.used, now)
            Quota.objects.filter(pk=row.pk).update(used=now)
