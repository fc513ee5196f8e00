"""Links that let somebody in once."""

from django.db import models

from core.access import Scope
from core.rows import Row


class Invitation(Row):
    """A role held ready for whoever comes with the link. Only a digest of the link's secret is kept."""

    scope = Scope("tenant_id", "project_id")
    view_permission = "member.view"

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT, related_name="invitations")
    project = models.ForeignKey("tenants.Project", models.PROTECT, null=True, related_name="+")
    role = models.CharField(max_length=60)
    person = models.CharField(max_length=150)  # who is meant, in the inviter's words: a name or an address
    reason = models.CharField(max_length=500, blank=True)
    ends_at = models.DateTimeField(null=True)  # of the role it gives
    digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey("tenants.User", models.PROTECT, related_name="+")
    expires_at = models.DateTimeField()
    accepted_by = models.ForeignKey("tenants.User", models.PROTECT, null=True, related_name="+")
    accepted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.role} for {self.person}"[:200]
