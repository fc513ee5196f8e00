"""A group of people of one tenant, and who is in it since when. Neither is ever deleted: it is removed, it ends."""

from django.db import models
from django.db.models import Q

from core.access import Scope
from core.names import label_validators
from core.rows import DeclaredRow, Row


class Group(DeclaredRow):
    """Known by its id, so that links survive a new name."""

    scope = Scope("tenant_id", None)
    view_permission = "member.view"

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT, related_name="groups")
    name = models.CharField(max_length=40, validators=label_validators)
    title = models.CharField(max_length=100, blank=True)
    made_by = models.CharField(max_length=150, blank=True)
    removed_at = models.DateTimeField(null=True)
    removed_by = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"], name="group_name_in_tenant", condition=Q(removed_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def shown_name(self) -> str:
        return self.title or self.name


class Membership(Row):
    """Somebody in a group, since `created_at`."""

    scope = Scope("tenant_id", None)
    view_permission = "member.view"

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT, related_name="+")
    group = models.ForeignKey(Group, models.PROTECT, related_name="memberships")
    user = models.ForeignKey("tenants.User", models.PROTECT, related_name="memberships")
    added_by = models.CharField(max_length=150, blank=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["group", "user"], name="membership_once", condition=Q(ended_at__isnull=True)
            )
        ]
        indexes = [
            models.Index(fields=["user", "ended_at"], name="membership_user"),
            models.Index(fields=["ended_at"], name="membership_ended"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.group_id}"
