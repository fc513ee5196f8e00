"""Reads of the roles a tenant made for itself."""

from django.db.models import QuerySet

from core.access import Actor, check, get_visible
from tenants.custom.models import CustomRole
from tenants.models import Tenant


def role(actor: Actor, home: Tenant, name: str) -> CustomRole:
    """By name; the same NotFound for a missing one, a removed one and one of another tenant."""
    check(actor, "member.view", home)
    rows: QuerySet[CustomRole] = CustomRole.objects.select_related("tenant").filter(tenant=home, removed_at=None)
    return get_visible(actor, rows, name=name)
