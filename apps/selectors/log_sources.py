"""What of an app's environment can be read logs of: rows only; the engine is asked by whoever streams."""

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.utils.translation import gettext as _

from apps.building import ref_of
from apps.models import AppEnvironment, ObservedInstance
from apps.selectors.state import wanted_instances
from backends.contract import LogQuery
from core.errors import BadRequest, FieldProblem

TAIL = 1000  # lines of each instance when nothing says how many, or from when


@dataclass(frozen=True)
class Asked:
    """A checked question: which services, which one instance (None: all), and the engine's query for it."""

    services: list[str]
    instance: ObservedInstance | None
    query: LogQuery
    search: str


def asked(place: AppEnvironment, parameters: dict[str, Any], *, complete: bool = False) -> Asked:
    """Raises BadRequest for a service or an instance that this place has not. `complete`: no limit of lines."""
    services = _services(place, parameters.get("service"))
    instance = _instance(place, parameters.get("instance"))
    since, until, tail = (parameters.get(name) for name in ("since", "until", "tail"))
    if tail is None and not complete and since is None and until is None:
        tail = TAIL
    query = LogQuery(
        services=tuple(ref_of(place, name) for name in services),
        instance=instance.engine_id if instance else None,
        since=since,
        until=until,
        tail=tail,
        follow=bool(parameters.get("follow")),
    )
    return Asked(services, instance, query, parameters.get("search") or "")


def _services(place: AppEnvironment, wanted: str | None) -> list[str]:
    seen = place.services.values_list("service", flat=True)
    known = sorted({*wanted_instances(place), *seen})
    if wanted is None:
        return known
    if wanted not in known:
        text = _("There is no such service here; there are: %(known)s.") % {"known": ", ".join(known) or "-"}
        raise _unknown("service", text)
    return [wanted]


def _instance(place: AppEnvironment, wanted: uuid.UUID | None) -> ObservedInstance | None:
    if wanted is None:
        return None
    found = place.observed_instances.filter(pk=wanted).first()
    if found is None:
        raise _unknown("instance", _("There is no such instance here."))
    return found


def _unknown(field: str, message: str) -> BadRequest:
    problem = FieldProblem(field, "unknown", message)
    return BadRequest(_("A parameter is wrong."), code="bad_parameter", errors=[problem])


def instances_of(place: AppEnvironment, question: Asked) -> list[ObservedInstance]:
    """Those whose logs are asked for, by service and number, ended ones too."""
    if question.instance is not None:
        return [question.instance]
    rows = place.observed_instances.filter(service__in=question.services)
    return list(rows.order_by("service", "number", "started_at", "id"))


def instance_ids(place: AppEnvironment) -> Callable[[str], Awaitable[str | None]]:
    """Our id of an engine's instance, kept once it is known; None where the observer has not seen it yet."""
    known: dict[str, str] = {}

    @sync_to_async
    def look() -> None:
        rows = place.observed_instances.values_list("engine_id", "pk")
        known.update((engine_id, str(pk)) for engine_id, pk in rows)

    async def id_of(engine_id: str) -> str | None:
        if engine_id not in known:
            known[engine_id] = ""  # asked once only
            await look()
        return known[engine_id] or None

    return id_of
