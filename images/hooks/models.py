"""Where messages go, and every message: waiting, brought, or given up."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.access import Scope
from core.rows import DeclaredRow, Row, new_id
from core.secrets import SecretField


class Webhook(DeclaredRow):
    """One address of a project. It may hold a key of the receiver's, so it is kept as a secret; `host` is shown.

    Whoever holds the lease, with the present fence, is the only one who sends to it.
    """

    scope = Scope("tenant_id", "project_id")
    view_permission = "project.manage"

    class State(models.TextChoices):
        ACTIVE = "active", _("active")
        PAUSED = "paused", _("paused")
        FAILING = "failing", _("paused: it failed for long")
        GONE = "gone", _("ended by the receiver")

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT, related_name="+")
    project = models.ForeignKey("tenants.Project", models.PROTECT, related_name="webhooks")
    name = models.CharField(max_length=60)
    address = SecretField()
    host = models.CharField(max_length=300)  # with scheme and port
    secret = SecretField()
    events = models.JSONField(default=list)  # kinds of images.happening
    state = models.CharField(max_length=8, choices=State, default=State.ACTIVE)
    made_by = models.CharField(max_length=150, blank=True)
    failing_since = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)  # one after another
    missed = models.PositiveIntegerField(default=0)  # events that found no room
    not_before = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    fence = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="webhook_name_in_project")]
        indexes = [models.Index(fields=["state", "not_before"], name="webhook_turn")]

    def __str__(self) -> str:
        return self.name


class WebhookDelivery(Row):
    """One message to one address. `message` is the same when it is sent again; `body` is what is sent, byte by byte."""

    scope = Scope("tenant_id", "webhook__project_id")
    view_permission = "project.manage"

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DELIVERED = "delivered", _("delivered")
        FAILED = "failed", _("given up")

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT, related_name="+")
    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    message = models.UUIDField(default=new_id)
    event = models.CharField(max_length=12)
    body = models.TextField()
    asked_by = models.CharField(max_length=150, blank=True)  # who had it sent; empty: it happened
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    next_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    tries = models.JSONField(default=list)  # [{"at", "status", "problem", "ms"}]
    status = models.PositiveSmallIntegerField(null=True)  # of the last try
    problem = models.CharField(max_length=12, blank=True)
    duration_ms = models.PositiveIntegerField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["webhook", "state", "next_at"], name="webhook_delivery_due"),
            models.Index(fields=["ended_at"], name="webhook_delivery_old"),
        ]
        verbose_name_plural = "webhook deliveries"

    def __str__(self) -> str:
        return f"{self.event} to {self.webhook}"
