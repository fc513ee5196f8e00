"""Lines of logs that Berth keeps itself, of clusters that forget an instance's log with it."""

from django.db import models

from core.access import Scope
from core.rows import Row


class KeptLog(Row):
    """Of one instance. It outlives what is seen of the instance."""

    scope = Scope("tenant_id", "project_id")
    view_permission = "log.view"

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT)
    project = models.ForeignKey("tenants.Project", models.PROTECT)
    place = models.ForeignKey("apps.AppEnvironment", models.CASCADE, related_name="kept_logs")
    service = models.CharField(max_length=40)
    number = models.PositiveIntegerField()
    engine_id = models.CharField(max_length=100)
    last_ns = models.BigIntegerField(default=0)  # of the newest line that was kept
    last_lines = models.PositiveIntegerField(default=0)  # how many were kept of just that time
    size = models.PositiveBigIntegerField(default=0)  # bytes of its chunks
    forgotten = models.BooleanField(default=False)  # older lines have made room for newer ones
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["place", "engine_id"], name="kept_log_once")]
        indexes = [models.Index(fields=["ended_at"], name="kept_log_old")]

    def __str__(self) -> str:
        return f"{self.service} {self.number}"


class KeptChunk(models.Model):
    """Some lines in the order in which they came, each with its time before it, packed."""

    scope = Scope("log__tenant_id", "log__project_id")
    view_permission = "log.view"

    class Lost(models.TextChoices):
        """What is missing before the first line."""

        NOTHING = "", ""
        ENGINE = "engine", "the cluster did not have it any more"
        FAST = "fast", "it came too fast"

    log = models.ForeignKey(KeptLog, models.CASCADE, related_name="chunks")
    first_ns = models.BigIntegerField()
    last_ns = models.BigIntegerField()
    lines = models.PositiveIntegerField()
    size = models.PositiveIntegerField()
    lost = models.CharField(max_length=6, blank=True, choices=Lost)
    packed = models.BinaryField()

    class Meta:
        indexes = [models.Index(fields=["log", "first_ns"], name="kept_chunk_order")]

    def __str__(self) -> str:
        return f"{self.lines} lines"
