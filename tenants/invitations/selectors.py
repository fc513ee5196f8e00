"""Invitations of a tenant, for those who may see its members."""

import uuid
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Now

from core.access import Actor, get_visible, visible
from tenants.members.cutting import Place, at
from tenants.models import Invitation

MOST = 200


def waiting(actor: Actor, place: Place) -> QuerySet[Invitation]:
    """Those that can still be used, the newest first."""
    rows = Invitation.objects.filter(at(place), accepted_at=None, revoked_at=None, expires_at__gt=Now())
    rows = rows.select_related("tenant", "project", "invited_by").order_by("-created_at")
    return visible(actor, rows)


def one(actor: Actor, place: Place, invitation: uuid.UUID) -> Invitation:
    rows = Invitation.objects.filter(at(place)).select_related("tenant", "project", "invited_by")
    return get_visible(actor, rows, pk=invitation)


def shown(row: Invitation) -> dict[str, Any]:
    named = ("id", "person", "role", "reason", "ends_at", "expires_at", "created_at")
    return {name: getattr(row, name) for name in named} | {
        "project": row.project.name if row.project else None,
        "invited_by": row.invited_by.get_username(),
    }
