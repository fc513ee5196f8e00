"""How an instance ended, as a page tells it: why, when, and the last it wrote."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from apps.models import InstanceEnd
from apps.selectors.reasons import Told, failure_sentence


@dataclass(frozen=True)
class Line:
    """One line of a log that was kept."""

    text: str
    at: datetime | None
    level: str


@dataclass(frozen=True)
class End:
    row: InstanceEnd
    told: Told
    lines: list[Line]

    @property
    def name(self) -> str:
        return f"{self.row.service} {self.row.number}"


def end_shown(row: InstanceEnd) -> End:
    return End(row, failure_sentence(row.reason), lines_of(row))


def lines_of(row: InstanceEnd) -> list[Line]:
    return [_line(one) for one in row.last_lines]


def _line(kept: dict[str, Any]) -> Line:
    at_ns = kept.get("at_ns")
    at = datetime.fromtimestamp(at_ns / 1e9, tz=UTC) if at_ns else None
    return Line(str(kept.get("text", "")), at, "error" if kept.get("stream") == "stderr" else "")
