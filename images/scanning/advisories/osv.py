"""One record of the Open Source Vulnerability format, as far as matching needs it."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cvss import CVSS2, CVSS3, CVSS4
from cvss.exceptions import CVSSError
from django.utils.dateparse import parse_datetime

from images.scanning.packages.python import normal
from images.scanning.versions import scheme_of

LEVELS = ("critical", "high", "medium", "low", "negligible", "unknown")
WORDS = {
    "critical": "critical",
    "high": "high",
    "important": "high",
    "medium": "medium",
    "moderate": "medium",
    "low": "low",
    "minor": "low",
    "negligible": "negligible",
    "unimportant": "negligible",
    "none": "negligible",
}
SCORES = {"CVSS_V2": CVSS2, "CVSS_V3": CVSS3, "CVSS_V4": CVSS4}
CVE = re.compile(r"CVE-\d{4}-\d{4,}\Z")
LONGEST_SUMMARY = 500
MOST_EVENTS = 2000
MOST_VERSIONS = 20_000


class NotARecord(Exception):
    """What is no record of this format."""


@dataclass
class Affected:
    """One package of one ecosystem, and which versions of it are meant."""

    ecosystem: str
    name: str
    ranges: list[dict[str, Any]]
    versions: list[str]
    severity: str = ""


@dataclass
class Record:
    osv_id: str
    modified: datetime
    published: datetime | None
    withdrawn: bool
    summary: str
    severity: str
    score: float | None
    aliases: list[str]
    affected: list[Affected] = field(default_factory=list)


def record(raw: Any) -> Record:
    """Raises NotARecord."""
    if not isinstance(raw, dict) or not isinstance(raw.get("id"), str) or not raw["id"].strip():
        raise NotARecord("it has no id")
    modified = moment(raw.get("modified"))
    if modified is None:
        raise NotARecord("it does not say when it was modified")
    severity, score = severity_of(raw)
    text = raw.get("summary") or raw.get("details") or ""
    return Record(
        osv_id=raw["id"].strip()[:100],
        modified=modified,
        published=moment(raw.get("published")),
        withdrawn=bool(raw.get("withdrawn")),
        summary=" ".join(str(text).split())[:LONGEST_SUMMARY],
        severity="critical" if raw["id"].startswith("MAL-") else severity,
        score=score,
        aliases=aliases(raw),
        affected=[one for each in _list(raw.get("affected")) if (one := affected(each)) is not None],
    )


def aliases(raw: dict[str, Any]) -> list[str]:
    """Other names of the same. A distribution's record about one CVE says so as its only `upstream`."""
    named = [str(one)[:100] for one in _list(raw.get("aliases"))[:50]]
    upstream = [str(one)[:100] for one in _list(raw.get("upstream"))]
    cves = [one for one in upstream if CVE.match(one)]
    return list(dict.fromkeys(named + (cves if len(cves) == 1 else [])))


def affected(raw: Any) -> Affected | None:
    package = raw.get("package") if isinstance(raw, dict) else None
    if not isinstance(package, dict):
        return None
    ecosystem, name = package.get("ecosystem"), package.get("name")
    if not isinstance(ecosystem, str) or not isinstance(name, str) or not scheme_of(ecosystem):
        return None
    ranges = [
        {"type": one["type"], "events": _list(one.get("events"))[:MOST_EVENTS]}
        for one in _list(raw.get("ranges"))
        if isinstance(one, dict) and one.get("type") in {"ECOSYSTEM", "SEMVER"}
    ]
    listed = [str(one) for one in _list(raw.get("versions"))[:MOST_VERSIONS]]
    severity, _score = severity_of(raw)
    return Affected(
        ecosystem=ecosystem[:100],
        name=(normal(name) if ecosystem == "PyPI" else name)[:300],
        ranges=ranges,
        # a distribution lists what its ranges say already, thousands of times over
        versions=[] if ranges and ":" in ecosystem else listed,
        severity="" if severity == "unknown" else severity,
    )


def severity_of(raw: dict[str, Any]) -> tuple[str, float | None]:
    """A level, and the number behind it where there is one. Said by a vector, or by a word of the database."""
    words, scores = [], []
    for one in _list(raw.get("severity")):
        kind, given = (one.get("type"), one.get("score")) if isinstance(one, dict) else (None, None)
        number = score(str(kind), str(given))
        if number is not None:
            scores.append(number)
        words.append(given)
    for place in ("database_specific", "ecosystem_specific"):
        told = raw.get(place)
        if isinstance(told, dict):
            words += [told.get("severity"), told.get("urgency")]
    if scores:
        return level(max(scores)), max(scores)
    known = [WORDS[word.lower()] for word in words if isinstance(word, str) and word.lower() in WORDS]
    return (min(known, key=LEVELS.index), None) if known else ("unknown", None)


def score(kind: str, vector: str) -> float | None:
    maker = SCORES.get(kind)
    if maker is None or len(vector) > 300:
        return None
    try:
        made = maker(vector)
    except (CVSSError, ValueError, KeyError, IndexError):
        return None
    return float(made.base_score)


def level(number: float) -> str:
    """The words of CVSS 3 and 4 for a base score."""
    for least, word in ((9.0, "critical"), (7.0, "high"), (4.0, "medium"), (0.1, "low")):
        if number >= least:
            return word
    return "negligible"


def moment(text: Any) -> datetime | None:
    try:
        found = parse_datetime(text) if isinstance(text, str) else None
    except ValueError:
        return None
    if found is None:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
