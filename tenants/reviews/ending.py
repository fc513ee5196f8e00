"""What happens to reviews by themselves: a reminder the day before, and at the end silence ends what nobody confirmed.

Each role ends in a transaction of its own, and the result is sealed when none is left: safe to be killed anywhere.
"""

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from audit.models import AuditEntry
from audit.services import Line, record, register_action
from core.access import SYSTEM
from core.clock import from_now
from core.errors import Conflict
from tenants.giving import take_away
from tenants.models import Review, ReviewLine, Tenant
from tenants.reviews import sealing, telling

SILENCE = register_action("review.silence")
CLOSE = "review.close"
AHEAD = timedelta(days=1)
State = ReviewLine.State
REFUSED = {"last_owner": State.LAST_OWNER, "kept_elsewhere": State.ELSEWHERE}
logger = logging.getLogger(__name__)


def look_after_reviews() -> None:
    remind()
    close_due()


def remind() -> int:
    """Tell whoever still has to answer, a day before the end; answers how many reviews there were."""
    due = Review.objects.filter(state=Review.State.RUNNING, reminded_at=None, ends_at__lte=from_now(AHEAD))
    rows = list(due.filter(ends_at__gt=Now()).select_related("tenant", "project"))
    for review in rows:
        with transaction.atomic():
            if Review.objects.filter(pk=review.pk, reminded_at=None).update(reminded_at=Now()):
                telling.ends_soon(review)
    return len(rows)


def close_due() -> int:
    """Close every review whose day has come; answers how many."""
    due = Review.objects.filter(state=Review.State.RUNNING, ends_at__lte=Now()).select_related("tenant", "project")
    return sum(_close(review) for review in due)


def _close(review: Review) -> bool:
    silent = ReviewLine.objects.filter(review=review, state=State.OPEN)
    # of owners of whom nobody said anything the one who used it last stays
    for row in silent.order_by(F("last_used_at").asc(nulls_first=True), F("seen_at").asc(nulls_first=True), "number"):
        _drop(row)
    try:
        with transaction.atomic():
            now = sealing.locked(review)
            entry = Line(CLOSE, detail={"review": str(now.pk)})
            entry.name_target(now)
            entry.after = sealing.seal(now, by=SYSTEM.name, state=Review.State.CLOSED)
            record(SYSTEM, entry, result=AuditEntry.Result.DONE)
    except Conflict:
        logger.info("review %s was closed by somebody else", review.pk)
        return False
    return True


@transaction.atomic
def _drop(target: ReviewLine) -> None:
    """Nobody confirmed it: the role ends, unless it is the last owner's or only the identity service can end it."""
    Tenant.objects.select_for_update().get(pk=target.tenant_id)
    rows = ReviewLine.objects.select_related("grant__tenant", "grant__user", "grant__group", "review")
    line = rows.get(pk=target.pk)
    if line.state != State.OPEN or line.review.state != Review.State.RUNNING:
        return
    state = _ended(line)
    ReviewLine.objects.filter(pk=line.pk).update(state=state, decided_at=Now(), decided_by=SYSTEM.name)
    entry = Line(SILENCE, detail={"review": str(line.review_id), "grant": str(line.grant_id)})
    entry.name_target(line)
    entry.before = {"person": line.person, "role": line.role, "place": line.place}
    entry.after = {"state": str(state)}
    record(SYSTEM, entry, result=AuditEntry.Result.DONE)


def _ended(line: ReviewLine) -> State:
    over = line.grant.ended_at is not None or (line.until is not None and line.until <= line.review.ends_at)
    if over:
        return State.OVER
    try:
        with transaction.atomic():
            take_away(line.grant, by=SYSTEM.name)
    except Conflict as refused:
        return REFUSED[refused.code]
    return State.SILENT
