"""User actions that take time. The row is the truth; a message to a worker is only a wake-up."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from core.access import Scope
from core.rows import Row

UPKEEP = "cluster.view"  # to see what is done with the platform itself


class Operation(Row):
    scope = Scope("tenant_id", "project_id", upkeep=UPKEEP)
    view_permission = "app.view"

    class State(models.TextChoices):
        PENDING = "pending"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"
        ATTENTION = "needs_attention"

    ACTIVE: ClassVar = ("pending", "running")

    kind = models.CharField(max_length=40)
    tenant_id = models.UUIDField(null=True)
    project_id = models.UUIDField(null=True)
    target = models.CharField(max_length=100)  # one active operation per target
    target_name = models.CharField(max_length=200)
    params = models.JSONField(default=dict)
    state = models.CharField(max_length=16, choices=State, default=State.PENDING)
    step = models.CharField(max_length=40, blank=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    lease_owner = models.CharField(max_length=80, blank=True)
    lease_until = models.DateTimeField(null=True)
    fence = models.PositiveIntegerField(default=0)
    not_before = models.DateTimeField(null=True)
    deadline_at = models.DateTimeField()
    failure = models.JSONField(null=True)  # {code, params}: why it is being undone, or why it failed
    cancel_requested = models.BooleanField(default=False)
    requested_by = models.UUIDField(null=True)
    requested_by_name = models.CharField(max_length=150)
    request_id = models.CharField(max_length=64, blank=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["target"], name="operation_one_active", condition=Q(state__in=["pending", "running"])
            )
        ]
        indexes = [
            models.Index(fields=["tenant_id", "-created_at"], name="operation_tenant"),
            models.Index(fields=["project_id", "-created_at"], name="operation_project"),
            models.Index(fields=["target", "-created_at"], name="operation_target"),
            models.Index(fields=["not_before"], name="operation_active", condition=Q(state__in=["pending", "running"])),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.target_name}"

    @property
    def active(self) -> bool:
        return self.state in self.ACTIVE

    @property
    def audit_operation_id(self) -> object:
        """`@command` writes it into the entry of the call that made this operation."""
        return self.pk


class OperationEvent(models.Model):
    """One thing that happened, as a code and its parameters; words are made in the reader's language."""

    scope = Scope("operation__tenant_id", "operation__project_id", upkeep=UPKEEP)
    view_permission = "app.view"

    class Level(models.TextChoices):
        INFO = "info"
        WARN = "warn"
        BAD = "bad"
        OK = "ok"

    operation = models.ForeignKey(Operation, models.CASCADE, related_name="events")
    seq = models.PositiveIntegerField()
    at = models.DateTimeField(db_default=Now())
    step = models.CharField(max_length=40, blank=True)
    level = models.CharField(max_length=4, choices=Level, default=Level.INFO)
    code = models.CharField(max_length=40)
    params = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["operation", "seq"], name="operation_event_seq")]

    def __str__(self) -> str:
        return f"{self.seq} {self.code}"


class RememberedAnswer(models.Model):
    """The first answer to a request that carried an `Idempotency-Key`; kept for a day."""

    scope = Scope(None, None)
    view_permission = "platform.none"  # nobody lists these

    actor_id = models.UUIDField()
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    headers = models.JSONField(default=dict)
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["actor_id", "key"], name="answer_once_per_key")]
        indexes = [models.Index(fields=["created_at"], name="answer_created")]

    def __str__(self) -> str:
        return f"answer to {self.key}"


class Change(models.Model):
    """That something changed: what, whose it is, and nothing of how it is now. See operations/changes.py."""

    scope = Scope("tenant_id", "project_id")
    view_permission = "app.view"

    seq = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=30)
    object_id = models.CharField(max_length=100)
    tenant_id = models.UUIDField(null=True)
    project_id = models.UUIDField(null=True)
    person_id = models.UUIDField(null=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["at"], name="change_at")]

    def __str__(self) -> str:
        return f"{self.seq} {self.kind} {self.object_id}"
