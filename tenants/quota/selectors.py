"""What somebody may see of limits, use and loans."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from core import access
from core.access import Actor, get_visible, may, visible
from core.errors import FieldProblem, Invalid
from tenants.models import Project, Tenant
from tenants.quota.claiming import version_of
from tenants.quota.models import Quota, QuotaLoan
from tenants.quota.resources import OF_PROJECTS, Resource, amount_text, label_of, left_text, of_text, sent

NEAR = 0.8


@dataclass(frozen=True)
class Line:
    """One resource in one place. `unlimited` ones have no bar."""

    resource: str
    row: Quota

    @property
    def label(self) -> str:
        return label_of(self.resource)

    @property
    def unlimited(self) -> bool:
        return self.row.limit is None

    @property
    def whole(self) -> int:
        """The width of the bar: the own limit with what was borrowed; what was lent is a part of it."""
        return (self.row.limit or 0) + self.row.borrowed

    @property
    def said(self) -> str:
        if self.row.whole is None:
            return amount_text(self.resource, self.row.used)
        return of_text(self.resource, self.row.used, max(self.row.whole, 0))

    @property
    def read_out(self) -> str:
        return f"{self.label}: {self.said}"

    @property
    def left(self) -> str:
        if self.row.whole is None:
            return _("no limit")
        return left_text(self.resource, self.row.left or 0, max(self.row.whole, 0))

    @property
    def short(self) -> bool:
        whole = self.row.whole
        return whole is not None and (self.row.over or self.row.used > NEAR * whole)

    def as_json(self) -> dict[str, Any]:
        row = self.row
        amounts = {"limit": row.limit, "used": row.used, "borrowed": row.borrowed, "lent": row.lent, "left": row.left}
        unit = {"cpu": "cores", "memory": "bytes", "storage": "bytes"}.get(self.resource, "number")
        return {"resource": self.resource, "unit": unit} | {
            name: sent(self.resource, amount) for name, amount in amounts.items()
        }


@dataclass(frozen=True)
class Place:
    """All resources of a tenant (`project` None) or of a project."""

    tenant: Tenant
    project: Project | None
    lines: dict[str, Line]
    loans: list[QuotaLoan] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.project.name if self.project else self.tenant.name

    @property
    def version(self) -> int:
        return version_of({name: line.row for name, line in self.lines.items()})

    @property
    def shortest(self) -> Line | None:
        """The one with the smallest part left, if that is little."""
        short = [line for line in self.lines.values() if line.short]
        return min(short, key=lambda line: (line.row.left or 0) / max(line.row.whole or 1, 1), default=None)

    def as_json(self) -> dict[str, Any]:
        return {
            "tenant": self.tenant.name,
            "project": self.project.name if self.project else None,
            "version": self.version,
            "resources": [line.as_json() for line in self.lines.values()],
        }


def may_see_tenant(actor: Actor, tenant: Tenant) -> bool:
    return may(actor, "quota.view", tenant)


def projects(actor: Actor, tenant: Tenant) -> list[Project]:
    """Those whose quota somebody may see. Raises Denied where there is nothing of this tenant for them."""
    rows = visible(actor, Project.objects.filter(tenant=tenant, deleted_at__isnull=True), "quota.view")
    found = list(rows.select_related("tenant").order_by("name"))
    if not found:
        access.check(actor, "quota.view", tenant)
    return found


def project(actor: Actor, tenant: Tenant, name: str) -> Project:
    rows = Project.objects.filter(tenant=tenant, deleted_at__isnull=True).select_related("tenant")
    return get_visible(actor, rows, permission="quota.view", name=name)


def project_named(actor: Actor, tenant: Tenant, name: str, *, at: str) -> Project:
    """As somebody sent it in field `at`."""
    rows = visible(actor, Project.objects.filter(tenant=tenant, deleted_at__isnull=True), "quota.view")
    found = rows.select_related("tenant").filter(name=name).first()
    if found is None:
        raise Invalid(errors=[FieldProblem(at, "unknown", _("There is no such project here."))])
    return found


def of_tenant(tenant: Tenant) -> Place:
    return _places(tenant, [None])[0]


def of_project(project: Project) -> Place:
    return _places(project.tenant, [project])[0]


def of_projects(tenant: Tenant, found: Iterable[Project]) -> list[Place]:
    return _places(tenant, list(found))


def _places(tenant: Tenant, found: "list[Project] | list[None]") -> list[Place]:
    rows: dict[uuid.UUID | None, dict[str, Quota]] = defaultdict(dict)
    for row in Quota.objects.filter(tenant=tenant):
        rows[row.project_id][row.resource] = row
    loans = list(running_loans(tenant)) if any(found) else []
    return [
        Place(
            tenant,
            one,
            _lines(tenant, one, rows[one.pk if one else None]),
            [loan for loan in loans if one and one.pk in (loan.lender_id, loan.borrower_id)],
        )
        for one in found
    ]


def _lines(tenant: Tenant, project: Project | None, rows: Mapping[str, Quota]) -> dict[str, Line]:
    names = OF_PROJECTS if project else tuple(Resource)
    return {
        str(name): Line(str(name), rows.get(name) or Quota(tenant=tenant, project=project, resource=name))
        for name in names
    }


def running_loans(tenant: Tenant) -> QuerySet[QuotaLoan]:
    rows = QuotaLoan.objects.filter(tenant=tenant, returned_at__isnull=True)
    return rows.select_related("lender", "borrower", "tenant").order_by("until")


def loans(actor: Actor, tenant: Tenant, found: Iterable[Project]) -> list[QuotaLoan]:
    """Those that run between or with the projects that somebody sees."""
    ids = [one.pk for one in found]
    rows = running_loans(tenant)
    return list(rows if may_see_tenant(actor, tenant) else rows.filter(Q(lender__in=ids) | Q(borrower__in=ids)))


def loan(actor: Actor, tenant: Tenant, loan_id: uuid.UUID) -> QuotaLoan:
    return get_visible(actor, running_loans(tenant), pk=loan_id)


def shown_loan(row: QuotaLoan) -> dict[str, Any]:
    return {
        "id": row.pk,
        "lender": row.lender.name,
        "borrower": row.borrower.name,
        "resource": row.resource,
        "amount": sent(row.resource, row.amount),
        "until": row.until,
        "reason": row.reason,
        "lent_by": row.lent_by,
        "returned_at": row.returned_at,
    }


def of_tenants(actor: Actor) -> list[Place]:
    """Every tenant with its use against its limits, for operators."""
    rows: dict[uuid.UUID, dict[str, Quota]] = defaultdict(dict)
    for row in visible(actor, Quota.objects.filter(project__isnull=True)):
        rows[row.tenant_id][row.resource] = row
    homes = visible(actor, Tenant.objects.select_related("organization")).order_by("name")
    return [Place(home, None, _lines(home, None, rows[home.pk])) for home in homes]
