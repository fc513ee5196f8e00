"""Writing what instances have written: in few statements, and never more for a tenant than its share."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone

from apps.kept_logs.cutting import Packed
from apps.models import KeptChunk, KeptLog, ObservedInstance

KEPT = timedelta(days=14)  # after an instance has ended
MEBIBYTE = 1 << 20
_AT_ONCE = 500  # chunks that make room in one go


def logs_of(rows: Iterable[ObservedInstance]) -> Mapping[str, KeptLog]:
    """The log of each instance, by the engine's id: new where there was none."""
    wanted = {row.engine_id: row for row in rows}
    held = {log.engine_id: log for log in KeptLog.objects.filter(engine_id__in=list(wanted))}
    fresh = [
        KeptLog(
            tenant_id=row.tenant_id,
            project_id=row.project_id,
            place_id=row.place_id,
            service=row.service,
            number=row.number,
            engine_id=row.engine_id,
        )
        for row in wanted.values()
        if row.engine_id not in held
    ]
    KeptLog.objects.bulk_create(fresh, ignore_conflicts=True)
    return held | {log.engine_id: log for log in fresh}


def keep(pieces: Iterable[tuple[KeptLog, Sequence[Packed]]]) -> set[uuid.UUID]:
    """Lines that came after those that are kept already, some for each log. Answers whose were kept: of all else
    somebody has kept lines meanwhile, or it is gone with its place.
    """
    kept = []
    with transaction.atomic():
        for log, some in pieces:
            still = KeptLog.objects.filter(pk=log.pk, last_ns=log.last_ns, last_lines=log.last_lines)
            size, last = sum(len(one.content) for one in some), some[-1]
            if still.update(size=F("size") + size, last_ns=last.last_ns, last_lines=last.last_lines):
                log.last_ns, log.last_lines = last.last_ns, last.last_lines
                kept.append((log, some))
        KeptChunk.objects.bulk_create([_row(log, one) for log, some in kept for one in some])
    for tenant in {log.tenant_id for log, _ in kept}:
        make_room(tenant)
    return {log.pk for log, _ in kept}


def _row(log: KeptLog, one: Packed) -> KeptChunk:
    return KeptChunk(
        log=log,
        first_ns=one.first_ns,
        last_ns=one.last_ns,
        lines=one.lines,
        size=len(one.content),
        lost=one.lost,
        packed=one.content,
    )


def make_room(tenant: uuid.UUID) -> None:
    """The oldest lines of a tenant go first, whichever instance wrote them."""
    most = settings.LOGS_KEPT_MIB_PER_TENANT * MEBIBYTE
    with transaction.atomic():
        over = (KeptLog.objects.filter(tenant=tenant).aggregate(all=Sum("size"))["all"] or 0) - most
        if over <= 0:
            return
        going: list[int] = []
        less: dict[uuid.UUID, int] = {}
        oldest = KeptChunk.objects.filter(log__tenant=tenant).order_by("last_ns", "pk")
        for pk, log, size in oldest.values_list("pk", "log_id", "size")[:_AT_ONCE]:
            going.append(pk)
            less[log] = less.get(log, 0) + size
            over -= size
            if over <= 0:
                break
        KeptChunk.objects.filter(pk__in=going).delete()
        for log, size in less.items():
            KeptLog.objects.filter(pk=log).update(size=F("size") - size, forgotten=True)


def end(log: KeptLog) -> None:
    KeptLog.objects.filter(pk=log.pk, ended_at=None).update(ended_at=timezone.now())


def forget_old() -> None:
    """Of instances that ended long ago; and those that never wrote anything and are over."""
    KeptLog.objects.filter(ended_at__lt=timezone.now() - KEPT).delete()
    seen = ObservedInstance.objects.values("engine_id")
    KeptLog.objects.filter(ended_at__isnull=False, size=0).exclude(engine_id__in=seen).delete()
