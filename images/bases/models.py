"""What the operator recommends to build upon."""

from django.db import models

from core.access import Scope
from core.rows import Row


class BaseImage(Row):
    """One repository whose images are there to be built upon. Who may pull from it is a matter of the repository."""

    scope = Scope("repository__tenant_id", "repository__project_id", shared=True)
    view_permission = "image.view"

    repository = models.OneToOneField("images.Repository", models.CASCADE, related_name="base")
    advice = models.CharField(max_length=500, blank=True)  # what it is for, and whom to ask
    published_by = models.CharField(max_length=150)

    def __str__(self) -> str:
        return str(self.repository)
