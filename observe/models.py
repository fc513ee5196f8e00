"""What instances used: a series each, its points in chunks that are written over in turn."""

from django.db import models

from core.access import Scope
from core.rows import Row


class UsageSeries(Row):
    """One instance whose usage is kept. It stays for two days after the instance has ended."""

    scope = Scope("tenant_id", "project_id")
    view_permission = "app.view"

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT)
    project = models.ForeignKey("tenants.Project", models.PROTECT)
    place = models.ForeignKey("apps.AppEnvironment", models.CASCADE, related_name="usage")
    service = models.CharField(max_length=40)
    number = models.PositiveIntegerField()
    engine_id = models.CharField(max_length=100)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    failed = models.BooleanField(default=False)  # it ended though nobody asked it to
    reason = models.JSONField(null=True)  # {code, params} of its end
    exit_code = models.IntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["place", "engine_id"], name="usage_series_once")]
        indexes = [models.Index(fields=["tenant", "ended_at"], name="usage_series_tenant")]

    def __str__(self) -> str:
        return f"{self.service} {self.number}"


class UsageChunk(models.Model):
    """Points of one stretch of time, packed (observe/points.py). A slot is used again when its time has passed."""

    scope = Scope("series__tenant_id", "series__project_id")
    view_permission = "app.view"

    series = models.ForeignKey(UsageSeries, models.CASCADE, related_name="chunks")
    step = models.PositiveSmallIntegerField()  # seconds of a point
    slot = models.PositiveSmallIntegerField()
    starts = models.PositiveBigIntegerField()  # seconds since 1970
    points = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["series", "step", "slot"], name="usage_chunk_once")]
        indexes = [models.Index(fields=["step", "starts"], name="usage_chunk_age")]

    def __str__(self) -> str:
        return f"{self.step} s from {self.starts}"


class UsageOverflow(Row):
    """What a tenant's limit of series left out, so that a page can say so."""

    scope = Scope("tenant_id", None)
    view_permission = "tenant.view"

    tenant = models.OneToOneField("tenants.Tenant", models.CASCADE, related_name="usage_overflow")
    forgotten = models.PositiveIntegerField(default=0)  # ended series that went before their two days
    forgotten_at = models.DateTimeField(null=True)
    left_out = models.PositiveIntegerField(default=0)  # running instances that are not kept at present
    left_out_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.forgotten} forgotten, {self.left_out} left out"
