"""Lines of an app's instances, merged in the order of time. The one page that asks an engine, for at most 3 seconds."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps import logs as reading
from apps.models import ObservedInstance
from apps.selectors import log_sources
from apps.selectors.log_sources import Asked
from apps.selectors.reasons import Told, failure_sentence
from apps.selectors.state import wanted_instances
from apps.views.app_frame import AppFrame, app_frame
from backends.contract import Driver, DriverError, LogLine, ReasonCode
from backends.registry import driver_for
from core import access
from core.access import visible
from core.wording import duration_text

RANGES: dict[str, timedelta | None] = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "all": None,
}
KEPT = ("environment", "service", "instance", "range", "search", "wrap", "times")
LONGEST_SEARCH = 200


@dataclass(frozen=True)
class LogPage:
    """What the address asks for, and the rows that help to ask."""

    frame: AppFrame
    instances: list[ObservedInstance]
    asked: dict[str, str]
    question: Asked
    driver: Driver | None = None
    sources: dict[tuple[str, int], int] = field(default_factory=dict)

    @property
    def services(self) -> list[str]:
        return list(wanted_instances(self.frame.place))

    @property
    def instance(self) -> ObservedInstance | None:
        return self.question.instance

    @property
    def range(self) -> timedelta | None:
        return RANGES.get(self.asked["range"])

    def address(self, **changes: str) -> str:
        """This page with some of what it asks for changed; "" takes it away."""
        asked = {name: value for name, value in (self.asked | changes).items() if value}
        return f"?{urlencode(asked)}"

    @property
    def plain(self) -> str:
        """All lines of this place."""
        return f"?{urlencode({'environment': self.asked['environment']})}"

    @property
    def api(self) -> str:
        names = self.frame.names
        place = f"/api/v1/tenants/{names['tenant']}/projects/{names['project']}/apps/{names['app']}"
        return f"{place}/environments/{self.frame.place.environment.name}/logs"

    def api_query(self, **more: str) -> str:
        asked = {name: self.asked[name] for name in ("service", "instance", "search") if self.asked[name]}
        return urlencode(asked | more)


@login_required
@require_safe
async def page(request: HttpRequest, **names: str) -> HttpResponse:
    found = await sync_to_async(_page)(request, names)
    lines, told = await _read(found)
    return await sync_to_async(_answer)(request, found, lines, told)


def _page(request: HttpRequest, names: dict[str, str]) -> LogPage:
    frame = app_frame(request, "logs", **names)
    place = frame.place
    access.check(frame.actor, "log.view", place)
    rows = list(visible(frame.actor, ObservedInstance.objects.all()).filter(place=place).order_by("service", "number"))
    instances = [row for row in rows if row.wanted]
    asked = {name: request.GET.get(name, "")[:LONGEST_SEARCH] for name in KEPT}
    asked |= {"environment": place.environment.name, "range": asked["range"] if asked["range"] in RANGES else "all"}
    return LogPage(
        frame,
        instances=instances,
        asked=asked,
        question=log_sources.asked(place, _parameters(asked, rows)),
        driver=driver_for(place.environment.cluster) if place.release_id else None,
        sources={(row.service, row.number): 1 + order % reading.SERIES for order, row in enumerate(instances)},
    )


def _parameters(asked: dict[str, str], rows: list[ObservedInstance]) -> dict[str, Any]:
    """What is asked of the engine. An instance that is forgotten by now narrows nothing."""
    length = RANGES[asked["range"]]
    return {
        "service": asked["service"] or None,
        "instance": next((row.pk for row in rows if str(row.pk) == asked["instance"]), None),
        "since": timezone.now() - length if length else None,
        "tail": reading.SEARCHED if asked["search"] else reading.TAIL,
    }


async def _read(found: LogPage) -> tuple[list[LogLine], Told]:
    """The lines, or in words why there are none."""
    if found.driver is None:
        return [], Told("")
    try:
        return await reading.newest(found.driver, found.question.query, search=found.asked["search"]), Told("")
    except DriverError as error:
        return [], failure_sentence(error.reason.as_json())
    except TimeoutError:
        return [], failure_sentence({"code": ReasonCode.ENGINE_SLOW, "params": {"cluster": _cluster(found)}})


def _cluster(found: LogPage) -> str:
    return found.frame.place.environment.cluster.name


def _answer(request: HttpRequest, found: LogPage, lines: list[LogLine], told: Told) -> HttpResponse:
    shown = reading.lines_of(lines, found.sources)
    more = {
        "logs": found,
        "asked": found.asked,
        "lines": shown,
        "errors": sum(line.level == "error" for line in shown),
        "told": told,
        "legend": _legend(found, shown),
        "filters": _filters(found),
        "ranges": _ranges(found),
        "follow": f"{found.api}?{found.api_query(follow='true', tail='0', format='ndjson')}",
        "download": f"{found.api}/download?{found.api_query(**_since(found))}",
        "download_all": f"{found.api}/download",
        "wrap": found.asked["wrap"] != "0",
        "times": found.asked["times"] != "0",
    }
    return render(request, "apps/logs/page.html", found.frame.context(**more, toggles=_toggles(found)))


def _since(found: LogPage) -> dict[str, str]:
    return {"since": (timezone.now() - found.range).isoformat()} if found.range else {}


def _legend(found: LogPage, lines: list[reading.Line]) -> list[tuple[str, int]]:
    """Each instance that has a line here, with its colour."""
    return sorted({(line.source, line.series) for line in lines})


def _ranges(found: LogPage) -> list[dict[str, Any]]:
    now = found.asked["range"]
    return [
        {
            "label": duration_text(length.total_seconds()) if length else _("All"),
            "url": found.address(range=name),
            "current": now == name,
        }
        for name, length in RANGES.items()
    ]


def _toggles(found: LogPage) -> list[dict[str, Any]]:
    """Wrap and times as links, so that they need no script and can be sent on."""
    named = (("wrap", _("Wrap")), ("times", _("Times")))
    turned = {name: "" if found.asked[name] == "0" else "0" for name, _label in named}
    return [
        {"label": label, "url": found.address(**{name: turned[name]}), "on": found.asked[name] != "0"}
        for name, label in named
    ]


def _filters(found: LogPage) -> list[dict[str, str]]:
    """The filters that are set, as chips."""
    chips = [{"name": _("Service"), "value": found.asked["service"], "parameter": "service"}]
    if found.instance is not None:
        value = f"{found.instance.service} {found.instance.number}"
        chips.append({"name": _("Instance"), "value": value, "parameter": "instance"})
    return [chip for chip in chips if chip["value"]]
