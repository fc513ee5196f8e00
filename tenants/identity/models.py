"""Which role of Keystone is which of ours, and what is still to be written to Keystone."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.access import PLATFORM_SCOPE, Scope
from core.rows import Row


class RoleMapping(Row):
    """A role of Keystone, held on a project, a domain or the system, gives one of ours.

    Found by the role's id from the first time it was seen: another role of the same name gives nothing.
    """

    scope = PLATFORM_SCOPE
    view_permission = "identity.manage"

    class Place(models.TextChoices):
        PROJECT = "project", _("on a project")
        DOMAIN = "domain", _("on a domain: in all of its projects")
        SYSTEM = "system", _("on the system")

    place = models.CharField(max_length=8, choices=Place)
    keystone_role = models.CharField(max_length=255)
    external_id = models.CharField(max_length=64, blank=True)  # empty until it was seen in Keystone
    role = models.CharField(max_length=60)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["place", "keystone_role"], name="role_mapping_once"),
            models.CheckConstraint(condition=~Q(keystone_role__iexact="admin"), name="role_mapping_never_admin"),
        ]

    def __str__(self) -> str:
        return f"{self.keystone_role} ({self.place}) → {self.role}"


class KeystoneWrite(Row):
    """A role given or taken in Berth that Keystone does not know of yet; done when `done_at` is set."""

    scope = Scope("tenant_id", None)
    view_permission = "identity.manage"

    class Deed(models.TextChoices):
        GIVE = "give", _("give")
        TAKE = "take", _("take")

    deed = models.CharField(max_length=4, choices=Deed)
    user = models.ForeignKey("tenants.User", models.CASCADE, related_name="+")
    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE, related_name="+")
    role = models.CharField(max_length=60)
    keystone_role = models.CharField(max_length=64)  # its id
    attempts = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=300, blank=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["done_at"], name="keystone_write_open")]

    def __str__(self) -> str:
        return f"{self.deed} {self.role} to {self.user_id}"


class SyncState(models.Model):
    """One row: when Keystone was last read whole, and what was in the way since."""

    scope = PLATFORM_SCOPE
    view_permission = "identity.manage"

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    worked_at = models.DateTimeField(null=True)
    took_ms = models.PositiveIntegerField(default=0)
    tried_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=60, blank=True)

    def __str__(self) -> str:
        return f"synced {self.worked_at}"
