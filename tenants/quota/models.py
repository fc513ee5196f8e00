"""Limits, what is held, and loans. One row says all of one resource in one place, so that one UPDATE decides."""

from django.db import models
from django.db.models import F, Q

from core.access import Scope
from core.rows import DeclaredRow, Row
from core.wording import moment_text
from tenants.quota.resources import Resource, amount_text


class Quota(DeclaredRow):
    """One resource of a tenant (`project` null: all its projects together) or of one project.

    `limit` null is no limit. What may be held is `limit + borrowed - lent`; `used` never grows beyond it, but may
    stand above it when a limit is lowered or a loan goes back: nothing is stopped then, and nothing more is taken.
    `version` counts changes of the limit only.
    """

    scope = Scope("tenant_id", "project_id")
    view_permission = "quota.view"

    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE, related_name="quotas")
    project = models.ForeignKey("tenants.Project", models.CASCADE, null=True, related_name="quotas")
    resource = models.CharField(max_length=10, choices=Resource)
    limit = models.BigIntegerField(null=True)
    used = models.BigIntegerField(default=0)
    borrowed = models.BigIntegerField(default=0)
    lent = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "resource"], name="quota_once_tenant", condition=Q(project__isnull=True)
            ),
            models.UniqueConstraint(
                fields=["project", "resource"], name="quota_once_project", condition=Q(project__isnull=False)
            ),
            models.CheckConstraint(
                name="quota_never_negative",
                condition=Q(used__gte=0, borrowed__gte=0, lent__gte=0) & (Q(limit__isnull=True) | Q(limit__gte=0)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.resource} of {self.project_id or self.tenant_id}"

    @property
    def whole(self) -> int | None:
        """What may be held here; None without a limit."""
        return None if self.limit is None else self.limit + self.borrowed - self.lent

    @property
    def left(self) -> int | None:
        """What may be taken still; None without a limit."""
        return None if self.whole is None else max(self.whole - self.used, 0)

    @property
    def over(self) -> bool:
        return self.whole is not None and self.used > self.whole


class QuotaClaim(models.Model):
    """What one thing (a place of an app, a project) holds of one resource. `Quota.used` is the sum of these."""

    scope = Scope("tenant_id", "project_id")
    view_permission = "quota.view"

    id = models.BigAutoField(primary_key=True)
    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE, related_name="+")
    project = models.ForeignKey("tenants.Project", models.CASCADE, null=True, related_name="+")
    holder = models.UUIDField()
    resource = models.CharField(max_length=10, choices=Resource)
    amount = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["holder", "resource"], name="quota_claim_once"),
            models.CheckConstraint(name="quota_claim_positive", condition=Q(amount__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.amount} of {self.resource} for {self.holder}"


class QuotaLoan(Row):
    """What one project gives another of the same tenant until a day; it goes back by itself."""

    scope = Scope("tenant_id", None)
    view_permission = "quota.view"

    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE, related_name="quota_loans")
    lender = models.ForeignKey("tenants.Project", models.CASCADE, related_name="loans_given")
    borrower = models.ForeignKey("tenants.Project", models.CASCADE, related_name="loans_taken")
    resource = models.CharField(max_length=10, choices=Resource)
    amount = models.BigIntegerField()
    until = models.DateTimeField()
    reason = models.CharField(max_length=500, blank=True)
    lent_by = models.CharField(max_length=150)
    returned_at = models.DateTimeField(null=True)
    returned_by = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="quota_loan_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(name="quota_loan_to_another", condition=~Q(lender=F("borrower"))),
        ]
        indexes = [models.Index(fields=["returned_at", "until"], name="quota_loan_due")]

    def __str__(self) -> str:
        return f"{self.amount} of {self.resource} until {self.until:%Y-%m-%d}"

    @property
    def said(self) -> str:
        """The amount with its unit."""
        return amount_text(self.resource, self.amount)

    @property
    def day(self) -> str:
        return moment_text(self.until, style="day")
