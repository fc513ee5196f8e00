"""Whoever comes into a group or goes out of it is told."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.access import Actor
from tenants import notices
from tenants.groups.models import Membership
from tenants.models import Notice

JOINED, LEFT = "group.joined", "group.left"


def joined(row: Membership, actor: Actor) -> None:
    """Call it in the transaction that adds them."""
    _tell(row, JOINED, Notice.Level.OK, actor)


def left(row: Membership, actor: Actor) -> None:
    """Call it in the transaction that takes them out."""
    _tell(row, LEFT, Notice.Level.WARN, actor)


def _tell(row: Membership, kind: str, level: str, actor: Actor) -> None:
    group = row.group
    params = {"group": group.shown_name, "tenant": group.tenant.name, "by": actor.name}
    notices.tell(row.user_id, kind, level=level, params=params, tenant=row.tenant_id, about=f"{kind}:{row.pk}")


def _by(params: Mapping[str, Any]) -> str:
    return _("By %(by)s.") % params


def _gone(params: Mapping[str, Any]) -> str:
    return _("By %(by)s. What you could do by its roles alone you cannot do any more.") % params


notices.register(JOINED, gettext_lazy("You are in the group %(group)s of %(tenant)s now"), _by)
notices.register(LEFT, gettext_lazy("You are not in the group %(group)s of %(tenant)s any more"), _gone)
