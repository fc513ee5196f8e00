"""Usage in words and numbers: sentences on top of the page, rows of its table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.wording import bytes_text, cores_text, moment_text, number
from observe.points import Point
from observe.selectors import Limits, Usage, UsageLine

MOST_SENTENCES = 3
MEASURES: dict[str, Promise] = {
    "cpu": gettext_lazy("CPU"),
    "memory": gettext_lazy("Memory"),
    "received": gettext_lazy("Network in"),
    "sent": gettext_lazy("Network out"),
}


@dataclass(frozen=True)
class Row:
    """One line of the table; the numbers are texts with their units, "" where nothing is known."""

    name: str
    colour: int
    lowest: str
    average: str
    highest: str
    last: str
    ended_at: datetime | None = None
    whole: bool = False  # all instances of a service together


def amount(kind: str, value: float | None) -> str:
    if value is None:
        return ""
    if kind == "cpu":
        return cores_text(round(value))
    text = bytes_text(value)
    return text if kind == "memory" else _("%(amount)s/s") % {"amount": text}


def sentences(usage: Usage) -> list[str]:
    """One for each service that runs, the first three."""
    services = [name for name in usage.services if any(line.running for line in usage.of(name))]
    said = [_sentence(usage, name) for name in services[:MOST_SENTENCES]]
    if len(services) > MOST_SENTENCES:
        more = len(services) - MOST_SENTENCES
        said.append(
            ngettext("%(n)s more service stands below.", "%(n)s more services stand below.", more) % {"n": more}
        )
    return [text for text in said if text]


def _sentence(usage: Usage, service: str) -> str:
    lines, limits = usage.of(service), usage.limits.get(service, Limits())
    now = [point for line in lines if line.running and (point := _last(line.points))]
    if not now:
        return _("%(service)s was not measured in this time.") % {"service": service}
    used = sum(point.cpu or 0 for point in now)
    memory = sum(point.memory or 0 for point in now)
    said = (_cpu(service, used, limits.cpu, len(now)), _memory(memory, limits.memory, len(now)), _peak(usage, lines))
    return " ".join(text for text in said if text)


def _cpu(service: str, used: int, limit: int | None, instances: int) -> str:
    if not limit:
        return _("%(service)s uses %(used)s.") % {"service": service, "used": cores_text(used)}
    words = {"service": service, "used": number(used / 1000, places=2), "limit": cores_text(limit * instances)}
    return _("%(service)s uses %(used)s of %(limit)s.") % words


def _memory(used: int, limit: int | None, instances: int) -> str:
    if not limit:
        return _("It holds %(amount)s of memory.") % {"amount": bytes_text(used)}
    words = {"amount": bytes_text(used), "percent": round(100 * used / (limit * instances))}
    return _("It holds %(amount)s of memory, %(percent)s %% of its limit.") % words


def _peak(usage: Usage, lines: Sequence[UsageLine]) -> str:
    sums = summed(lines, "cpu", usage.asked.count)
    known = [(value, place) for place, value in enumerate(sums) if value is not None]
    if not known:
        return ""
    highest, place = max(known)
    at = datetime.fromtimestamp(usage.asked.start + place * usage.asked.step, tz=UTC)
    return _("It used the most at %(time)s: %(peak)s.") % {"time": _when(at), "peak": cores_text(highest)}


def _when(at: datetime) -> str:
    today = timezone.localdate(at) == timezone.localdate()
    clock = moment_text(at, style="minute")
    return clock if today else f"{moment_text(at, style='day')} {clock}"


def summed(lines: Iterable[UsageLine], kind: str, count: int) -> list[int | None]:
    """Of all lines together; None only where nothing is known of any."""
    total: list[int | None] = [None] * count
    for line in lines:
        for place, point in enumerate(line.points):
            value = getattr(point, kind) if point else None
            if value is not None:
                total[place] = (total[place] or 0) + value
    return total


def rows(usage: Usage, kind: str) -> list[Row]:
    """A service's whole first where it has several instances, then each of them."""
    found = []
    for service in usage.services:
        lines = usage.of(service)
        if len({line.name for line in lines}) > 1:
            found.append(_row(service, 0, kind, summed(lines, kind, usage.asked.count), whole=True))
        found += [
            _row(line.name, line.colour, kind, line.values(kind), ended_at=line.series.ended_at) for line in lines
        ]
    return found


def _row(
    name: str,
    colour: int,
    kind: str,
    values: Sequence[int | None],
    *,
    ended_at: datetime | None = None,
    whole: bool = False,
) -> Row:
    known = [value for value in values if value is not None]
    if not known:
        return Row(name, colour, "", "", "", "", ended_at, whole)
    return Row(
        name,
        colour,
        lowest=amount(kind, min(known)),
        average=amount(kind, sum(known) / len(known)),
        highest=amount(kind, max(known)),
        last=amount(kind, known[-1]),
        ended_at=ended_at,
        whole=whole,
    )


def _last(points: Sequence[Point | None]) -> Point | None:
    return next((point for point in reversed(points) if point is not None), None)


def left_words(usage: Usage) -> list[str]:
    """What is not on this page, in sentences."""
    left, said = usage.left, []
    if left.left_out:
        text = _("%(n)s running instances are not kept: this tenant is at its limit of kept instances.")
        said.append(text % {"n": left.left_out})
    if left.forgotten:
        text = _("Numbers of %(n)s ended instances went before their two days: this tenant is at its limit.")
        said.append(text % {"n": left.forgotten})
    if left.not_measured:
        text = _("Not measured: %(names)s. Berth has no way to the host they run on.")
        said.append(text % {"names": ", ".join(sorted(left.not_measured)[:10])})
    if left.more_lines:
        said.append(_("%(n)s older instances are not shown; choose a shorter time.") % {"n": left.more_lines})
    return said
