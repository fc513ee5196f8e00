"""An approval comes to be, is suspended, and comes back by a new one. Who may do that is asked in `services`."""

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from celery import current_app
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from audit.models import AuditEntry
from audit.services import Line, record, register_action
from core.access import SYSTEM, Actor
from core.clock import from_now
from images.happening import Happened, tell
from images.models import Repository
from images.promotion import telling, words
from images.promotion.models import Approval, Promotion, StagePolicy
from images.promotion.standing import holds, running_out, unfitness

SUSPENDED = register_action("promotion.suspended")
LAY_OUT = "images.lay_out"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z", re.ASCII)


def grant(promotion: Promotion, policy: StagePolicy) -> Approval:
    """From now on it may run there. A new approval lifts whatever suspended the one before."""
    until = from_now(timedelta(days=policy.valid_days)) if policy.valid_days else None
    values: dict[str, Any] = {
        "name": promotion.name, "path": promotion.path or _path_of(promotion), "promotion": promotion,
        "approved_at": Now(), "valid_until": until, "suspended_at": None, "why": None, "laid": False,
    }  # fmt: skip
    whose = {"tenant_id": promotion.tenant_id}
    row, _made = Approval.objects.update_or_create(
        project_id=promotion.project_id, stage=promotion.stage, digest=promotion.digest,
        defaults=values, create_defaults=whose | values,
    )  # fmt: skip
    ask_to_lay_out()
    return row


def _path_of(promotion: Promotion) -> str:
    """Where the project's own registry has an image that was asked for from elsewhere; empty where it has it not."""
    rows = Repository.objects.filter(project_id=promotion.project_id, artifacts__digest=promotion.digest)
    return rows.order_by("path").values_list("path", flat=True).first() or ""


def suspend(approval: Approval, why: dict[str, Any], actor: Actor = SYSTEM) -> bool:
    """Nothing starts by it any more. False where it was suspended already."""
    rows = Approval.objects.filter(pk=approval.pk, suspended_at__isnull=True)
    if not rows.update(suspended_at=Now(), why=why):
        return False
    approval.refresh_from_db()
    telling.suspended(approval)
    home = Repository.objects.filter(name=approval.name).first()
    if home is not None:
        detail: dict[str, object] = {"stage": approval.stage, "project": str(approval.project)}
        detail["why"] = words.why_suspended(why)
        tell(Happened("suspended", home, approval.digest, actor, detail=detail))
    if actor is SYSTEM:  # a person's command has an entry of its own
        line = Line(
            SUSPENDED, detail={"stage": approval.stage, "image": approval.name, "digest": approval.digest} | why
        )
        line.name_target(approval)
        record(SYSTEM, line, result=AuditEntry.Result.DONE)
    ask_to_lay_out()
    return True


def suspend_unfit(policy: StagePolicy, digests: Iterable[str] | None = None) -> int:
    """Suspend what does not pass the scan that the stage asks for; answers how many."""
    rows = Approval.objects.filter(holds(), project_id=policy.project_id, stage=policy.stage)
    if digests is not None:
        rows = rows.filter(digest__in=list(digests))
    found = [(row, unfitness(policy, row)) for row in rows.select_related("project__tenant")]
    return sum(suspend(row, why) for row, why in found if why)


def scanned(digest: str) -> int:
    """A new look at an image: wherever it is approved and does not pass any more, it is suspended."""
    places = Approval.objects.filter(holds(), digest=digest).values_list("project_id", "stage")
    found = StagePolicy.objects.filter(project_id__in=[project for project, _stage in places])
    wanted = set(places)
    return sum(suspend_unfit(row, [digest]) for row in found if (row.project_id, row.stage) in wanted)


def end_old() -> None:
    """What was valid until a day is suspended with that day, and requests that nobody answered are over."""
    Promotion.objects.filter(state=Promotion.State.OPEN, expires_at__lte=Now()).update(
        state=Promotion.State.EXPIRED, ended_at=F("expires_at")
    )
    for row in Approval.objects.filter(running_out(), suspended_at__isnull=True).select_related("project__tenant"):
        with transaction.atomic():
            until = row.valid_until.date().isoformat() if row.valid_until else ""
            suspend(row, {"code": words.OUT_OF_TIME, "params": {"until": until}})


def ask_to_lay_out() -> None:
    """Once this is committed the registry is to follow."""
    transaction.on_commit(lambda: current_app.send_task(LAY_OUT, ignore_result=True), robust=True)
