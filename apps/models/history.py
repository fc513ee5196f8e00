"""What was. Rows are added; the result of a deployment is written once, when its operation settles."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.access import Scope
from core.rows import Row


class Deployment(Row):
    """A release put into an environment, or a change of what runs there: its operation and its result."""

    scope = Scope("tenant_id", "project_id")
    view_permission = "app.view"

    class Kind(models.TextChoices):
        DEPLOY = "deploy", _("deploy")
        ROLLBACK = "rollback", _("roll back")
        SCALE = "scale", _("scale")
        RESTART = "restart", _("restart")
        STOP = "stop", _("stop")
        START = "start", _("start")
        DELETE = "delete", _("delete")

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT)
    project = models.ForeignKey("tenants.Project", models.PROTECT)
    app = models.ForeignKey("apps.App", models.PROTECT, related_name="deployments")
    place = models.ForeignKey("apps.AppEnvironment", models.PROTECT, related_name="deployments")
    environment = models.ForeignKey("apps.Environment", models.PROTECT)
    number = models.PositiveIntegerField()  # per app
    kind = models.CharField(max_length=8, choices=Kind)
    release = models.ForeignKey("apps.Release", models.PROTECT, null=True, related_name="deployments")
    replaced = models.ForeignKey("apps.Release", models.PROTECT, null=True, related_name="+")
    before = models.JSONField(default=dict)  # {stopped, instances, restarts} as declared before, for going back
    generation = models.PositiveIntegerField()
    operation = models.OneToOneField("operations.Operation", models.PROTECT, related_name="deployment")
    result = models.CharField(max_length=16, blank=True)
    created_by_name = models.CharField(max_length=150)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["app", "number"], name="deployment_number_in_app")]
        indexes = [models.Index(fields=["place", "-number"], name="deployment_place")]

    def __str__(self) -> str:
        return f"{self.app.name} deployment {self.number}"


class InstanceEnd(Row):
    """How an instance ended, with its last lines: kept although the engine forgets it."""

    scope = Scope("tenant_id", "project_id")
    view_permission = "log.view"

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT)
    project = models.ForeignKey("tenants.Project", models.PROTECT)
    place = models.ForeignKey("apps.AppEnvironment", models.PROTECT, related_name="ends")
    deployment = models.ForeignKey("apps.Deployment", models.PROTECT, null=True, related_name="ends")
    service = models.CharField(max_length=40)
    number = models.PositiveIntegerField()
    engine_id = models.CharField(max_length=100)
    reason = models.JSONField(null=True)
    exit_code = models.IntegerField(null=True)
    last_lines = models.JSONField(default=list)  # [{at, stream, text}], at most 200
    ended_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["place", "engine_id"], name="instance_end_once")]

    def __str__(self) -> str:
        return f"{self.service} {self.number}"
