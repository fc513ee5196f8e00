"""One letter for an image. The rule stands in docs/guide/operators/scanning.md as well."""

from collections.abc import Iterable, Mapping
from typing import Any

GOOD, UNKNOWN = "A", "unknown"
LETTERS = ("A", "B", "C", "D", "E", "F")
BY_SEVERITY = {"negligible": "B", "low": "B", "medium": "C", "unknown": "C", "high": "D", "critical": "E"}
OPEN_SECRETS = {"locked_private_key"}  # of no use to who finds them


def letter_of(finding: Mapping[str, Any]) -> str:
    """What one finding costs. A critical one that could have been mended is the worst there is."""
    if finding["severity"] == "critical" and finding["fixed"]:
        return "F"
    return BY_SEVERITY[finding["severity"]]


def at_best(findings: Iterable[Mapping[str, Any]], secrets: Iterable[Mapping[str, Any]]) -> str:
    """The letter by what is known; excused findings do not count, and a secret that anybody can use is an F."""
    letters = [letter_of(one) for one in findings if not one.get("excused")]
    letters += ["F" for one in secrets if one["kind"] not in OPEN_SECRETS]
    return max(letters, default=GOOD)


def rating(known: str, doubts: Iterable[Any]) -> str:
    """Unknown as soon as something could not be looked at, unless it could not get worse anyway."""
    return UNKNOWN if any(True for _one in doubts) and known != LETTERS[-1] else known
