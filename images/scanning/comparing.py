"""Compares the packages of an image with the advisories that were imported, and says what could not be compared."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from images.scanning import release
from images.scanning.advisories.matching import verdict
from images.scanning.advisories.osv import CVE, LEVELS
from images.scanning.models import AdvisoryFeed, AffectedPackage
from images.scanning.versions import Uncomparable, compare, scheme_of

OF_LANGUAGE = {"pypi": "PyPI", "npm": "npm", "golang": "Go", "maven": "Maven"}
BY_SOURCE_ONLY = {"deb"}  # a binary package may have the name of another's source
AT_ONCE = 400
Package = Mapping[str, Any]


@dataclass
class Comparison:
    """What is known to be wrong, what could not be compared, and how old the data is."""

    findings: list[dict[str, Any]] = field(default_factory=list)
    doubts: list[dict[str, Any]] = field(default_factory=list)
    feeds: dict[str, datetime | None] = field(default_factory=dict)  # used ecosystem: its newest change
    as_of: datetime | None = None


def compare_all(packages: Iterable[Package], system: dict[str, str]) -> Comparison:
    """Findings of all packages that can be compared; a doubt for every kind that cannot."""
    feeds = {feed.ecosystem: feed.newest or feed.imported_at for feed in AdvisoryFeed.objects.all()}
    made = Comparison()
    for kind, each in _by_kind(packages).items():
        own = _ecosystems(kind, system, feeds)
        if not own:
            made.doubts.append(_no_data(kind, system, each))
            continue
        made.feeds |= {ecosystem: feeds[ecosystem] for ecosystem in own}
        _compare(each, own, made)
    made.findings = merged(made.findings)
    made.as_of = min((moment for moment in made.feeds.values() if moment), default=None)
    return made


def _by_kind(packages: Iterable[Package]) -> dict[str, list[Package]]:
    """Those that have to be compared: not the image's own program, nor what the system's packages stand for."""
    found: dict[str, list[Package]] = defaultdict(list)
    for package in packages:
        if not package.get("standing"):
            found[package["kind"]].append(package)
    return found


def _ecosystems(kind: str, system: dict[str, str], feeds: Iterable[str]) -> list[str]:
    if kind in OF_LANGUAGE:
        return [OF_LANGUAGE[kind]] if OF_LANGUAGE[kind] in feeds else []
    return [one for one in release.ecosystems(system, feeds) if scheme_of(one) == kind]


def _no_data(kind: str, system: dict[str, str], packages: list[Package]) -> dict[str, Any]:
    ecosystem = OF_LANGUAGE.get(kind) or release.expected(system)
    if ecosystem:
        return {"code": "no_data", "ecosystem": ecosystem, "count": len(packages)}
    if not system.get("id"):
        return {"code": "no_system", "count": len(packages)}
    name = " ".join(filter(None, (system["id"], system.get("version_id"))))
    return {"code": "no_data_system", "system": name, "count": len(packages)}


def _no_version(packages: list[Package]) -> dict[str, Any]:
    first = packages[0]
    return {"code": "no_version", "count": len(packages), "name": first["name"], "version": first["version"]}


def _compare(packages: list[Package], ecosystems: list[str], made: Comparison) -> None:
    by_name: dict[str, list[Package]] = defaultdict(list)
    for package in packages:
        for name in _names(package):
            by_name[name].append(package)
    unsure = {_key(one): one for one in packages if not _can_be_compared(ecosystems[0], _version(one))}
    for names in batched_names(by_name):
        rows = AffectedPackage.objects.filter(ecosystem__in=ecosystems, name__in=names, advisory__withdrawn=False)
        for row in rows.select_related("advisory").order_by("pk").iterator():
            unsure |= {_key(one): one for one in by_name[row.name] if not _judge(row, one, made)}
    if unsure:
        made.doubts.append(_no_version(list(unsure.values())))


def _key(package: Package) -> tuple[str, str]:
    return package["name"], package["version"]


def batched_names(names: Iterable[str]) -> Iterable[list[str]]:
    listed = list(names)
    return (listed[start : start + AT_ONCE] for start in range(0, len(listed), AT_ONCE))


def _names(package: Package) -> set[str]:
    source = package.get("source") or package["name"]
    return {source} if package["kind"] in BY_SOURCE_ONLY else {source, package["name"]}


def _version(package: Package) -> str:
    version: str = package.get("source_version") or package["version"]
    return version


def _can_be_compared(ecosystem: str, version: str) -> bool:
    try:
        compare(scheme_of(ecosystem), version, version)
    except Uncomparable:
        return False
    return True


def _judge(row: AffectedPackage, package: Package, made: Comparison) -> bool:
    """Whether it could be told. What is hit becomes a finding."""
    try:
        said = verdict(scheme_of(row.ecosystem), _version(package), row.ranges, row.versions)
    except Uncomparable:
        return False
    if said.affected:
        made.findings.append(_finding(row, package, said.fixed))
    return True


def _finding(row: AffectedPackage, package: Package, fixed: str) -> dict[str, Any]:
    advisory = row.advisory
    ids = [advisory.osv_id, *(one for one in advisory.aliases if one != advisory.osv_id)]
    return {
        "vulnerability": next((one for one in ids if CVE.match(one)), advisory.osv_id),
        "ids": ids,
        "package": package["name"],
        "version": package["version"],
        "kind": package["kind"],
        "severity": row.severity or advisory.severity,
        "score": advisory.score,
        "fixed": fixed,
        "summary": advisory.summary,
        "path": package.get("path", ""),
        "layer": package.get("layer", 0),
    }


def merged(findings: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """One line for each vulnerability of a package, however many databases tell of it; the worst first."""
    each: dict[tuple[str, str, str, str], dict[str, Any]] = {}
    for one in findings:
        key = (one["kind"], one["package"], one["version"], one["vulnerability"])
        first = each.setdefault(key, one)
        if first is not one:
            each[key] = _joined(first, one)
    return sorted(each.values(), key=lambda one: (LEVELS.index(one["severity"]), one["package"], one["vulnerability"]))


def _joined(first: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    known = [one for one in (first, other) if one["severity"] != "unknown"] or [first]
    worst = min(known, key=lambda one: LEVELS.index(one["severity"]))
    return first | {
        "ids": list(dict.fromkeys(first["ids"] + other["ids"])),
        "severity": worst["severity"],
        "score": worst["score"],
        "fixed": first["fixed"] or other["fixed"],
        "summary": first["summary"] or other["summary"],
    }
