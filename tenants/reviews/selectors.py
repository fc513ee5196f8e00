"""Which reviews and lines somebody may see, how far they are, and which lines wait for whom."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from core.access import Actor, get_visible, visible
from core.api.paging import Rows, plain
from core.errors import FieldProblem, Invalid
from tenants.models import Review, ReviewLine, Tenant
from tenants.reviews.deciding import answerable

State = ReviewLine.State
SHOWN = ("open", "mine", "kept", "ended", "left")
KINDS: dict[str, tuple[str, ...]] = {
    "open": (State.OPEN,),
    "kept": (State.KEPT,),
    "ended": (State.ENDED, State.SILENT, State.OVER),
    "left": (State.LAST_OWNER, State.ELSEWHERE),
}
REVIEW = [
    "id", "name", "project__name", "roles", "started_by", "created_at", "ends_at", "state", "sealed_at", "sealed_by",
    "digest", "csv_digest",
]  # fmt: skip
LINE = [
    "id", "number", "person", "role", "place", "since", "until", "granted_by", "reason", "origin", "last_used_at",
    "seen_at", "state", "decided_by", "decided_at", "decision_reason", "grant_id",
]  # fmt: skip


@dataclass(frozen=True)
class Progress:
    """How many lines came out how, of those that the reader may see."""

    counts: Mapping[str, int]

    def of(self, kind: str) -> int:
        return sum(self.counts.get(state, 0) for state in KINDS[kind])

    @property
    def whole(self) -> int:
        return sum(self.counts.values())

    @property
    def decided(self) -> int:
        return self.whole - self.of("open")

    @property
    def still_open(self) -> int:
        return self.of("open")

    @property
    def kept(self) -> int:
        return self.of("kept")

    @property
    def ended(self) -> int:
        return self.of("ended")

    @property
    def left(self) -> int:
        return self.of("left")


def reviews(actor: Actor, home: Tenant) -> QuerySet[Review]:
    """Those of the tenant of which the actor may see at least one line."""
    lines = visible(actor, ReviewLine.objects.filter(tenant=home)).values("review")
    return Review.objects.filter(tenant=home, pk__in=lines).select_related("tenant", "project")


def review(actor: Actor, home: Tenant, review_id: uuid.UUID) -> Review:
    return get_visible(actor, reviews(actor, home), permission="tenant.view", pk=review_id)


def lines(actor: Actor, of: Review) -> QuerySet[ReviewLine]:
    return visible(actor, ReviewLine.objects.filter(review=of)).order_by("number")


def narrowed(
    actor: Actor, rows: QuerySet[ReviewLine], *, show: str = "", search: str = "", role: str = ""
) -> QuerySet[ReviewLine]:
    """`show`: open, mine (those the actor may answer now), kept, ended, left; else all."""
    if show == "mine":
        rows = rows.filter(pk__in=answerable(actor).values("pk"))
    elif show in KINDS:
        rows = rows.filter(state__in=KINDS[show])
    if search:
        rows = rows.filter(Q(person__icontains=search) | Q(place__icontains=search))
    return rows.filter(role=role) if role else rows


def progress(actor: Actor, found: Collection[Review]) -> dict[uuid.UUID, Progress]:
    """Of several reviews by one query."""
    rows = visible(actor, ReviewLine.objects.filter(review__in=[one.pk for one in found])).order_by()
    counts: dict[uuid.UUID, dict[str, int]] = {one.pk: {} for one in found}
    for key, state, count in rows.values_list("review_id", "state").annotate(count=Count("pk")):
        counts[key][state] = count
    return {key: Progress(value) for key, value in counts.items()}


def by_answerer(actor: Actor, of: Review) -> list[tuple[str, int]]:
    """Who answered how many."""
    rows = lines(actor, of).exclude(decided_by="").order_by("decided_by")
    return list(rows.values_list("decided_by").annotate(count=Count("pk")))


def waiting(actor: Actor) -> list[tuple[Review, int]]:
    """Running reviews with lines for the actor, the first to end first."""
    counted = dict(answerable(actor).order_by().values_list("review").annotate(count=Count("pk")))
    rows = Review.objects.filter(pk__in=counted).select_related("tenant", "project").order_by("ends_at", "id")
    return [(row, counted[row.pk]) for row in rows]


def lines_named(actor: Actor, of: Review, ids: Sequence[uuid.UUID]) -> list[ReviewLine]:
    """Lines by id, in their order; Invalid where one of them is not of this review, or not the actor's to see."""
    found = list(lines(actor, of).filter(pk__in=ids).select_related("tenant"))
    if len(found) != len(set(ids)):
        raise Invalid(errors=[FieldProblem("lines", "unknown", _("There is no such line in this review."))])
    return found


def plain_reviews(actor: Actor, home: Tenant) -> Rows:
    return plain(reviews(actor, home).select_related(None), *REVIEW)


def plain_lines(rows: QuerySet[ReviewLine]) -> Rows:
    return plain(rows, *LINE)


def shown_reviews(actor: Actor, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    found = progress(actor, list(Review.objects.filter(pk__in=[row["id"] for row in rows])))
    return [_shown(dict(row), found[row["id"]]) for row in rows]


def shown_review(actor: Actor, row: Review) -> dict[str, Any]:
    return shown_reviews(actor, list(plain(Review.objects.filter(pk=row.pk), *REVIEW)))[0]


def _shown(row: dict[str, Any], found: Progress) -> dict[str, Any]:
    lines_of = {"whole": found.whole} | {kind: found.of(kind) for kind in KINDS}
    return row | {"project": row.pop("project__name"), "lines": lines_of}
