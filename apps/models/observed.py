"""What runs, as last seen. Only the observer writes here; pages read these rows and never ask an engine."""

from django.db import models
from django.utils.translation import gettext_lazy as _

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


class PlaceEvent(Row):
    """What a cluster did to the instances of a place, or what became of them. The same again and again is one row.

    Kept for two weeks, at most 500 a place. What a row says is made from its columns when it is read, in the reader's
    language: `apps.selectors.happened`.
    """

    scope = Scope("tenant_id", "project_id")
    view_permission = "app.view"

    class Code(models.TextChoices):
        STARTED = "started", _("started")
        ENDED = "ended", _("ended")
        CRASHED = "crashed", _("crashed")
        UNHEALTHY = "unhealthy", _("failed its health check")
        NOT_STARTING = "not_starting", _("did not start")
        WAITING = "waiting", _("waits for a host")
        HOST_LOST = "host_lost", _("lost its host")

    TROUBLE = (Code.CRASHED, Code.UNHEALTHY, Code.NOT_STARTING, Code.WAITING, Code.HOST_LOST)

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT)
    project = models.ForeignKey("tenants.Project", models.PROTECT)
    place = models.ForeignKey("apps.AppEnvironment", models.CASCADE, related_name="events")
    code = models.CharField(max_length=12, choices=Code)
    service = models.CharField(max_length=40)
    number = models.PositiveIntegerField(null=True)  # None: several instances of the service
    host = models.CharField(max_length=200, blank=True)
    reason = models.JSONField(null=True)  # {code, params} as the engine gave it last
    exit_code = models.IntegerField(null=True)
    count = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    instances = models.JSONField(default=list)  # the engine's ids, newest last, so that nothing counts twice
    key = models.CharField(max_length=130)  # code and first instance
    end = models.ForeignKey("apps.InstanceEnd", models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["place", "key"], name="place_event_once")]
        indexes = [
            models.Index(fields=["place", "-last_at"], name="place_event_newest"),
            models.Index(fields=["last_at"], name="place_event_old"),
        ]

    def __str__(self) -> str:
        return f"{self.service} {self.number or ''} {self.code}"
