"""What a scan says in the end: its rating and why, findings, secrets, and how old the data is."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from images.scanning import external, rating, sbom
from images.scanning.advisories.osv import LEVELS
from images.scanning.comparing import Comparison, compare_all
from images.scanning.limits import Limits
from images.scanning.looking import look_through

OWN_TOOL = "berth"
OLD = timedelta(days=14)
Excused = Callable[[dict[str, Any]], "ExcuseOf | None"]


@dataclass(frozen=True)
class ExcuseOf:
    """Why a finding does not count, until when, by whom."""

    reason: str
    until: date
    given_by: str

    def as_json(self) -> dict[str, str]:
        return {"reason": self.reason, "until": self.until.isoformat(), "given_by": self.given_by}


@dataclass(frozen=True)
class Report:
    """One image, looked through and compared."""

    found: dict[str, Any]
    compared: Comparison
    tool: str

    @property
    def doubts(self) -> list[dict[str, Any]]:
        """Why nobody can say that the image is clean. Another tool reads what ours cannot, and says its own doubts."""
        packages = [package for package in self.found["packages"] if not package.get("standing")]
        doubts = [] if packages or self.compared.findings else [{"code": "no_packages"}]
        if self.tool != OWN_TOOL:
            system = any(package["kind"] in {"deb", "apk", "rpm"} for package in packages)
            return doubts + (self.compared.doubts if system else [])
        return [*doubts, *self.compared.doubts, *self.found["notes"], *self._nameless()]

    def _nameless(self) -> list[dict[str, Any]]:
        archives = [package for package in self.found["packages"] if package.get("standing") == "nameless"]
        return [{"code": "nameless", "count": len(archives), "path": archives[0]["path"]}] if archives else []

    @property
    def at_best(self) -> str:
        return rating.at_best(self.compared.findings, self.found["secrets"])

    @property
    def rating(self) -> str:
        return rating.rating(self.at_best, self.doubts)

    @property
    def counts(self) -> dict[str, int]:
        """How many findings of each severity count; the excused stand apart."""
        counted = Counter(one["severity"] for one in self.compared.findings if not one.get("excused"))
        counts = {level: counted[level] for level in LEVELS}
        return counts | {"excused": sum(1 for one in self.compared.findings if one.get("excused"))}

    @property
    def system(self) -> str:
        system = self.found["system"]
        return system.get("pretty_name") or " ".join(filter(None, (system.get("id"), system.get("version_id"))))

    def old(self, now: datetime) -> bool:
        return self.compared.as_of is not None and now - self.compared.as_of > OLD

    def as_json(self) -> dict[str, Any]:
        compared = self.compared
        return {
            "rating": self.rating,
            "at_best": self.at_best,
            "doubts": self.doubts,
            "counts": self.counts,
            "tool": self.tool,
            "data_as_of": compared.as_of and compared.as_of.isoformat(),
            "feeds": {name: moment and moment.isoformat() for name, moment in sorted(compared.feeds.items())},
            **{key: self.found[key] for key in ("names", "digests", "platform", "system", "layers")},
            "findings": compared.findings,
            "secrets": self.found["secrets"],
            "special_files": self.found["special_files"],
            "packages": len(self.found["packages"]),
            "licences": sbom.licences(self.found),
        }


def scan_archive(
    archive: Path,
    *,
    name: str = "",
    platform: str = "",
    limits: Limits | None = None,
    tool: external.Tool | None = None,
    excused: Callable[[Mapping[str, Any]], Excused] | None = None,
) -> Report:
    """Look through the image of an archive and compare it. `tool`: by this program's data instead of the imported.

    `excused` finds, for what was looked through, who answers for which finding.
    Raises Invalid, in words, where the image cannot be looked through.
    """
    found = look_through(archive, name=name, platform=platform, limits=limits)
    compared = external.run(tool, archive) if tool else compare_all(found["packages"], found["system"])
    report = Report(found, compared, tool.name if tool else OWN_TOOL)
    if excused is not None:
        excuse(compared.findings, excused(found))
    return report


def excuse(findings: Iterable[dict[str, Any]], excused: Excused) -> None:
    """Mark those findings that somebody answers for."""
    for one in findings:
        if found := excused(one):
            one["excused"] = found.as_json()
