"""Usage over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from apps.selectors import listing
from core.api.endpoint import View, endpoint
from core.errors import BadRequest, FieldProblem
from observe.api.shapes import MetricsOutput, MetricsQuery
from observe.marks import Mark, marks
from observe.points import COARSE
from observe.selectors import Asked, Limits, Usage, UsageLine, asked, usage

HOUR = timedelta(hours=1)
LONGEST = timedelta(seconds=COARSE.kept_seconds)
NAMES = {
    "cpu_millicores": "cpu",
    "cpu_peak_millicores": "cpu_peak",
    "memory_bytes": "memory",
    "network_in_bytes_per_second": "received",
    "network_out_bytes_per_second": "sent",
}


class Metrics(View):
    @endpoint("read_metrics", query=MetricsQuery, answers={200: MetricsOutput})
    def get(self, request: Request, **names: str) -> Response:
        """What the instances of an app used: ten seconds for the last hour, minutes for two days."""
        place = listing.place(self.actor, names)
        found = usage(place, self._asked())
        return self.one(_document(found, marks(self.actor, place, found.asked)))

    def _asked(self) -> Asked:
        now = timezone.now()
        end = min(self.query.get("to", now), now)
        start = max(self.query.get("from", end - HOUR), now - LONGEST)
        if start >= end:
            problem = FieldProblem("from", "not_before_to", _("It must lie before “to”, and in the last two days."))
            raise BadRequest(_("A parameter is wrong."), code="bad_parameter", errors=[problem])
        return asked(start, end, step=self.query.get("step_seconds"), service=self.query.get("service", ""))


def _document(found: Usage, happened: list[Mark]) -> dict[str, Any]:
    question = found.asked
    return {
        "from": datetime.fromtimestamp(question.start, tz=UTC),
        "to": datetime.fromtimestamp(question.end, tz=UTC),
        "step_seconds": question.step,
        "series": [_series(line) for line in found.lines],
        "limits": [_limits(service, found.limits[service]) for service in sorted(found.limits)],
        "marks": [{"at": one.at, "kind": one.kind, "service": one.service, "text": one.text} for one in happened],
        "last_at": found.last_at,
        "stale": found.old,
        "left_out": {
            "forgotten_series": found.left.forgotten,
            "instances_left_out": found.left.left_out,
            "not_measured": list(found.left.not_measured),
            "more_series": found.left.more_lines,
        },
    }


def _series(line: UsageLine) -> dict[str, Any]:
    told = {
        "instance": line.instance,
        "service": line.service,
        "number": line.series.number,
        "started_at": line.series.started_at,
        "ended_at": line.series.ended_at,
    }
    return told | {name: line.values(kind) for name, kind in NAMES.items()}


def _limits(service: str, limits: Limits) -> dict[str, Any]:
    return {"service": service, "cpu_millicores": limits.cpu, "memory_bytes": limits.memory}
