"""Images one may choose: repositories, their artifacts by digest, and the tags that point at them."""

from django.db import models
from django.db.models.functions import Now

from core.access import Scope
from core.rows import Row


class Repository(Row):
    """`tenant` null: offered to everyone by the platform."""

    scope = Scope("tenant_id", None, shared=True)
    view_permission = "image.view"

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT, null=True)
    cluster = models.ForeignKey("backends.Cluster", models.CASCADE, null=True)  # set: lies only on this engine
    name = models.CharField(max_length=200)
    title = models.CharField(max_length=100, blank=True)
    description = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["name"], name="repository_of_platform", condition=models.Q(tenant__isnull=True)
            ),
            models.UniqueConstraint(
                fields=["tenant", "name"],
                name="repository_of_tenant",
                condition=models.Q(tenant__isnull=False),
            ),
        ]
        verbose_name_plural = "repositories"

    def __str__(self) -> str:
        return self.name


class Artifact(Row):
    """One digest and what the image says of itself."""

    scope = Scope("repository__tenant_id", None, shared=True)
    view_permission = "image.view"

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="artifacts")
    digest = models.CharField(max_length=80)
    pinned = models.CharField(max_length=400)
    size_bytes = models.PositiveBigIntegerField(null=True)
    platform = models.CharField(max_length=40, blank=True)
    ports = models.JSONField(default=list)  # ["8080/tcp"]
    health = models.JSONField(null=True)
    user = models.CharField(max_length=100, blank=True)
    labels = models.JSONField(default=dict)
    built_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "digest"], name="artifact_digest")]

    def __str__(self) -> str:
        return f"{self.repository.name}@{self.digest[:19]}"


class Tag(models.Model):
    scope = Scope("artifact__repository__tenant_id", None, shared=True)
    view_permission = "image.view"

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="tags")
    name = models.CharField(max_length=128)
    artifact = models.ForeignKey(Artifact, models.CASCADE, related_name="tags")
    moved_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "name"], name="tag_in_repository")]

    def __str__(self) -> str:
        return f"{self.repository.name}:{self.name}"
