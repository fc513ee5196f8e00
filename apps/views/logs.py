"""Lines of an app's instances, merged in the order of time. The one page that asks an engine, for at most 3 seconds."""

import asyncio
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps import logs as reading
from apps.kept_logs.reading import BERTH, Both, Source, source_of
from apps.log_levels import LEVELS, level_of
from apps.logs import Marked
from apps.models import ObservedInstance
from apps.selectors import log_sources
from apps.selectors.log_sources import Crash
from apps.selectors.reasons import Told, failure_sentence
from apps.views import log_choices, log_words
from apps.views.app_frame import app_frame
from apps.views.log_asked import KEPT, LONGEST, RANGES, LogPage, Stretch, parameters
from backends.contract import DriverError, LogQuery, ReasonCode
from backends.registry import driver_for
from core import access
from core.access import visible

CRASH_LINES = 8
GRAVE = ("error", "fatal")


@login_required
@require_safe
async def page(request: HttpRequest, **names: str) -> HttpResponse:
    found = await sync_to_async(_page)(request, names)
    (lines, told), last = await asyncio.gather(_read(found), _last_lines(found))
    return await sync_to_async(_answer)(request, found, lines, told, last)


def _page(request: HttpRequest, names: dict[str, str]) -> LogPage:
    frame = app_frame(request, "logs", **names)
    place = frame.place
    access.check(frame.actor, "log.view", place)
    rows = list(visible(frame.actor, ObservedInstance.objects.all()).filter(place=place).order_by("service", "number"))
    instances = [row for row in rows if row.wanted]
    asked = {name: request.GET.get(name, "")[:LONGEST] for name in KEPT}
    asked |= {"environment": place.environment.name, "range": asked["range"] if asked["range"] in RANGES else "all"}
    asked["level"] = asked["level"] if asked["level"] in LEVELS else ""
    stretch = Stretch.of(asked)
    services = log_sources.services_of(place)
    numbers = sorted({(row.service, row.number) for row in rows})
    return LogPage(
        frame,
        instances=instances,
        asked=asked,
        stretch=stretch,
        question=log_sources.asked(place, parameters(asked, rows, stretch)),
        services=services,
        source=source_of(place, driver_for(place.environment.cluster)) if services else None,
        sources={source: 1 + order % reading.SERIES for order, source in enumerate(numbers)},
        crashes=log_sources.crashes(place, since=log_sources.lately()),
    )


async def _read(found: LogPage) -> tuple[list[Marked], Told]:
    """The lines, or in words why there are none."""
    if found.source is None:
        return [], Told("")
    try:
        return await _newest(found, found.source)
    except DriverError as error:
        return [], failure_sentence(error.reason.as_json())
    except TimeoutError:
        pass
    if isinstance(found.source, Both):
        lines, told = await _newest(found, found.source.kept_alone())
        if lines:
            return lines, told
    cluster = found.frame.place.environment.cluster.name
    return [], failure_sentence({"code": ReasonCode.ENGINE_SLOW, "params": {"cluster": cluster}})


async def _newest(found: LogPage, source: Source) -> tuple[list[Marked], Told]:
    """With a word where the cluster was left out; its own line among those of the app says the same in a file."""
    question = found.question
    lines = await reading.newest(source, question.query, filters=question.filters, first=bool(found.asked["at"]))
    away = source.away if isinstance(source, Both) else ""
    return [one for one in lines if one.line.stream != BERTH or not away], Told(away)


async def _last_lines(found: LogPage) -> list[Marked]:
    """Of the instance that crashed last: what the engine still has of it; else what was kept is shown."""
    crash = found.crash
    if found.source is None or crash is None or crash.row is None:
        return []
    services = tuple(ref for ref in found.question.query.services if ref.service == crash.service)
    query = LogQuery(services, instance=crash.row.engine_id, tail=CRASH_LINES)
    try:
        return await reading.newest(found.source, query, filters=reading.Filters(), most=CRASH_LINES)
    except (DriverError, TimeoutError):
        return []


def _answer(request: HttpRequest, found: LogPage, lines: list[Marked], told: Told, last: list[Marked]) -> HttpResponse:
    shown = reading.lines_of(lines, found.sources)
    more = {
        "logs": found,
        "asked": found.asked,
        "lines": shown,
        "errors": sum(line.level in GRAVE for line in shown),
        "told": told,
        "legend": _legend(found, shown),
        "data": found.data(log_words.words()),
        "wrap": found.asked["wrap"] != "0",
        "times": found.asked["times"] != "0",
        "crash": _crash_part(found, last),
        "zone": timezone.get_current_timezone_name(),
    }
    return render(request, "apps/logs/page.html", found.frame.context(**more, **log_choices.of(found)))


def _crash_part(found: LogPage, last: list[Marked]) -> dict[str, Any] | None:
    crash = found.crash
    if crash is None:
        return None
    lines = reading.lines_of(last, found.sources) or _kept(crash)
    return {
        "one": crash,
        "at": crash.end.ended_at if crash.end else lines[-1].at if lines else crash.at,
        "lines": lines,
        "all": found.address(instance=str(crash.row.pk), service="", number="", level="") if crash.row else "",
        "others": found.crashes[1:],
    }


def _kept(crash: Crash) -> list[reading.Line]:
    kept = crash.end.last_lines if crash.end else []
    source = f"{crash.service} {crash.number}"
    return [
        reading.Line(reading.moment(one["at_ns"]), source, reading.shown(one["text"]), level_of(one["text"]), 1)
        for one in kept[-CRASH_LINES:]
        if one.get("at_ns")
    ]


def _legend(found: LogPage, lines: list[reading.Line]) -> list[dict[str, Any]]:
    """Each instance that has a line here, with its colour and the way to its lines alone."""
    there = {line.source for line in lines}
    return [
        {"source": f"{service} {number}", "series": series, "url": found.address(service=service, number=str(number))}
        for (service, number), series in found.sources.items()
        if f"{service} {number}" in there
    ]
