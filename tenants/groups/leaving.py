"""Whom the identity service takes out of a tenant goes out of its groups as well."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models.functions import Now

from audit.services import Line
from tenants.groups.models import Membership
from tenants.models import Grant, User
from tenants.rights import running_grants


def leave_with_last_role(lost: Iterable[tuple[User, UUID]], *, by: str) -> list[Line]:
    """Call it where roles of these people in these tenants were ended from outside, in that transaction.

    Where no role of their own is left they are no member there, and no group keeps them in. Answers what the audit
    is to say of it.
    """
    places = {(user.pk, tenant) for user, tenant in lost}
    if not places:
        return []
    people = {person for person, _tenant in places}
    own = Grant.objects.filter(running_grants(), user__in=people).values_list("user_id", "tenant_id")
    gone = places - set(own)
    rows = [
        row
        for row in Membership.objects.filter(user__in=people, ended_at=None).select_related("group", "user")
        if (row.user_id, row.tenant_id) in gone
    ]
    Membership.objects.filter(pk__in=[row.pk for row in rows]).update(ended_at=Now(), ended_by=by)
    return [_line(row) for row in rows]


def _line(row: Membership) -> Line:
    line = Line("group.take", before={"person": row.user.get_username()})
    line.name_target(row.group)
    return line
