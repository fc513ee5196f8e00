"""Which instances get a series: all of them, up to a limit for each tenant. What has ended makes room first."""

import uuid
from collections import defaultdict
from collections.abc import Sequence

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from apps.models import ObservedInstance
from observe.models import UsageOverflow, UsageSeries

Key = tuple[uuid.UUID, str]  # place, the engine's id


def admit(rows: Sequence[ObservedInstance]) -> dict[Key, UsageSeries]:
    """The series of these instances: those that are there, and new ones as far as the tenants' limits go."""
    held = UsageSeries.objects.filter(engine_id__in=[row.engine_id for row in rows])
    found = {(one.place_id, one.engine_id): one for one in held}
    new: dict[uuid.UUID, list[ObservedInstance]] = defaultdict(list)
    for row in rows:
        if (row.place_id, row.engine_id) not in found:
            new[row.tenant_id].append(row)
    for tenant_id, wanted in new.items():
        for row in wanted[: _room(tenant_id, len(wanted))]:
            found[row.place_id, row.engine_id] = _begin(row)
    return found


def _begin(row: ObservedInstance) -> UsageSeries:
    return UsageSeries.objects.create(
        tenant_id=row.tenant_id,
        project_id=row.project_id,
        place_id=row.place_id,
        service=row.service,
        number=row.number,
        engine_id=row.engine_id,
        started_at=row.started_at,
    )


def _room(tenant_id: uuid.UUID, wanted: int) -> int:
    """For how many more there is room, once the oldest ended ones have gone."""
    mine = UsageSeries.objects.filter(tenant_id=tenant_id)
    limit: int = settings.METRICS_SERIES_PER_TENANT
    over = mine.count() + wanted - limit
    if over > 0:
        over -= _make_room(tenant_id, over)
    _note(tenant_id, left_out=max(0, over))
    return max(0, wanted - max(0, over))


def _make_room(tenant_id: uuid.UUID, wanted: int) -> int:
    ended = UsageSeries.objects.filter(tenant_id=tenant_id, ended_at__isnull=False).order_by("ended_at")
    oldest = list(ended.values_list("pk", flat=True)[:wanted])
    if oldest:
        UsageSeries.objects.filter(pk__in=oldest).delete()
        row, _new = UsageOverflow.objects.get_or_create(tenant_id=tenant_id)
        UsageOverflow.objects.filter(pk=row.pk).update(
            forgotten=F("forgotten") + len(oldest), forgotten_at=timezone.now()
        )
    return len(oldest)


def _note(tenant_id: uuid.UUID, *, left_out: int) -> None:
    """Said again every ten seconds while it is so; how old it is tells whether it still is."""
    if left_out:
        row, _new = UsageOverflow.objects.get_or_create(tenant_id=tenant_id)
        UsageOverflow.objects.filter(pk=row.pk).update(left_out=left_out, left_out_at=timezone.now())
