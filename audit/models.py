"""What happened: entries chained by hash. They copy names and hold no foreign keys, so they outlive what they name."""

from django.db import models

from core.access import PLATFORM_SCOPE, Scope
from core.rows import Row

PLATFORM_CHAIN = "platform"


class AuditEntry(Row):
    """One immutable line. Written only by `audit.services.record`; the database refuses update and delete."""

    scope = Scope("tenant_id", None)
    view_permission = "audit.view"

    class Result(models.TextChoices):
        ACCEPTED = "accepted"
        REFUSED = "refused"
        DENIED = "denied"
        FAILED = "failed"
        DONE = "done"

    chain = models.CharField(max_length=60)
    seq = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    tenant_id = models.UUIDField(null=True)
    project_id = models.UUIDField(null=True)
    actor_id = models.UUIDField(null=True)
    actor_name = models.CharField(max_length=150)
    actor_kind = models.CharField(max_length=16)
    action = models.CharField(max_length=64)
    target_kind = models.CharField(max_length=40)
    target_id = models.CharField(max_length=64, blank=True)
    target_name = models.CharField(max_length=200, blank=True)
    result = models.CharField(max_length=10, choices=Result)
    detail = models.JSONField(default=dict)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    address = models.CharField(max_length=64, blank=True)
    client = models.CharField(max_length=200, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    operation_id = models.UUIDField(null=True)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)
    format_version = models.PositiveSmallIntegerField(default=1)

    class Meta:
        verbose_name_plural = "audit entries"
        constraints = [models.UniqueConstraint(fields=["chain", "seq"], name="audit_chain_seq")]
        indexes = [
            models.Index(fields=["tenant_id", "-at", "-id"], name="audit_tenant_at"),
            models.Index(fields=["actor_id", "-at", "-id"], name="audit_actor_at"),
            models.Index(fields=["-at", "-id"], name="audit_at"),
            models.Index(fields=["request_id"], name="audit_request"),
        ]

    def __str__(self) -> str:
        return f"{self.chain} {self.seq}: {self.actor_name} {self.action} {self.result}"


class ChainHead(models.Model):
    """Where each chain ends; locked last in a transaction, so that a chain never holds up other work."""

    scope = PLATFORM_SCOPE
    view_permission = "audit.view"

    chain = models.CharField(max_length=60, primary_key=True)
    seq = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="0" * 64)

    def __str__(self) -> str:
        return f"{self.chain} at {self.seq}"
