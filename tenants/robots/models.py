"""A user of kind robot: it belongs to one project, has one role in it, never signs in, and dies with it.

Its keeper answers for it: see tenants/robots/keeping.py.
"""

from django.db import models
from django.db.models import Q

from core.access import Scope
from core.names import label_validators
from core.rows import Row

SOURCE = "robot"  # of the user's row, where people have "local" or their identity service


class Robot(Row):
    scope = Scope("tenant_id", "project_id")
    view_permission = "member.view"

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT, related_name="+")
    project = models.ForeignKey("tenants.Project", models.PROTECT, related_name="robots")
    user = models.OneToOneField("tenants.User", models.PROTECT, related_name="robot")
    name = models.CharField(max_length=40, validators=label_validators)
    role = models.CharField(max_length=60)
    made_by = models.CharField(max_length=150, blank=True)
    keeper = models.ForeignKey("tenants.User", models.PROTECT, null=True, related_name="robots_kept")
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "name"], name="robot_name_in_project", condition=Q(removed_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return self.name
