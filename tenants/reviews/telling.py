"""Who has to know of a review: those who may answer its lines, and at its end whoever began it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import Count
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.wording import moment_text
from operations.changes import announce
from tenants import notices
from tenants.models import Notice, Review, ReviewLine
from tenants.requests.telling import NEEDS, holders
from tenants.reviews.deciding import OWNER, answerable
from tenants.rights import actor_now

STARTED, ENDS, OVER = "review.started", "review.ends", "review.over"


def reviewers(review: Review) -> dict[UUID, int]:
    """People for whom lines of the review wait, with how many."""
    people: set[UUID] = set()
    places = ReviewLine.objects.filter(review=review).order_by().values_list("tenant_id", "project_id").distinct()
    for tenant, project in places:
        people |= set(holders("member.manage", tenant=tenant, project=project))
    if ReviewLine.objects.filter(review=review, role=OWNER).exists():
        people |= set(holders("access.review", tenant=review.tenant_id, project=None))
    counted = {person: answerable(actor_now(person)).filter(review=review).count() for person in people}
    return {person: count for person, count in counted.items() if count}


def started(review: Review) -> None:
    for person, count in reviewers(review).items():
        _tell(person, STARTED, review, count)
        announce(NEEDS, review.pk, person=person)


def ends_soon(review: Review) -> None:
    for person, count in reviewers(review).items():
        _tell(person, ENDS, review, count)


def answered(line: ReviewLine) -> None:
    """Whoever has the count before their eyes asks for it again."""
    people = {*holders("member.manage", tenant=line.tenant_id, project=line.project_id)}
    if line.role == OWNER:
        people |= set(holders("access.review", tenant=line.tenant_id, project=None))
    for person in people:
        announce(NEEDS, line.review_id, person=person)


def over(review: Review) -> None:
    """The result, to whoever began it."""
    rows = ReviewLine.objects.filter(review=review).order_by().values_list("state").annotate(count=Count("pk"))
    counts: dict[str, int] = dict(rows)
    state = ReviewLine.State
    ended = sum(counts.get(one, 0) for one in (state.ENDED, state.SILENT))
    left = sum(counts.get(one, 0) for one in (state.LAST_OWNER, state.ELSEWHERE))
    _tell(review.starter_id, OVER, review, ended, kept=counts.get(state.KEPT, 0), left=left)


def _tell(person: UUID, kind: str, review: Review, count: int, **more: int) -> None:
    bad = kind == OVER and more.get("left")
    notices.tell(
        person,
        kind,
        level=Notice.Level.OK if kind == OVER and not bad else Notice.Level.WARN,
        params={
            "name": review.name,
            "place": notices.place_name(review.tenant, review.project),
            "by": review.started_by,
            "count": count,
            "ends_at": review.ends_at.isoformat(),
            **more,
        },
        link=reverse("review", kwargs={"tenant": review.tenant.name, "review": review.pk}),
        tenant=review.tenant_id,
        about=f"review:{review.pk}:{kind}",
    )


def _waits(params: Mapping[str, Any]) -> str:
    ends, count = parse_datetime(str(params.get("ends_at", ""))), int(params.get("count", 0))
    said = ngettext(
        "%(count)s role waits for your answer. What nobody confirms ends on %(when)s.",
        "%(count)s roles wait for your answers. What nobody confirms ends on %(when)s.",
        count,
    )
    return said % {"count": count, "when": moment_text(ends, style="full") if ends else ""}


def _result(params: Mapping[str, Any]) -> str:
    said = _("%(kept)s kept, %(ended)s ended.") % {"kept": params.get("kept", 0), "ended": params.get("count", 0)}
    left = int(params.get("left", 0))
    if not left:
        return said
    more = _("%(left)s could not be ended here.") % {"left": left}
    return f"{said} {more}"


notices.register(STARTED, gettext_lazy("%(by)s asks you to look at roles in %(place)s: %(name)s"), _waits)
notices.register(ENDS, gettext_lazy("The access review “%(name)s” of %(place)s ends soon"), _waits)
notices.register(OVER, gettext_lazy("The access review “%(name)s” of %(place)s is over"), _result)
