"""The one place where what is held changes: its rows are locked, always in the same order, looked at and changed.

Order: by resource, and of each the project's row before the tenant's. Whoever comes second waits for the row and
then sees what is left, so that the limit holds however many come at once. Call all of it in a transaction.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import BigIntegerField, Case, F, Q, QuerySet, When
from django.utils.translation import gettext as _

from core.errors import Conflict, FieldProblem
from tenants.models import Project, Tenant
from tenants.quota.models import Quota, QuotaClaim
from tenants.quota.resources import Resource, amount_text, label_of, left_text

EXCEEDED = "quota_exceeded"
Amounts = Mapping[str, int]  # by resource


@dataclass(frozen=True)
class Where:
    """Whose quota counts: a project's and its tenant's, or only the tenant's."""

    tenant: uuid.UUID
    project: uuid.UUID | None = None

    @property
    def levels(self) -> tuple[uuid.UUID | None, ...]:
        return (self.project, None) if self.project else (None,)


@dataclass(frozen=True)
class Shortage:
    """What does not fit: so much more is `needed` where only `quota.left` is left."""

    quota: Quota
    needed: int
    place: str

    def message(self) -> str:
        words = {
            "resource": label_of(self.quota.resource),
            "needed": amount_text(self.quota.resource, self.needed),
            "left": left_text(self.quota.resource, self.quota.left or 0, self.quota.whole or 0),
            "place": self.place,
        }
        return _("%(resource)s: %(needed)s more needed, %(left)s in %(place)s.") % words

    def as_json(self) -> dict[str, Any]:
        """Amounts in thousandths of a core, bytes, or numbers of things."""
        return {
            "resource": self.quota.resource,
            "project": self.place if self.quota.project_id else None,
            "needed": self.needed,
            "left": self.quota.left,
            "limit": self.quota.limit,
        }


def held_by(holder: uuid.UUID) -> dict[str, int]:
    return dict(QuotaClaim.objects.filter(holder=holder).values_list("resource", "amount"))


def widen(holder: uuid.UUID, where: Where, needs: Amounts) -> None:
    """Hold at least `needs`, and for the time being all that is held already: what is to be replaced still runs.

    Raises Conflict (`quota_exceeded`) that names all that does not fit; then nothing of it is taken.
    """
    held = held_by(holder)
    wanted = {name: max(needs.get(name, 0), held.get(name, 0)) for name in {*needs, *held}}
    if short := _shortages(where, held, wanted):
        raise exceeded(short)  # nobody has to wait for a row to be told that
    if short := _move(holder, where, held, wanted, refuse=True):
        raise exceeded(short)


def settle(holder: uuid.UUID, where: Where, needs: Amounts) -> None:
    """Hold exactly `needs`: what was replaced is gone, or what replaced it was taken back. Never refused."""
    _move(holder, where, held_by(holder), dict(needs), refuse=False)


def exceeded(short: Iterable[Shortage]) -> Conflict:
    found = list(short)
    hint = _("Ask for more on the quota page, take less, or stop something first.")
    return Conflict(
        " ".join(one.message() for one in found),
        code=EXCEEDED,
        hint=hint,
        errors=[FieldProblem(one.quota.resource, EXCEEDED, one.message(), hint) for one in found],
        extra={"quota": [one.as_json() for one in found]},
    )


def _move(holder: uuid.UUID, where: Where, held: Amounts, wanted: dict[str, int], *, refuse: bool) -> list[Shortage]:
    steps = {name: wanted.get(name, 0) - held.get(name, 0) for name in Resource.values}
    steps = {name: step for name, step in steps.items() if step}
    rows = _locked(where, steps)
    short = [row for row in rows if refuse and steps[row.resource] > 0 and not _fits(row, steps[row.resource])]
    if not short:
        more = Case(*(When(resource=name, then=step) for name, step in steps.items()), output_field=BigIntegerField())
        Quota.objects.filter(pk__in=[row.pk for row in rows]).update(used=F("used") + more)
        write_claims(holder, where, {name: wanted.get(name, 0) for name in steps})
    return [Shortage(row, steps[row.resource], name_of(where, row.project_id)) for row in short]


def _fits(row: Quota, step: int) -> bool:
    return row.whole is None or row.used + step <= row.whole


def _locked(where: Where, resources: Iterable[str]) -> list[Quota]:
    """The rows of these resources; they are made where they are not there yet."""
    names = list(resources)
    if not names:
        return []
    rows = _in_order(_all_of(where).filter(resource__in=names).select_for_update())
    found = list(rows)
    if len(found) < len(names) * len(where.levels):
        make_rows(where, names)
        found = list(rows.all())
    return found


def _all_of(where: Where) -> QuerySet[Quota]:
    """The rows of the project and those of its tenant."""
    return Quota.objects.filter(Q(project__isnull=True) | Q(project=where.project), tenant=where.tenant)


def _in_order(rows: QuerySet[Quota]) -> QuerySet[Quota]:
    rank = Case(*(When(resource=name, then=place) for place, name in enumerate(Resource.values)), default=99)
    return rows.order_by(rank, F("project").asc(nulls_last=True))


def lock(tenant: uuid.UUID) -> None:
    """Nobody else takes or gives back in this tenant until the transaction ends."""
    list(_in_order(Quota.objects.select_for_update().filter(tenant_id=tenant)))


def rows_of(where: Where, level: uuid.UUID | None) -> QuerySet[Quota]:
    rows = Quota.objects.filter(tenant_id=where.tenant)
    return rows.filter(project_id=level) if level else rows.filter(project__isnull=True)


def make_rows(where: Where, resources: Iterable[str]) -> None:
    """The rows that are not there yet; two that make the same one at once make one."""
    wanted = [(name, level) for name in resources for level in where.levels]
    there = set(_all_of(where).values_list("resource", "project"))
    Quota.objects.bulk_create(
        [
            Quota(tenant_id=where.tenant, project_id=level, resource=name)
            for name, level in wanted
            if (name, level) not in there
        ],
        ignore_conflicts=True,
    )


def write_claims(holder: uuid.UUID, where: Where, amounts: Amounts) -> None:
    """Note what a thing holds, 0 for nothing. The sums above are the caller's."""
    gone = [name for name, amount in amounts.items() if not amount]
    if gone:
        QuotaClaim.objects.filter(holder=holder, resource__in=gone).delete()
    rows = [
        QuotaClaim(tenant_id=where.tenant, project_id=where.project, holder=holder, resource=name, amount=amount)
        for name, amount in amounts.items()
        if amount
    ]
    if rows:
        QuotaClaim.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["holder", "resource"], update_fields=["amount"]
        )


def name_of(where: Where, level: uuid.UUID | None) -> str:
    """The project's name, or the tenant's."""
    rows = Project.objects.filter(pk=level) if level else Tenant.objects.filter(pk=where.tenant)
    return str(rows.values_list("name", flat=True).get())


def shortages(holder: uuid.UUID, where: Where, needs: Amounts) -> list[Shortage]:
    """What would be refused at this moment; reads only."""
    return _shortages(where, held_by(holder), needs)


def _shortages(where: Where, held: Amounts, needs: Amounts) -> list[Shortage]:
    steps = {name: needs[name] - held.get(name, 0) for name in needs}
    rows = limited(where)
    return [
        Shortage(row, steps[row.resource], name_of(where, row.project_id))
        for row in rows
        if steps.get(row.resource, 0) > (row.left or 0)
    ]


def limited(where: Where) -> list[Quota]:
    """The rows with a limit, in the order of resources, the project's before the tenant's."""
    rows = _all_of(where).filter(limit__isnull=False)
    return sorted(rows, key=lambda row: (Resource.values.index(row.resource), row.project_id is None))


def version_of(rows: Mapping[str, Quota]) -> int:
    """Of all limits of one place together: grows with each change of any."""
    return 1 + sum(row.version - 1 for row in rows.values())
