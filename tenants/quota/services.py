"""Limits and loans. Each public function is a command."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models import F, Q, Sum
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.commands import command, describe
from core.access import Actor
from core.errors import Changed, Conflict, FieldProblem, Invalid
from tenants.models import Project, Tenant
from tenants.quota import claiming, telling
from tenants.quota.claiming import EXCEEDED, Where, rows_of
from tenants.quota.models import Quota, QuotaLoan
from tenants.quota.resources import LARGEST, OF_PROJECTS, Resource, amount_text, label_of
from tenants.quota.returning import take_back

LONGEST_LOAN = timedelta(days=366)
Limits = Mapping[str, int | None]  # by resource; None takes the limit away


@command("quota.limit", permission="quota.manage", even_closed=True)
def limit_project(actor: Actor, project: Project, *, limits: Limits, version: int | None = None) -> Project:
    """Set some limits of a project. Together its tenant's projects get no more than the tenant has.

    A limit below what is used stops nothing; nothing more is taken until it fits.
    """
    where = Where(project.tenant_id, project.pk)
    _check(limits, OF_PROJECTS)
    rows = _locked(where, limits, version)
    for name, amount in limits.items():
        _check_lent(rows[name], amount)
        _check_to_give(where, rows[name], amount)
    _write(rows, limits)
    return project


@command("quota.limit_tenant", permission="quota.tenant")
def limit_tenant(actor: Actor, tenant: Tenant, *, limits: Limits, version: int | None = None) -> Tenant:
    """Set some limits of a tenant, for all its projects together."""
    _check(limits, Resource.values)
    _write(_locked(Where(tenant.pk), limits, version), limits)
    return tenant


def _check(limits: Limits, known: tuple[str, ...] | list[str]) -> None:
    wrong = [
        FieldProblem(name, "unknown", _("What has limits here: %(names)s.") % {"names": ", ".join(known)})
        for name in limits
        if name not in known
    ]
    wrong += [
        FieldProblem(name, "out_of_range", _("A limit is a whole number that is not negative."))
        for name, amount in limits.items()
        if amount is not None and not 0 <= amount <= LARGEST
    ]
    if wrong:
        raise Invalid(errors=wrong)


def _locked(where: Where, limits: Limits, version: int | None) -> dict[str, Quota]:
    claiming.make_rows(where, limits)
    claiming.lock(where.tenant)
    rows = {row.resource: row for row in rows_of(where, where.project)}
    if version is not None and version != claiming.version_of(rows):
        raise Changed(extra={"version": claiming.version_of(rows)})
    return rows


def _check_lent(row: Quota, amount: int | None) -> None:
    if amount is not None and amount < row.lent:
        message = _("%(amount)s are lent to other projects; the limit cannot be lower.") % {
            "amount": amount_text(row.resource, row.lent)
        }
        raise Invalid(errors=[FieldProblem(row.resource, "out_of_range", message, _("Ask the loan back first."))])


def _check_to_give(where: Where, row: Quota, amount: int | None) -> None:
    """What the projects are given is the tenant's; lowering is always possible."""
    whole = rows_of(Where(where.tenant), None).filter(resource=row.resource).values_list("limit", flat=True).first()
    if whole is None or amount is None or (row.limit is not None and amount <= row.limit):
        return
    left = whole - _given(where, row.resource)
    if amount > left:
        name = claiming.name_of(where, None)
        words = {"resource": label_of(row.resource), "left": amount_text(row.resource, max(left, 0)), "tenant": name}
        raise Conflict(
            _("%(resource)s: %(tenant)s has %(left)s to give to this project.") % words,
            code=EXCEEDED,
            hint=_("Give less, take from another project, or ask for more for %(tenant)s.") % words,
        )


def _given(where: Where, resource: str) -> int:
    """What all other projects of the tenant are given."""
    rows = Quota.objects.filter(tenant_id=where.tenant, resource=resource, project__deleted_at__isnull=True)
    rows = rows.filter(project__isnull=False).exclude(project=where.project)
    return rows.aggregate(total=Sum("limit"))["total"] or 0


def _write(rows: Mapping[str, Quota], limits: Limits) -> None:
    changed = {name: amount for name, amount in limits.items() if rows[name].limit != amount}
    describe(before={name: rows[name].limit for name in changed}, after=dict(changed))
    for name, amount in changed.items():
        Quota.objects.filter(pk=rows[name].pk).update(limit=amount, version=F("version") + 1, updated_at=Now())


@command("quota.lend", permission="quota.manage")
def lend(
    actor: Actor, lender: Project, *, borrower: Project, resource: str, amount: int, until: datetime, reason: str = ""
) -> QuotaLoan:
    """Give another project of the tenant a part of what is free here, until a day; then it goes back by itself."""
    _check_loan(lender, borrower, resource, amount, until)
    claiming.lock(lender.tenant_id)
    _check_limited(borrower, resource)
    rows = Quota.objects.filter(project=lender, resource=resource)
    own = Q(limit__gte=F("lent") + amount) & Q(limit__gte=F("used") + F("lent") - F("borrowed") + amount)
    if not rows.filter(own).update(lent=F("lent") + amount):
        _refuse_loan(lender, rows.first(), resource)
    Quota.objects.filter(project=borrower, resource=resource).update(borrowed=F("borrowed") + amount)
    loan = QuotaLoan.objects.create(
        tenant_id=lender.tenant_id, lender=lender, borrower=borrower, resource=resource, amount=amount, until=until,
        reason=reason, lent_by=actor.name,
    )  # fmt: skip
    describe(after={"to": borrower.name, "resource": resource, "amount": amount, "until": until.isoformat()})
    telling.lent(loan)
    return loan


def _check_loan(lender: Project, borrower: Project, resource: str, amount: int, until: datetime) -> None:
    wrong = []
    if resource not in OF_PROJECTS:
        known = ", ".join(OF_PROJECTS)
        wrong.append(FieldProblem("resource", "unknown", _("What can be lent: %(names)s.") % {"names": known}))
    if borrower.pk == lender.pk or borrower.tenant_id != lender.tenant_id:
        wrong.append(FieldProblem("borrower", "unknown", _("Lend to another project of the same tenant.")))
    if not 0 < amount <= LARGEST:
        wrong.append(FieldProblem("amount", "out_of_range", _("Lend more than nothing.")))
    if not timezone.now() < until <= timezone.now() + LONGEST_LOAN:
        wrong.append(FieldProblem("until", "out_of_range", _("A loan ends in the future, within 366 days.")))
    if wrong:
        raise Invalid(errors=wrong)


def _check_limited(borrower: Project, resource: str) -> None:
    if not Quota.objects.filter(project=borrower, resource=resource, limit__isnull=False).exists():
        message = _("%(project)s has no limit of this and needs no loan.") % {"project": borrower.name}
        raise Invalid(errors=[FieldProblem("borrower", "no_limit", message)])


def _refuse_loan(lender: Project, row: Quota | None, resource: str) -> None:
    if row is None or row.limit is None:
        message = _("%(project)s has no limit of this; give the other project a higher one.") % {"project": lender.name}
        raise Invalid(errors=[FieldProblem("lender", "no_limit", message)])
    free = min(row.left or 0, row.limit - row.lent)
    words = {"project": lender.name, "free": amount_text(resource, max(free, 0)), "resource": label_of(resource)}
    raise Conflict(
        _("%(resource)s: %(project)s has only %(free)s to lend.") % words,
        code=EXCEEDED,
        hint=_("Lend less, or from another project."),
    )


@command("quota.return", permission="quota.manage", even_closed=True)
def return_loan(actor: Actor, loan: QuotaLoan) -> QuotaLoan:
    """End a loan before its day. What the borrower runs goes on; it takes nothing more until it fits."""
    take_back(loan, by=actor.name)
    describe(before={"resource": loan.resource, "amount": loan.amount, "until": loan.until.isoformat()})
    return loan
