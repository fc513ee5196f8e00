"""What should run. Written by commands only."""

import base64
import hashlib
import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.access import Scope
from core.names import label_validators
from core.rows import DeclaredRow, Row, new_id


def engine_name(prefix: str, row_id: uuid.UUID) -> str:
    """A name for the engine made from our id alone: 21 characters, letters and digits. No person's text gets there."""
    return prefix + base64.b32encode(hashlib.sha256(row_id.bytes).digest()).decode().lower()[:20]


class Environment(DeclaredRow):
    """A stage of a project, bound to one cluster."""

    scope = Scope("tenant_id", "project_id")
    view_permission = "project.view"

    class Stage(models.TextChoices):
        DEV = "dev", _("development")
        TEST = "test", _("test")
        PROD = "prod", _("production")

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT)
    project = models.ForeignKey("tenants.Project", models.PROTECT, related_name="environments")
    cluster = models.ForeignKey("backends.Cluster", models.PROTECT, related_name="environments")
    name = models.CharField(max_length=40, validators=label_validators)
    stage = models.CharField(max_length=4, choices=Stage)
    position = models.PositiveSmallIntegerField()
    protected = models.BooleanField(default=False)
    engine_name = models.CharField(max_length=21, unique=True, editable=False)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="environment_name_in_project"),
            models.UniqueConstraint(fields=["project", "position"], name="environment_position_in_project"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: object, **kwargs: object) -> None:
        self.engine_name = self.engine_name or engine_name("e", self.id)
        super().save(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they came


class App(DeclaredRow):
    """What is deployed as one unit: one or more services."""

    scope = Scope("tenant_id", "project_id")
    view_permission = "app.view"

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT)
    project = models.ForeignKey("tenants.Project", models.PROTECT, related_name="apps")
    name = models.CharField(max_length=40, validators=label_validators)
    title = models.CharField(max_length=100, blank=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "name"], name="app_name_in_project", condition=Q(deleted_at__isnull=True)
            )
        ]
        indexes = [models.Index(fields=["project", "-id"], name="app_project")]

    def __str__(self) -> str:
        return self.name


class Release(Row):
    """Immutable: images, specification, number. The database refuses update and delete."""

    scope = Scope("tenant_id", "project_id")
    view_permission = "app.view"

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT)
    project = models.ForeignKey("tenants.Project", models.PROTECT)
    app = models.ForeignKey(App, models.PROTECT, related_name="releases")
    number = models.PositiveIntegerField()
    specification = models.JSONField()
    spec_hash = models.CharField(max_length=64)
    note = models.CharField(max_length=200, blank=True)
    created_by = models.UUIDField(null=True)
    created_by_name = models.CharField(max_length=150)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["app", "number"], name="release_number_in_app")]

    def __str__(self) -> str:
        return f"{self.app.name} {self.number}"


class ReleaseImage(models.Model):
    """What a service's image was pinned to, once known; never changed afterwards."""

    scope = Scope("release__tenant_id", "release__project_id")
    view_permission = "app.view"

    release = models.ForeignKey(Release, models.PROTECT, related_name="images")
    service = models.CharField(max_length=40)
    reference = models.CharField(max_length=300)
    digest = models.CharField(max_length=80)
    pinned = models.CharField(max_length=400)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["release", "service"], name="release_image_once")]
        indexes = [models.Index(fields=["digest"], name="release_image_digest")]

    def __str__(self) -> str:
        return f"{self.service}: {self.reference}"


class AppEnvironment(DeclaredRow):
    """One app in one environment: what is declared to run there. `generation` grows with each accepted change."""

    scope = Scope("tenant_id", "project_id")
    view_permission = "app.view"

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT)
    project = models.ForeignKey("tenants.Project", models.PROTECT)
    app = models.ForeignKey(App, models.PROTECT, related_name="places")
    environment = models.ForeignKey(Environment, models.PROTECT, related_name="places")
    generation = models.PositiveIntegerField(default=0)
    release = models.ForeignKey(Release, models.PROTECT, null=True, related_name="+")
    stopped = models.BooleanField(default=False)
    held = models.BooleanField(default=False)  # stopped with its whole project: what is to run again with it
    instances = models.JSONField(default=dict)  # {service: wanted}, where it differs from the release's own
    restarts = models.JSONField(default=dict)  # {service: how often asked}
    engine_name = models.CharField(max_length=21, unique=True, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["app", "environment"], name="app_once_in_environment")]

    def __str__(self) -> str:
        return f"{self.app.name} in {self.environment.name}"

    def save(self, *args: object, **kwargs: object) -> None:
        self.engine_name = self.engine_name or engine_name("a", self.id)
        super().save(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they came


class ServiceName(models.Model):
    """Which app answers to a short name inside an environment; the first that asks has it."""

    scope = Scope("environment__tenant_id", "environment__project_id")
    view_permission = "app.view"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    environment = models.ForeignKey(Environment, models.CASCADE)
    name = models.CharField(max_length=63)
    app = models.ForeignKey(App, models.CASCADE)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["environment", "name"], name="service_name_once")]

    def __str__(self) -> str:
        return self.name
