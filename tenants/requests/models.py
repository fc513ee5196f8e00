"""What somebody asked for and somebody else decides: to join, access for a while, more quota."""

from datetime import timedelta

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from core.access import Scope
from core.rows import Row

OPEN_FOR = timedelta(days=7)


class Request(Row):
    """Open until it is decided, withdrawn or too old. Nobody decides what they asked for: the database holds it too."""

    scope = Scope("tenant_id", "project_id")
    view_permission = "member.view"

    class State(models.TextChoices):
        OPEN = "open", _("open")
        APPROVED = "approved", _("approved")
        REJECTED = "rejected", _("rejected")
        WITHDRAWN = "withdrawn", _("withdrawn")
        EXPIRED = "expired", _("expired")

    kind = models.CharField(max_length=20)
    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT, related_name="requests")
    project = models.ForeignKey("tenants.Project", models.PROTECT, null=True, related_name="requests")
    asked_by = models.ForeignKey("tenants.User", models.PROTECT, related_name="requests")
    subject = models.CharField(max_length=120)  # what it is about at its place, so that it is open only once
    payload = models.JSONField(default=dict)
    reason = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    expires_at = models.DateTimeField()
    decided_by = models.ForeignKey("tenants.User", models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="request_decided_by_another",
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("asked_by")),
            ),
            models.UniqueConstraint(
                fields=["kind", "subject", "tenant"],
                name="request_once_tenant",
                condition=Q(state="open", project__isnull=True),
            ),
            models.UniqueConstraint(
                fields=["kind", "subject", "project"],
                name="request_once_project",
                condition=Q(state="open", project__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["state", "tenant"], name="request_open")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"[:200]


def still_open() -> Q:
    """Those that may be decided at this moment, by the database's clock."""
    return Q(state=Request.State.OPEN, expires_at__gt=Now())
