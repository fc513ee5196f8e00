"""Rules of a project for its images, and what the gate in front of the registry has let through."""

from django.db import models
from django.db.models.functions import Now

from core.access import PLATFORM_SCOPE, Scope
from core.rows import Row


class TagRule(Row):
    """Tags that never move: `tags` in `repositories`, both patterns with `*` and `?`."""

    scope = Scope("tenant_id", "project_id")
    view_permission = "image.view"

    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE, related_name="+")
    project = models.ForeignKey("tenants.Project", models.CASCADE, related_name="tag_rules")
    repositories = models.CharField(max_length=200)
    tags = models.CharField(max_length=128)
    made_by = models.CharField(max_length=150)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "repositories", "tags"], name="tag_rule_once")]

    def __str__(self) -> str:
        return f"{self.repositories}:{self.tags}"


class RetentionRule(Row):
    """What stays in `repositories`; an image that nothing here keeps goes. None and an empty text keep nothing."""

    scope = Scope("tenant_id", "project_id")
    view_permission = "image.view"

    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE, related_name="+")
    project = models.ForeignKey("tenants.Project", models.CASCADE, related_name="retention_rules")
    repositories = models.CharField(max_length=200)
    newest = models.PositiveIntegerField(null=True)
    days = models.PositiveIntegerField(null=True)
    pulled_days = models.PositiveIntegerField(null=True)
    tags = models.CharField(max_length=128, blank=True)
    deployed_days = models.PositiveIntegerField(default=90)  # what was deployed since then can be rolled back to
    made_by = models.CharField(max_length=150)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "repositories"], name="retention_rule_once")]

    def __str__(self) -> str:
        return self.repositories


class StoredBlob(models.Model):
    """One layer that a project's images need, or one manifest with its configuration: counted once a project."""

    scope = Scope("tenant_id", "project_id")
    view_permission = "image.view"

    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE, related_name="+")
    project = models.ForeignKey("tenants.Project", models.CASCADE, related_name="+")
    digest = models.CharField(max_length=80)
    size = models.BigIntegerField()
    seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "digest"], name="stored_blob_once")]

    def __str__(self) -> str:
        return self.digest[:19]


class ImagePart(models.Model):
    """That an image for several platforms (`whole`) consists of other images, by their digests."""

    scope = PLATFORM_SCOPE
    view_permission = "platform.none"

    path = models.CharField(max_length=200)
    whole = models.CharField(max_length=80)
    digest = models.CharField(max_length=80)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["path", "whole", "digest"], name="image_part_once")]

    def __str__(self) -> str:
        return f"{self.path}@{self.digest[:19]}"


class PushTurn(models.Model):
    """Who may put a tag that never moves, for as long as a push may take. Of two at once one has the turn."""

    scope = PLATFORM_SCOPE
    view_permission = "platform.none"

    path = models.CharField(max_length=200)
    tag = models.CharField(max_length=128)
    digest = models.CharField(max_length=80)
    until = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["path", "tag"], name="push_turn_once")]

    def __str__(self) -> str:
        return f"{self.path}:{self.tag}"
