"""How a copy or a run of a rule begins, whoever or whatever asks for it."""

from django.db import models, transaction

from core.access import SYSTEM, Actor
from core.clock import database_now
from core.errors import Conflict
from images.replication import schedule
from images.replication.models import ImageCopy, ReplicationRule, ReplicationRun
from operations.models import Operation
from operations.services import enqueue
from tenants.models import Project, Tenant

COPY, RUN = "image.copy", "replication.run"
AT_ONCE = 200


def start(actor: Actor, row: models.Model, *, kind: str, name: str, needs: str, key: str = "") -> Operation:
    return enqueue(
        actor,
        f"{kind}.run",
        target=row,
        target_key=key or f"{kind}:{row.pk}",
        target_name=name[:200],
        params={"kind": kind, "needs": [needs], "row": str(row.pk)},
    )


def start_run(actor: Actor, rule: ReplicationRule) -> ReplicationRun:
    """Raises Conflict while the rule is being followed."""
    run = ReplicationRun(tenant_id=rule.tenant_id, project_id=rule.project_id, rule=rule)
    run.save(force_insert=True)
    run.operation = start(actor, run, kind=RUN, name=rule.name, needs="project.manage", key=f"replication:{rule.pk}")
    run.save(update_fields=["operation"])
    return run


def start_due() -> None:
    """Every rule whose time has come, and those for which something waits."""
    now = database_now()
    open_ones = {"project__state": Project.State.ACTIVE, "project__deleted_at": None}
    rows = ReplicationRule.objects.filter(paused=False, **open_ones).exclude(tenant__state=Tenant.DISABLED)
    waiting = ImageCopy.objects.filter(run=None, rule__isnull=False, state__in=ImageCopy.OPEN).values("rule")
    to_follow = rows.filter(models.Q(next_at__lte=now) | models.Q(pk__in=waiting)).order_by("next_at", "pk")
    for rule in to_follow.select_related("registry")[:AT_ONCE]:
        later = schedule.next_after(rule.schedule, now)
        due = rule.next_at is not None and rule.next_at <= now
        with transaction.atomic():
            if due and not ReplicationRule.objects.filter(pk=rule.pk, next_at__lte=now).update(next_at=later):
                continue
            start_quietly(rule, looks=due)


def start_quietly(rule: ReplicationRule, *, looks: bool) -> None:
    """In Berth's own name; while it is being followed, that run sees what waits. `looks`: at all that fits."""
    try:
        with transaction.atomic():
            run = start_run(SYSTEM, rule)
            ReplicationRun.objects.filter(pk=run.pk).update(looked=not looks)
    except Conflict:
        return
