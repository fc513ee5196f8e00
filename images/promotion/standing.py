"""Whether an image may run in a stage at this moment. Every way into an environment asks here, and nowhere else."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q
from django.db.models.functions import Now

from images.promotion import rating
from images.promotion.models import Approval, StagePolicy

NOT_APPROVED, SUSPENDED, ENDED, NOT_LISTED = "not_approved", "suspended", "approval_ended", "not_listed"


@dataclass(frozen=True)
class Refusal:
    """Why one image may not start in a stage. `why`: of a suspension, as it was written down then."""

    code: str
    why: Mapping[str, Any] = field(default_factory=dict)


def policies(project: uuid.UUID) -> dict[str, StagePolicy]:
    """By stage; a stage that is not in it takes every image, as it always did."""
    return {row.stage: row for row in StagePolicy.objects.filter(project_id=project)}


def by_approval_only(project: uuid.UUID, stage: str) -> bool:
    """An environment of which nobody told the stage counts as the strictest of its project."""
    rows = StagePolicy.objects.filter(project_id=project)
    return (rows.filter(stage=stage) if stage else rows).exists()


def running_out() -> Q:
    """On Approval: its time is over."""
    return Q(valid_until__isnull=False, valid_until__lte=Now())


def holds() -> Q:
    """On Approval: by it an image may start now."""
    return Q(suspended_at__isnull=True) & (Q(valid_until__isnull=True) | Q(valid_until__gt=Now()))


def refused(project: uuid.UUID, stage: str, digests: Iterable[str]) -> dict[str, Refusal]:
    """Of these images those that may not start in the stage. "" stands for one of which nobody knows the digest.

    The newest scan is asked as well: whoever was to suspend the image for it may not have come to it yet.
    """
    asked = set(digests)
    policy = StagePolicy.objects.filter(project_id=project, stage=stage).first() if asked else None
    if policy is None:
        return {}
    rows = Approval.objects.filter(project_id=project, stage=stage, digest__in=asked)
    good = {row.digest: row for row in rows.filter(holds())}
    known = {row.digest: row for row in rows}
    found = {digest: _refusal(digest, known.get(digest)) for digest in asked - set(good)}
    unfit = {digest: why for digest, row in good.items() if (why := unfitness(policy, row))}
    return found | {digest: Refusal(SUSPENDED, why) for digest, why in unfit.items()}


def unfitness(policy: StagePolicy, row: Approval) -> dict[str, Any]:
    """Why an approved image does not pass what its stage asks of the scan now; empty where it does."""
    if not policy.rating:
        return {}
    scan = rating.seen(rating.scan_of(row.project_id, row.digest, row.name))
    code = rating.objection(policy.rating, scan)
    params = {"stage": policy.stage, "limit": policy.rating, "rating": (scan or {}).get("rating", "")}
    return {"code": code, "params": params} if code else {}


def _refusal(digest: str, row: Approval | None) -> Refusal:
    if not digest:
        return Refusal(NOT_LISTED)
    if row is None:
        return Refusal(NOT_APPROVED)
    return Refusal(SUSPENDED, row.why or {}) if row.suspended_at else Refusal(ENDED)


def approved(project: uuid.UUID, stage: str) -> set[str]:
    """The images that may start there now."""
    rows = Approval.objects.filter(holds(), project_id=project, stage=stage)
    return set(rows.values_list("digest", flat=True))
