"""What was built, from what, by whom; where it may be done, and what a project's builds may reach."""

from typing import ClassVar

from django.db import models

from core.access import PLATFORM_SCOPE, Scope
from core.rows import Row
from core.secrets import SecretField


class Builder(Row):
    """A cluster whose operator lets projects build there. `network`: whether any of them may reach others meanwhile."""

    scope = PLATFORM_SCOPE
    view_permission = "cluster.view"

    cluster = models.OneToOneField("backends.Cluster", models.CASCADE, related_name="builder")
    network = models.BooleanField(default=False)
    allowed_by = models.CharField(max_length=150)

    def __str__(self) -> str:
        return str(self.cluster)


class BuildPolicy(Row):
    """What the builds of one project may do beyond what all may."""

    scope = Scope("tenant_id", "project_id")
    view_permission = "image.view"

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT, related_name="+")
    project = models.OneToOneField("tenants.Project", models.CASCADE, related_name="build_policy")
    network = models.BooleanField(default=False)
    set_by = models.CharField(max_length=150)

    def __str__(self) -> str:
        return str(self.project)


class Build(Row):
    """One image that is, or was, built. Its sources came as an `upload`, or lie at a git `address`."""

    scope = Scope("tenant_id", "project_id")
    view_permission = "image.view"

    class State(models.TextChoices):
        WAITING = "waiting"
        WORKING = "working"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    OPEN: ClassVar = ("waiting", "working")

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT, related_name="+")
    project = models.ForeignKey("tenants.Project", models.PROTECT, related_name="builds")
    cluster = models.ForeignKey("backends.Cluster", models.SET_NULL, null=True, related_name="+")
    owner_id = models.UUIDField()
    owner_name = models.CharField(max_length=150)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    upload_id = models.UUIDField(null=True)  # its bytes are gone once the build has ended
    file_name = models.CharField(max_length=200, blank=True)
    address = models.CharField(max_length=500, blank=True)
    revision = models.CharField(max_length=200, blank=True)  # branch, tag or commit, as it was asked for
    commit = models.CharField(max_length=64, blank=True)  # what that was
    user = models.CharField(max_length=100, blank=True)
    secret = SecretField(null=True)  # for this address alone, until the build has ended
    recipe = models.CharField(max_length=300)  # where in the sources the Dockerfile lies
    repository = models.CharField(max_length=150)  # below the project
    tags = models.JSONField(default=list)
    arguments = models.JSONField(default=dict)
    network = models.BooleanField(default=False)
    operation_id = models.UUIDField(null=True)
    work = models.JSONField(default=dict)  # what a worker has to know in its next step
    failure = models.JSONField(null=True)  # {code, params}
    log_bytes = models.PositiveIntegerField(default=0)
    digest = models.CharField(max_length=80, blank=True)  # of the image, once it lies in the registry
    path = models.CharField(max_length=200, blank=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["project", "-created_at"], name="build_of_project"),
            models.Index(fields=["digest"], name="build_digest", condition=~models.Q(digest="")),
            models.Index(
                fields=["created_at"], name="build_open", condition=models.Q(state__in=["waiting", "working"])
            ),
        ]

    def __str__(self) -> str:
        return self.repository

    @property
    def source(self) -> str:
        """As people call it: the file, or the address with what of it."""
        if not self.address:
            return self.file_name
        return f"{self.address}#{self.revision}" if self.revision else self.address


class BuildLog(models.Model):
    """A piece of what a builder said, `at` so many characters from the beginning."""

    scope = Scope("build__tenant_id", "build__project_id")
    view_permission = "image.view"

    build = models.ForeignKey(Build, models.CASCADE, related_name="pieces")
    at = models.PositiveIntegerField()
    text = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["build", "at"], name="build_log_once")]

    def __str__(self) -> str:
        return f"{self.build_id} {self.at}"
