"""Whom the identity service takes out of a tenant goes out of its groups as well."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models.functions import Now

from audit.models import AuditEntry
from audit.services import Line, record
from core.access import Actor
from tenants.groups.models import Membership
from tenants.models import Grant, User
from tenants.rights import running_grants


def leave_with_last_role(user: User, tenants: Iterable[UUID], *, by: Actor) -> None:
    """Call it where roles of a person in these tenants were ended from outside, in that transaction.

    Where no role of their own is left they are no member there, and no group keeps them in.
    """
    for tenant in tenants:
        if Grant.objects.filter(running_grants(), user=user, tenant=tenant).exists():
            continue
        rows = Membership.objects.filter(user=user, tenant=tenant, ended_at=None)
        for row in rows.select_related("group"):
            Membership.objects.filter(pk=row.pk).update(ended_at=Now(), ended_by=by.name)
            line = Line("group.take", before={"person": user.get_username()})
            line.name_target(row.group)
            record(by, line, result=AuditEntry.Result.DONE)
