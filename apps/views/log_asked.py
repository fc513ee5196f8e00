"""What the address of the log page asks for: which stretch of time, which instances, which words."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import urlencode

from apps import logs as reading
from apps.kept_logs.reading import Source
from apps.models import ObservedInstance
from apps.selectors.log_sources import Asked, Crash, Written
from apps.views.app_frame import AppFrame

RANGES: dict[str, timedelta | None] = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "all": None,
}
KEPT = (
    "environment", "service", "number", "instance", "range", "from", "to", "at", "level", "search", "only", "wrap",
    "times",
)  # fmt: skip
FILTERS = ("service", "number", "instance", "search", "level")
LONGEST = 200
NEWEST = 2000  # lines the script begins with, all instances together
NEWEST_OF_RANGE = 20_000
BEFORE, AFTER = timedelta(minutes=2), timedelta(minutes=13)  # around a time that is jumped to


@dataclass(frozen=True)
class Stretch:
    """From when to when; None is open. `at` is the time to begin reading at."""

    since: datetime | None = None
    until: datetime | None = None
    at: datetime | None = None

    @classmethod
    def of(cls, asked: dict[str, str]) -> "Stretch":
        """What cannot be read as a time asks for nothing."""
        since, until, at = (_time(asked[name]) for name in ("from", "to", "at"))
        if at is not None:
            return cls(since or at - BEFORE, until or at + AFTER, at)
        length = RANGES[asked["range"]]
        if since is None and until is None and length is not None:
            since = timezone.now() - length
        return cls(since, until)

    def query(self) -> dict[str, str]:
        named = (("since", self.since), ("until", self.until))
        return {name: moment.isoformat() for name, moment in named if moment is not None}


def _time(text: str) -> datetime | None:
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    if found is None or not 1971 <= found.year <= 9000:
        return None
    return found if timezone.is_aware(found) else timezone.make_aware(found)


def parameters(asked: dict[str, str], rows: list[ObservedInstance], stretch: Stretch) -> dict[str, Any]:
    """What is asked of the engine for the lines that stand on the page from the start.

    An instance that is forgotten by now narrows nothing.
    """
    number = asked["number"]
    tail = reading.SEARCHED if asked["search"] or asked["level"] or number else reading.TAIL
    return {
        "service": asked["service"] or None,
        "number": int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None,
        "instance": next((row.pk for row in rows if str(row.pk) == asked["instance"]), None),
        "since": stretch.since,
        "until": stretch.until,
        "tail": None if stretch.until else tail,
        "search": asked["search"],
        "level": asked["level"],
    }


@dataclass(frozen=True)
class LogPage:
    """What the address asks for, and the rows that help to ask."""

    frame: AppFrame
    instances: list[ObservedInstance]
    asked: dict[str, str]
    stretch: Stretch
    question: Asked
    services: list[str]
    source: Source | None = None
    sources: dict[tuple[str, int], int] = field(default_factory=dict)
    crashes: list[Crash] = field(default_factory=list)

    @property
    def instance(self) -> Written | None:
        return self.question.instance

    @property
    def crash(self) -> Crash | None:
        """The one whose last lines stand on top; none where one instance alone is read."""
        return self.crashes[0] if self.crashes and self.question.instance is None else None

    def address(self, **changes: str) -> str:
        """This page with some of what it asks for changed; "" takes it away."""
        asked = {name: value for name, value in (self.asked | changes).items() if value}
        return f"?{urlencode(asked)}"

    @property
    def plain(self) -> str:
        """All lines of this place."""
        return f"?{urlencode({'environment': self.asked['environment']})}"

    @property
    def ended(self) -> bool:
        """Whether what is asked for has an end, so that nothing follows."""
        return self.stretch.until is not None

    @property
    def api(self) -> str:
        names = self.frame.names
        place = f"/api/v1/tenants/{names['tenant']}/projects/{names['project']}/apps/{names['app']}"
        return f"{place}/environments/{self.frame.place.environment.name}/logs"

    def download(self, **more: str) -> str:
        """Exactly what the filters leave."""
        asked = {name: self.asked[name] for name in FILTERS if self.asked[name]}
        return f"{self.api}/download?{urlencode(asked | self.stretch.query() | more)}"

    @property
    def stream(self) -> str:
        """The socket of these lines; levels, words and numbers are looked for in the browser."""
        names = {**self.frame.names, "environment": self.frame.place.environment.name}
        asked = {name: self.asked[name] for name in ("service",) if self.asked[name]}
        if self.instance is not None:
            asked["instance"] = str(self.instance.pk)
        if not self.ended:
            newest = NEWEST if self.stretch.since is None else NEWEST_OF_RANGE
            asked |= {"newest": str(newest), "follow": "true"}
        return f"/ws/v1/logs?{urlencode(names | asked | self.stretch.query())}"

    def data(self, words: str) -> dict[str, str]:
        """What the script of the page is told."""
        series = {f"{service} {number}": colour for (service, number), colour in self.sources.items()}
        return {
            "stream": self.stream,
            "api": self.api,
            "asked": json.dumps(self.asked),
            "series": json.dumps(series),
            "service": self.asked["service"],
            "window": "1" if self.ended else "",
            "at": self.at_text,
            "offset": self.offset,
            "words": words,
        }

    @property
    def offset(self) -> str:
        """Of the reader's clock from UTC, as it stands in a time: Z or +08:00."""
        text = timezone.localtime().strftime("%z")
        return "Z" if text in ("", "+0000") else f"{text[:3]}:{text[3:5]}"

    @property
    def at_text(self) -> str:
        return self.stretch.at.isoformat() if self.stretch.at else ""

    def unseen(self, *without: str) -> list[tuple[str, str]]:
        """What a form carries along so that it changes only its own part of the address."""
        return [(name, value) for name, value in self.asked.items() if value and name not in without]
