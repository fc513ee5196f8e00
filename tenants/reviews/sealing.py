"""The end of a review: its result is written into the tenant's chain as a digest, and the database keeps the rows."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _

from audit.models import AuditEntry
from core.clock import database_now
from core.errors import Conflict
from tenants.models import Review, ReviewLine, Tenant
from tenants.reviews import results, telling
from tenants.reviews.deciding import not_over

ENDS = ("review.close", "review.call_off")


def locked(review: Review) -> Review:
    """The row, as long as it runs, when it is one's turn."""
    Tenant.objects.select_for_update().get(pk=review.tenant_id)
    rows = Review.objects.select_for_update(of=("self",)).select_related("tenant", "project")
    row = rows.get(pk=review.pk)
    if row.state != Review.State.RUNNING:
        raise Conflict(_("This review is over."), code="review_over", hint=_("Look at its result."))
    return row


def seal(review: Review, *, by: str, state: Review.State) -> dict[str, Any]:
    """Close a locked review. Answers what the audit has to hold: the digests, and how many lines came out how."""
    gone = ReviewLine.objects.filter(review=review, state=ReviewLine.State.OPEN).exclude(not_over())
    ReviewLine.objects.filter(pk__in=list(gone.values_list("pk", flat=True))).update(state=ReviewLine.State.OVER)
    review.sealed_at, review.sealed_by, review.state = database_now(), by, state
    lines = results.lines_of(review)
    for line in lines:
        line.sealed_at = review.sealed_at
    review.digest = results.digest(results.as_json_lines(review, lines))
    review.csv_digest = results.digest(results.as_csv(lines))
    ReviewLine.objects.filter(review=review).update(sealed_at=review.sealed_at)
    review.save(update_fields=["sealed_at", "sealed_by", "state", "digest", "csv_digest"])
    telling.over(review)
    counts = ReviewLine.objects.filter(review=review).order_by().values_list("state").annotate(count=Count("pk"))
    return {"digest": review.digest, "csv_digest": review.csv_digest, "lines": len(lines), "counts": dict(counts)}


@dataclass(frozen=True)
class Verdict:
    """Whether a sealed result is what was sealed. `seq`: the entry of the tenant's chain that holds the digest.

    `fault`: "changed" (the rows are not what was sealed), "unsealed" (no entry of the audit names this digest).
    """

    digest: str
    seq: int | None
    fault: str = ""

    @property
    def holds(self) -> bool:
        return not self.fault


def verify(review: Review) -> Verdict:
    """Make the result again and compare it with what the chain holds. The chain itself is `audit.chain.verify`'s."""
    now = results.digest(results.as_json_lines(review, results.lines_of(review)))
    entries = AuditEntry.objects.filter(tenant_id=review.tenant_id, action__in=ENDS, target_id=str(review.pk))
    done = entries.filter(result__in=[AuditEntry.Result.ACCEPTED, AuditEntry.Result.DONE]).order_by("seq").first()
    if done is None or not isinstance(done.after, dict):
        return Verdict(now, None, "unsealed")
    if done.after.get("digest") != now:
        return Verdict(now, done.seq, "changed")
    return Verdict(now, done.seq)
