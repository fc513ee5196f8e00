"""What runs, as last seen. Only the observer writes here; pages read these rows and never ask an engine."""

from django.db import models

from core.access import Scope
from core.rows import Row


class ObservedService(Row):
    scope = Scope("tenant_id", "project_id")
    view_permission = "app.view"

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT)
    project = models.ForeignKey("tenants.Project", models.PROTECT)
    place = models.ForeignKey("apps.AppEnvironment", models.CASCADE, related_name="services")
    service = models.CharField(max_length=40)
    wanted = models.PositiveIntegerField()
    running = models.PositiveIntegerField()
    revision = models.CharField(max_length=32, blank=True)
    phase = models.CharField(max_length=12)
    reason = models.JSONField(null=True)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["place", "service"], name="observed_service_once")]

    def __str__(self) -> str:
        return f"{self.service} {self.running}/{self.wanted}"


class ObservedInstance(Row):
    scope = Scope("tenant_id", "project_id")
    view_permission = "app.view"

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT)
    project = models.ForeignKey("tenants.Project", models.PROTECT)
    place = models.ForeignKey("apps.AppEnvironment", models.CASCADE, related_name="observed_instances")
    service = models.CharField(max_length=40)
    number = models.PositiveIntegerField()
    engine_id = models.CharField(max_length=100)
    state = models.CharField(max_length=12)
    wanted = models.BooleanField()
    revision = models.CharField(max_length=32, blank=True)
    host = models.ForeignKey("backends.Host", models.SET_NULL, null=True)
    started_at = models.DateTimeField(null=True)
    exit_code = models.IntegerField(null=True)
    reason = models.JSONField(null=True)
    addresses = models.JSONField(default=list)  # [[target port, "host:port"]]
    restarts = models.PositiveIntegerField(default=0)  # ended ones of the same number seen with the same revision
    cpu_millicores = models.PositiveIntegerField(null=True)  # used of late, see usage_at; None: not measured
    memory_bytes = models.PositiveBigIntegerField(null=True)
    usage_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["place", "engine_id"], name="observed_instance_once")]
        indexes = [models.Index(fields=["place", "service", "number"], name="observed_instance_number")]

    def __str__(self) -> str:
        return f"{self.service} {self.number} {self.state}"
