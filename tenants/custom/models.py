"""Roles that a tenant makes for itself, and what each of them allowed at any time."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.access import Scope
from core.names import label_validators
from core.rows import DeclaredRow, Row

PREFIX = "own."


class CustomRole(DeclaredRow):
    """A role of one tenant. Never deleted: what was given by it in the past has to be told."""

    scope = Scope("tenant_id", None)
    view_permission = "member.view"

    class Level(models.TextChoices):
        TENANT = "tenant", _("on the whole tenant")
        PROJECT = "project", _("on a project")

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT, related_name="custom_roles")
    name = models.CharField(max_length=40, validators=label_validators)
    level = models.CharField(max_length=8, choices=Level)
    title = models.CharField(max_length=100, blank=True)
    permissions = models.JSONField(default=list)
    made_by = models.CharField(max_length=150, blank=True)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"], name="custom_role_name_in_tenant", condition=Q(removed_at__isnull=True)
            )
        ]
        indexes = [models.Index(fields=["updated_at"], name="custom_role_changed")]

    def __str__(self) -> str:
        return self.name

    @property
    def key(self) -> str:
        """What stands in `Grant.role`; the dot keeps it apart from every built-in role of another level."""
        return f"{PREFIX}{self.name}"

    @property
    def shown(self) -> str:
        return self.title or self.name


class CustomRoleState(Row):
    """What a role allowed from `created_at` on, until its next state."""

    scope = Scope("tenant_id", None)
    view_permission = "member.view"

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT, related_name="+")
    role = models.ForeignKey(CustomRole, models.PROTECT, related_name="states")
    version = models.PositiveIntegerField()
    title = models.CharField(max_length=100, blank=True)
    permissions = models.JSONField(default=list)
    by = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["role", "version"], name="custom_role_state_once")]

    def __str__(self) -> str:
        return f"{self.role_id} {self.version}"
