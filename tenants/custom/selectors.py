"""Reads of the roles a tenant made for itself."""

from django.db.models import QuerySet

from core.access import Actor, get_visible
from tenants.custom.models import CustomRole
from tenants.models import Tenant


def role(actor: Actor, home: Tenant, name: str) -> CustomRole:
    """By name. The same NotFound for a missing one and a removed one, and for whoever may see no members of it."""
    rows: QuerySet[CustomRole] = CustomRole.objects.select_related("tenant").filter(tenant=home, removed_at=None)
    return get_visible(actor, rows, name=name)
