"""What a review looks at: the grants that run when it begins, with when each was last used."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Max

from tenants.members.cutting import at
from tenants.members.selectors import last_seen
from tenants.models import Grant, Review, ReviewLine, Token
from tenants.notices import place_name
from tenants.rights import running_grants


def take_picture(review: Review) -> int:
    """Write a line for each grant of the place; answers how many."""
    rows = Grant.objects.filter(running_grants(), at(review.project or review.tenant))
    if review.roles:
        rows = rows.filter(role__in=review.roles)
    found = list(rows.select_related("user", "group", "tenant", "project").order_by("user__username", "created_at"))
    seen = _seen({grant.user_id for grant in found if grant.user_id})
    here = [seen.get(grant.user_id) if grant.user_id else None for grant in found]
    lines = [_line(review, number, grant, at) for number, (grant, at) in enumerate(zip(found, here, strict=True), 1)]
    ReviewLine.objects.bulk_create(lines, batch_size=500)
    return len(lines)


def _seen(people: Iterable[UUID]) -> dict[UUID, datetime]:
    """When each was last here, with a browser or by a token."""
    ids = list(people)
    seen = last_seen(ids)
    used = Token.objects.filter(user__in=ids, last_used_at__isnull=False).order_by()
    for person, moment in used.values_list("user").annotate(used=Max("last_used_at")):
        seen[person] = max(moment, seen.get(person) or moment)
    return seen


def _line(review: Review, number: int, grant: Grant, seen: datetime | None) -> ReviewLine:
    return ReviewLine(
        review=review, number=number, tenant_id=review.tenant_id, project_id=grant.project_id, grant=grant,
        user_id=grant.user_id, person=grant.subject, role=grant.role,
        place=place_name(grant.tenant, grant.project), since=grant.starts_at, until=grant.ends_at,
        granted_by=grant.granted_by, reason=grant.reason, origin=grant.source, last_used_at=grant.last_used_at,
        seen_at=seen,
    )  # fmt: skip
