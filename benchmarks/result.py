"""What a measurement gives back, and how it is written down."""

from collections.abc import Sequence
from dataclasses import dataclass, field


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share of them lies, by the nearest rank. `values` need not be sorted."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def milliseconds(values: Sequence[float], *, tail: float = 0.95) -> str:
    """`p50 12 ms, p95 31 ms` of seconds."""
    return f"p50 {percentile(values, 0.5) * 1000:.0f} ms, p{tail * 100:.0f} {percentile(values, tail) * 1000:.0f} ms"


@dataclass(frozen=True)
class Line:
    """One measurement. `kept`: whether it is within the budget; None where there is none.

    `cause` says why a budget was not kept, in words for who reads the table.
    """

    what: str
    measured: str
    beside: str = ""
    budget: str = ""
    kept: bool | None = None
    cause: str = ""


@dataclass
class Section:
    """One part of the benchmarks: how it was measured, and its lines."""

    title: str
    method: str
    lines: list[Line] = field(default_factory=list)

    def markdown(self) -> str:
        rows = [
            f"| {line.what} | {line.measured} | {line.beside} | {line.budget} | {WORDS[line.kept]} |"
            for line in self.lines
        ]
        head = ["| what | measured | beside it | budget | kept |", "|---|---|---|---|---|"]
        return "\n".join([f"## {self.title}", self.method, "", *head, *rows, ""])


WORDS = {True: "yes", False: "**no**", None: ""}


def over_budget(sections: Sequence[Section]) -> list[Line]:
    return [line for section in sections for line in section.lines if line.kept is False]
