"""Limits, what is used, and loans over HTTP."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.commands import check_before
from core import access
from core.api.endpoint import View, endpoint
from core.api.inputs import Input
from core.errors import FieldProblem, Invalid
from operations.api.changes import ChangeView
from tenants import selectors as places
from tenants.models import Project
from tenants.quota import selectors, services
from tenants.quota.resources import Resource, from_sent

AMOUNT = "Cores for cpu, bytes for memory and storage, else a number; null: no limit."


class AmountsOutput(serializers.Serializer[None]):
    """One resource. What may be held is limit + borrowed - lent; `left` is what of that is free."""

    resource = serializers.ChoiceField(Resource.values)
    unit = serializers.CharField(help_text="cores, bytes or number")
    limit = serializers.FloatField(allow_null=True, help_text=AMOUNT)
    used = serializers.FloatField()
    borrowed = serializers.FloatField()
    lent = serializers.FloatField()
    left = serializers.FloatField(allow_null=True)


class QuotaOutput(serializers.Serializer[None]):
    tenant = serializers.CharField()
    project = serializers.CharField(allow_null=True)
    version = serializers.IntegerField(help_text="Of the limits; for If-Match.")
    resources = AmountsOutput(many=True)


class LoanOutput(serializers.Serializer[None]):
    id = serializers.UUIDField()
    lender = serializers.CharField()
    borrower = serializers.CharField()
    resource = serializers.ChoiceField(Resource.values)
    amount = serializers.FloatField(help_text="Cores, bytes or a number.")
    until = serializers.DateTimeField()
    reason = serializers.CharField(allow_blank=True)
    lent_by = serializers.CharField()
    returned_at = serializers.DateTimeField(allow_null=True)


class TenantQuotaOutput(QuotaOutput):
    projects = QuotaOutput(many=True)
    loans = LoanOutput(many=True)


class LimitsInput(Input):
    limits = serializers.DictField(
        child=serializers.JSONField(allow_null=True),
        help_text='By resource, such as {"cpu": 8, "memory": "16Gi", "instances": null}; what is left out stays.',
    )


class LoanInput(Input):
    lender = serializers.CharField(max_length=40, help_text="A project of the tenant.")
    borrower = serializers.CharField(max_length=40, help_text="Another project of the tenant.")
    resource = serializers.ChoiceField(Resource.values)
    amount = serializers.JSONField(help_text='Cores, bytes such as "8Gi", or a whole number.')
    until = serializers.DateTimeField()
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True)


def amount_of(name: str, value: Any, *, at: str) -> int:
    try:
        return from_sent(name, value)
    except ValueError:
        message = _("Cores (0.5), bytes (16Gi) or a whole number, not negative.")
        raise Invalid(errors=[FieldProblem(at, "out_of_range", message)]) from None


def limits_of(sent: Mapping[str, Any]) -> dict[str, int | None]:
    return {
        name: None if value is None else amount_of(name, value, at=f"limits.{name}")
        for name, value in sent["limits"].items()
    }


class TenantQuota(View):
    @endpoint("show_tenant_quota", answers={200: TenantQuotaOutput})
    def get(self, request: Request, tenant: str) -> Response:
        """Limits and use of a tenant, of its projects that you may see, and the loans that run."""
        home = places.tenant(self.actor, tenant)
        access.check(self.actor, "quota.view", home)
        found = selectors.projects(self.actor, home)
        document = selectors.of_tenant(home).as_json()
        document["projects"] = [one.as_json() for one in selectors.of_projects(home, found)]
        document["loans"] = [selectors.shown_loan(one) for one in selectors.loans(self.actor, home, found)]
        return self.one(document)

    @endpoint("limit_tenant", body=LimitsInput, answers={200: QuotaOutput}, versioned=True)
    def put(self, request: Request, tenant: str) -> Response:
        """Set limits of a tenant; for platform operators."""
        home = places.tenant(self.actor, tenant)
        services.limit_tenant(self.actor, home, limits=limits_of(self.sent), version=self.expected_version)
        return self.one(selectors.of_tenant(home).as_json())


class ProjectQuota(View):
    @endpoint("show_project_quota", answers={200: QuotaOutput})
    def get(self, request: Request, tenant: str, project: str) -> Response:
        """Limits and use of a project."""
        row = self._project(tenant, project)
        access.check(self.actor, "quota.view", row)
        return self.one(selectors.of_project(row).as_json())

    @endpoint("limit_project", body=LimitsInput, answers={200: QuotaOutput}, versioned=True)
    def put(self, request: Request, tenant: str, project: str) -> Response:
        """Set limits of a project, out of what its tenant has."""
        row = self._project(tenant, project)
        services.limit_project(self.actor, row, limits=limits_of(self.sent), version=self.expected_version)
        return self.one(selectors.of_project(row).as_json())

    def _project(self, tenant: str, project: str) -> Project:
        return places.project(self.actor, tenant, project)


class Loans(ChangeView):
    @endpoint("lend_quota", body=LoanInput, answers={201: LoanOutput}, repeatable=True)
    def post(self, request: Request, tenant: str) -> Response:
        """Lend from one project to another until a day; it goes back by itself."""
        home = places.tenant(self.actor, tenant)
        check_before(services.lend, self.actor, home)  # before names of projects are looked up
        sent = self.sent
        lender = selectors.project_named(self.actor, home, sent.pop("lender"), at="lender")
        sent["borrower"] = selectors.project_named(self.actor, home, sent["borrower"], at="borrower")
        sent["amount"] = amount_of(sent["resource"], sent["amount"], at="amount")
        return self.made(services.lend(self.actor, lender, **sent), selectors.shown_loan, key="id")


class OneLoan(ChangeView):
    @endpoint("show_quota_loan", answers={200: LoanOutput})
    def get(self, request: Request, tenant: str, loan: uuid.UUID) -> Response:
        """A loan that runs."""
        home = places.tenant(self.actor, tenant)
        return self.one(selectors.shown_loan(selectors.loan(self.actor, home, loan)))

    @endpoint("return_quota", answers={204: None})
    def delete(self, request: Request, tenant: str, loan: uuid.UUID) -> Response:
        """Take a loan back before its day."""
        home = places.tenant(self.actor, tenant)
        services.return_loan(self.actor, selectors.loan(self.actor, home, loan))
        return Response(status=204)
