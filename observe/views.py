"""What an app's instances use: charts, a table of the same numbers, and a sentence on top."""

import json
from datetime import timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.views.app_frame import AppFrame, app_frame
from core.wording import duration_text
from observe import telling
from observe.marks import marks
from observe.selectors import Usage, asked, usage

RANGES = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "2d": timedelta(days=2),
}
STEPS = {"15m": 10, "1h": 10, "24h": 120, "2d": 240}
CHARTS = tuple(telling.MEASURES)


@login_required
@require_safe
def page(request: HttpRequest, **names: str) -> HttpResponse:
    frame = app_frame(request, "metrics", **names)
    chosen = _chosen(request)
    now = timezone.now()
    question = asked(now - RANGES[chosen["range"]], now, step=STEPS[chosen["range"]], service=chosen["service"])
    context = _context(frame, chosen, usage(frame.place, question))
    wanted = "_parts" if request.headers.get("HX-Request") == "true" else "page"
    response = render(request, f"observe/{wanted}.html", context)
    response.headers.setdefault("Vary", "HX-Request")
    return response


def _chosen(request: HttpRequest) -> dict[str, str]:
    chosen = {name: request.GET.get(name, "")[:40] for name in ("range", "service", "table")}
    chosen["range"] = chosen["range"] if chosen["range"] in RANGES else "1h"
    chosen["table"] = chosen["table"] if chosen["table"] in telling.MEASURES else "cpu"
    return chosen


def _context(frame: AppFrame, chosen: dict[str, str], found: Usage) -> dict[str, Any]:
    here = {"environment": frame.place.environment.name} | {name: text for name, text in chosen.items() if text}
    return frame.context(
        usage=found,
        said=telling.sentences(found),
        left=telling.left_words(found),
        rows=telling.rows(found, chosen["table"]),
        marks=list(reversed(marks(frame.actor, frame.place, found.asked)))[:20],
        cluster=frame.place.environment.cluster,
        chosen=chosen,
        fragment=f"?{urlencode(here)}",
        ranges=_ways(here, "range", {name: duration_text(length.total_seconds()) for name, length in RANGES.items()}),
        services=_ways(here, "service", {"": _("All services")} | {name: name for name in found.services}),
        tables=_ways(here, "table", {name: str(word) for name, word in telling.MEASURES.items()}),
        measure=telling.MEASURES[chosen["table"]],
        charts=list(telling.MEASURES.items()),
    ) | _sources(frame, chosen)


def _ways(here: dict[str, str], name: str, labels: dict[str, str]) -> list[dict[str, Any]]:
    """Links that change one thing of the address."""
    return [
        {
            "label": label,
            "url": f"?{urlencode({key: text for key, text in (here | {name: value}).items() if text})}",
            "current": here.get(name, "") == value,
        }
        for value, label in labels.items()
    ]


def _sources(frame: AppFrame, chosen: dict[str, str]) -> dict[str, Any]:
    """Where the charts get their numbers: the past over HTTP, the present by socket."""
    names, environment = frame.names, frame.place.environment.name
    app = f"/api/v1/tenants/{names['tenant']}/projects/{names['project']}/apps/{names['app']}"
    only = {"service": chosen["service"]} if chosen["service"] else {}
    return {
        "api": f"{app}/environments/{environment}/metrics?{urlencode(only)}",
        "socket": f"/ws/v1/metrics?{urlencode(names | {'environment': environment} | only)}",
        "seconds": int(RANGES[chosen["range"]].total_seconds()),
        "step": STEPS[chosen["range"]],
        "zone": timezone.get_current_timezone_name(),
        "words": json.dumps(_words()),
    }


def _words() -> dict[str, str]:
    """What the script says."""
    return {
        "live": _("live"),
        "away": _("no numbers from the engine, trying again"),
        "retry": _("connection lost, trying again"),
        "ended": _("not live: you may not watch this any more"),
        "full": _("not live: too many people watch at once"),
        "limit": _("limit %(amount)s"),
        "limits": _("limit of each %(amount)s"),
        "all": _("%(service)s, all together"),
        "none": _("Nothing was measured in this time."),
        "failed": _("The numbers could not be fetched; the page tries again."),
        "cores": _("%(amount)s cores"),
        "per_second": _("%(amount)s/s"),
        "keys": _("%(measure)s: press left or right to read values."),
    }
