"""What of an app's environment can be read logs of: rows only; the engine is asked by whoever streams."""

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from asgiref.sync import sync_to_async
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.building import ref_of
from apps.logs import Filters, nanoseconds
from apps.models import AppEnvironment, InstanceEnd, KeptLog, ObservedInstance
from apps.selectors.state import wanted_instances
from backends.contract import InstanceState, LogQuery
from core.errors import BadRequest, FieldProblem

MOST_CRASHES = 10
ASKED_TO_END = (0, 143)  # went well, or ended by the signal that an engine asks with
LATELY = timedelta(days=1)
TAIL = 1000  # lines of each instance when nothing says how many, or from when


Written = ObservedInstance | KeptLog  # what has written lines: one that is seen, or one whose lines were kept


@dataclass(frozen=True)
class Asked:
    """A checked question: which services, which one instance (None: all), and the engine's query for it."""

    services: list[str]
    instance: Written | None
    query: LogQuery
    filters: Filters


def asked(place: AppEnvironment, parameters: dict[str, Any], *, complete: bool = False) -> Asked:
    """Raises BadRequest for a service or an instance that this place has not. `complete`: no limit of lines."""
    services = _services(place, parameters.get("service"))
    instance = _instance(place, parameters.get("instance"))
    since, until, tail, newest = (parameters.get(name) for name in ("since", "until", "tail", "newest"))
    if tail is None and not complete and since is None and until is None:
        tail = TAIL
    query = LogQuery(
        services=tuple(ref_of(place, name) for name in services),
        instance=instance.engine_id if instance else None,
        since=since,
        until=None if newest else until,  # the newest are counted from the end; then those after `until` are left out
        tail=newest or tail,
        follow=bool(parameters.get("follow")),
        newest=newest,
    )
    return Asked(services, instance, query, _filters(parameters, until if newest else None))


def _filters(parameters: dict[str, Any], until: datetime | None) -> Filters:
    return Filters(
        search=parameters.get("search") or "",
        level=parameters.get("level") or "",
        number=parameters.get("number"),
        until_ns=nanoseconds(until) if until else None,
    )


def services_of(place: AppEnvironment) -> list[str]:
    """Declared ones, and those that are there although no release says so yet, as in a first deployment."""
    seen = place.services.values_list("service", flat=True)
    return sorted({*wanted_instances(place), *seen})


def _services(place: AppEnvironment, wanted: str | None) -> list[str]:
    known = services_of(place)
    if wanted is None:
        return known
    if wanted not in known:
        text = _("There is no such service here; there are: %(known)s.") % {"known": ", ".join(known) or "-"}
        raise _unknown("service", text)
    return [wanted]


def _instance(place: AppEnvironment, wanted: uuid.UUID | None) -> Written | None:
    if wanted is None:
        return None
    found = place.observed_instances.filter(pk=wanted).first() or place.kept_logs.filter(pk=wanted).first()
    if found is None:
        raise _unknown("instance", _("There is no such instance here."))
    return found


def _unknown(field: str, message: str) -> BadRequest:
    problem = FieldProblem(field, "unknown", message)
    return BadRequest(_("A parameter is wrong."), code="bad_parameter", errors=[problem])


def instances_of(place: AppEnvironment, question: Asked) -> list[Written]:
    """Those whose logs are asked for, by service and number; also ended ones, and gone ones with lines kept."""
    if question.instance is not None:
        return [question.instance]
    wanted: dict[str, Any] = {"service__in": question.services}
    if question.filters.number is not None:
        wanted["number"] = question.filters.number
    rows = list(place.observed_instances.filter(**wanted).order_by("service", "number", "started_at", "id"))
    kept = place.kept_logs.filter(**wanted, size__gt=0).order_by("service", "number", "id")
    gone = kept.exclude(engine_id__in=[row.engine_id for row in rows])
    return sorted([*gone, *rows], key=lambda one: (one.service, one.number))


def instance_ids(place: AppEnvironment) -> Callable[[str], Awaitable[str | None]]:
    """Our id of an engine's instance, kept once it is known; None where the observer has not seen it yet."""
    known: dict[str, str] = {}

    @sync_to_async
    def look() -> None:
        for rows in (place.kept_logs, place.observed_instances):  # of one that is seen its own id
            known.update((engine_id, str(pk)) for engine_id, pk in rows.values_list("engine_id", "pk"))

    async def id_of(engine_id: str) -> str | None:
        if engine_id not in known:
            known[engine_id] = ""  # asked once only
            await look()
        return known[engine_id] or None

    return id_of


@dataclass(frozen=True)
class Crash:
    """An instance that failed, the engine's own record of it if there is still one, and ours if we kept one."""

    service: str
    number: int
    exit_code: int | None
    row: ObservedInstance | None
    end: InstanceEnd | None
    at: datetime | None


def lately() -> datetime:
    """Crashes before that are history, not news."""
    return timezone.now() - LATELY


def crashes(place: AppEnvironment, *, since: datetime) -> list[Crash]:
    """Instances that ended by themselves with an error, the newest first; each number of a service once."""
    rows = place.observed_instances.filter(state=InstanceState.FAILED, created_at__gte=since)
    rows = rows.exclude(exit_code__in=ASKED_TO_END).order_by("-created_at")
    found = {row.engine_id: _crash(row, None) for row in rows[:MOST_CRASHES]}
    ends = place.ends.filter(ended_at__gte=since).exclude(exit_code__in=ASKED_TO_END).order_by("-ended_at")
    for end in ends[:MOST_CRASHES]:
        known = found.get(end.engine_id)
        found[end.engine_id] = _crash(known.row if known else None, end)
    newest = sorted(found.values(), key=lambda one: one.at or since, reverse=True)
    latest: dict[tuple[str, int], Crash] = {}
    for one in newest:
        latest.setdefault((one.service, one.number), one)
    return list(latest.values())


def _crash(row: ObservedInstance | None, end: InstanceEnd | None) -> Crash:
    one = end or row
    if one is None:
        raise ValueError("there is nothing to tell of")
    at = end.ended_at if end else row.created_at if row else None
    code = one.exit_code if one.exit_code is not None else row.exit_code if row else None
    return Crash(one.service, one.number, code, row, end, at)
