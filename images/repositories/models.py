"""What belongs to one digest and is many: the images of a list for several platforms, and pulls by day."""

from django.db import models

from core.access import Scope

OF_ARTIFACT = Scope("artifact__repository__tenant_id", "artifact__repository__project_id", shared=True)


class ArtifactPart(models.Model):
    """One platform's image in an artifact that is a list of images for several."""

    scope = OF_ARTIFACT
    view_permission = "image.view"

    artifact = models.ForeignKey("images.Artifact", models.CASCADE, related_name="parts")
    digest = models.CharField(max_length=80)
    platform = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["artifact", "digest"], name="part_once")]
        indexes = [models.Index(fields=["digest"], name="part_digest")]

    def __str__(self) -> str:
        return f"{self.platform} {self.digest[:19]}"


class ArtifactPulls(models.Model):
    """How often an artifact was pulled on one day, as far as the registry told of it."""

    scope = OF_ARTIFACT
    view_permission = "image.view"

    artifact = models.ForeignKey("images.Artifact", models.CASCADE, related_name="pulls")
    day = models.DateField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["artifact", "day"], name="pulls_of_day")]
        verbose_name_plural = "artifact pulls"

    def __str__(self) -> str:
        return f"{self.day}: {self.count}"
