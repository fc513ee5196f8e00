"""What happens to the instances of a place, as rows: from what one look shows that the look before did not.

An engine's notices hurry a look on; two of them, memory and health, say more than a look can see.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import QuerySet
from django.utils import timezone

from apps.models import AppEnvironment, ObservedInstance, PlaceEvent
from backends.contract import EngineNotice, InstanceState, InstanceStatus, Reason, ReasonCode
from backends.models import Host
from operations.changes import announce

KEPT: Final = timedelta(days=14)
MOST_IN_PLACE = 500
MOST_IDS = 50  # of the instances that one row counts
TOGETHER = timedelta(minutes=2)  # starts and ends of one service that belong together
AGAIN = timedelta(hours=2)  # trouble of the same number so soon after is the same trouble
AFTER_TROUBLE = timedelta(minutes=15)  # a start so soon after a crash is no news
Code = PlaceEvent.Code
COUNTED_TOGETHER = (Code.STARTED, Code.ENDED)
_OF_REASON = {
    ReasonCode.EXITED: Code.CRASHED,
    ReasonCode.CRASHING: Code.CRASHED,
    ReasonCode.OUT_OF_MEMORY: Code.CRASHED,
    ReasonCode.UNHEALTHY: Code.UNHEALTHY,
    ReasonCode.HOST_LOST: Code.HOST_LOST,
}
TOLD_BY_NOTICE = (ReasonCode.OUT_OF_MEMORY, ReasonCode.UNHEALTHY)


@dataclass(frozen=True)
class Happened:
    """One thing that happened to one instance. `instance` is the engine's id of it."""

    code: str
    service: str
    number: int
    instance: str
    at: datetime
    host: str = ""
    reason: dict[str, Any] | None = None
    exit_code: int | None = None

    @property
    def window(self) -> timedelta:
        return TOGETHER if self.code in COUNTED_TOGETHER else AGAIN


def note_changes(
    place: AppEnvironment,
    seen: Iterable[InstanceStatus],
    before: Mapping[str, ObservedInstance],
    hosts: Mapping[str, Host],
) -> bool:
    """Write what a look at one service shows that is new. `before`: its rows until now, by the engine's id.

    Call it in the transaction that writes the instances. True where there was something to write.
    """
    found = [one for status in seen if (one := _happened(status, before.get(status.id), hosts))]
    for one in sorted(found, key=lambda one: one.at):
        _keep(place, one)
    if found:
        _forget_oldest(place)
    return bool(found)


def note_notices(notices: Iterable[EngineNotice]) -> None:
    """Write what notices say of memory and health; the rest of what they say is seen by the look they bring about."""
    telling = [one for one in notices if one.reason and one.instance and one.reason.code in TOLD_BY_NOTICE]
    rows = ObservedInstance.objects.filter(engine_id__in=[one.instance for one in telling]).select_related(
        "place", "host"
    )
    by_id = {row.engine_id: row for row in rows}
    for notice in telling:
        if (row := by_id.get(notice.instance or "")) and notice.reason:
            _keep(row.place, _of_notice(notice, notice.reason, row))
            announce("place", row.place_id, tenant=row.tenant_id, project=row.project_id)


def forget_old() -> None:
    PlaceEvent.objects.filter(last_at__lt=timezone.now() - KEPT).delete()


def _happened(status: InstanceStatus, before: ObservedInstance | None, hosts: Mapping[str, Host]) -> Happened | None:
    """None where nothing new is to be told of this instance."""
    if before is not None and before.state == str(status.state) and not _new_reason(status, before):
        return None
    code = _code(status, before)
    if code is None:
        return None
    host = hosts.get(status.host or "")
    return Happened(
        code=code,
        service=status.ref.service,
        number=status.number,
        instance=status.id,
        at=(status.started_at if code == Code.STARTED else status.changed_at) or timezone.now(),
        host=host.name if host else "",
        reason=status.reason.as_json() if status.reason else None,
        exit_code=status.exit_code,
    )


def _new_reason(status: InstanceStatus, before: ObservedInstance) -> bool:
    """One that waits may only later be told what for."""
    return status.state == InstanceState.WAITING and status.reason is not None and before.reason is None


def _code(status: InstanceStatus, before: ObservedInstance | None) -> str | None:
    if status.state == InstanceState.RUNNING:
        return Code.STARTED
    if status.state == InstanceState.FAILED:
        return _OF_REASON.get(status.reason.code, Code.NOT_STARTING) if status.reason else Code.CRASHED
    if status.state == InstanceState.WAITING:
        return Code.WAITING if status.reason is not None else None
    ended = status.state == InstanceState.ENDED
    return Code.ENDED if ended and before is not None and before.state != InstanceState.FAILED else None


def _of_notice(notice: EngineNotice, reason: Reason, row: ObservedInstance) -> Happened:
    return Happened(
        code=_OF_REASON[reason.code],
        service=row.service,
        number=row.number,
        instance=row.engine_id,
        at=notice.at,
        host=row.host.name if row.host else "",
        reason=reason.as_json(),
    )


def _keep(place: AppEnvironment, one: Happened) -> None:
    """Add a row, or count it in the row of the same trouble. The same instance counts once."""
    AppEnvironment.objects.select_for_update(no_key=True).filter(pk=place.pk).first()  # one writer at a time
    near = PlaceEvent.objects.filter(place=place, service=one.service)
    if one.code == Code.STARTED and _after_trouble(near, one):
        return
    row = _same(place, near.filter(code=one.code, last_at__gte=one.at - one.window), one)
    if row is None:
        _add(place, one)
    elif one.instance in row.instances:
        _learn(row, one)
    else:
        _count(row, one)


def _same(place: AppEnvironment, rows: "QuerySet[PlaceEvent]", one: Happened) -> PlaceEvent | None:
    """The row that this belongs to. Trouble of another release is other trouble."""
    if one.code not in COUNTED_TOGETHER:
        begun = place.deployments.order_by("-number").values_list("created_at", flat=True).first()
        rows = rows.filter(number=one.number, last_at__gte=begun or one.at - one.window)
    return rows.order_by("-last_at").first()


def _after_trouble(near: "QuerySet[PlaceEvent]", one: Happened) -> bool:
    troubles = near.filter(code__in=PlaceEvent.TROUBLE, number=one.number, last_at__gte=one.at - AFTER_TROUBLE)
    return troubles.exists()


def _add(place: AppEnvironment, one: Happened) -> None:
    row = PlaceEvent(
        tenant_id=place.tenant_id,
        project_id=place.project_id,
        place=place,
        code=one.code,
        service=one.service,
        number=one.number,
        host=one.host,
        reason=one.reason,
        exit_code=one.exit_code,
        first_at=one.at,
        last_at=one.at,
        instances=[one.instance],
        key=f"{one.code}:{one.instance}",
    )
    PlaceEvent.objects.bulk_create([row], ignore_conflicts=True)


def _count(row: PlaceEvent, one: Happened) -> None:
    row.count += 1
    row.instances = [*row.instances, one.instance][-MOST_IDS:]
    row.last_at = max(row.last_at, one.at)
    row.number = row.number if row.number == one.number else None
    row.host = one.host if row.count == 1 or row.host == one.host else ""
    row.reason, row.exit_code = one.reason or row.reason, one.exit_code
    row.save()


def _learn(row: PlaceEvent, one: Happened) -> None:
    """Memory and health are better reasons than a bare exit code, whichever of them comes first."""
    better = (one.reason or {}).get("code") in TOLD_BY_NOTICE
    reason = one.reason if better or row.reason is None else row.reason
    exit_code = one.exit_code if one.exit_code is not None else row.exit_code
    if (reason, exit_code) != (row.reason, row.exit_code):
        PlaceEvent.objects.filter(pk=row.pk).update(reason=reason, exit_code=exit_code)


def _forget_oldest(place: AppEnvironment) -> None:
    over = PlaceEvent.objects.filter(place=place).order_by("-last_at").values_list("pk", flat=True)
    oldest = list(over[MOST_IN_PLACE : MOST_IN_PLACE + 100])
    if oldest:
        PlaceEvent.objects.filter(pk__in=oldest).delete()
