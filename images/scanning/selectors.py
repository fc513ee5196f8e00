"""Who answers for which finding, and what is known of an image already."""

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery

from core.clock import database_now
from images.models import Artifact, Repository
from images.scanning import rating as rated
from images.scanning.advisories.osv import LEVELS
from images.scanning.models import AdvisoryFeed, Excuse, Scan, ScanFinding
from images.scanning.report import OLD, Excused, ExcuseOf

JUDGED = ("scan_id", "vulnerability", "ids", "package", "severity", "fixed")


@dataclass(frozen=True)
class Standing:
    """How good an image is by what is known now, excuses applied. `rating` is a letter, or "unknown": never clean.

    `at_best`: the letter by what could be looked at. `data_as_of`: of when the oldest of the data is; None: not known.
    """

    rating: str = rated.UNKNOWN
    at_best: str = rated.GOOD
    scanned_at: datetime | None = None
    data_as_of: datetime | None = None
    counts: Mapping[str, int] = field(default_factory=dict)  # by severity, and those that are excused
    doubts: tuple[Mapping[str, Any], ...] = ({"code": "not_scanned"},)
    scan: uuid.UUID | None = None

    @property
    def old(self) -> bool:
        """Whether newer data should be imported before anybody relies on it."""
        return self.data_as_of is not None and database_now() - self.data_as_of > OLD

    @property
    def known(self) -> bool:
        return self.scan is not None


def feeds() -> QuerySet[AdvisoryFeed]:
    return AdvisoryFeed.objects.order_by("ecosystem")


@dataclass(frozen=True)
class Known:
    """One ecosystem as an operator looks at it. `old`: newer data should be imported."""

    feed: AdvisoryFeed
    old: bool


def known_feeds() -> list[Known]:
    """What was imported of each ecosystem, by name; by the newest of its advisories it is old, or not."""
    now = database_now()
    return [Known(one, now - (one.newest or one.imported_at) > OLD) for one in feeds()]


def artifacts(digests: Iterable[str]) -> QuerySet[Artifact]:
    """Where an image lies that has one of these digests."""
    return Artifact.objects.filter(digest__in=list(digests)).select_related("repository").order_by("pk")


def _counts_today() -> Q:
    return Q(ended_at__isnull=True, until__gte=database_now().date())


def excuses(repository: Repository) -> QuerySet[Excuse]:
    """Those that count today."""
    return Excuse.objects.filter(_counts_today(), repository=repository).order_by("pk")


def excused_in(repository: Repository) -> Excused:
    """Who answers for a finding in this repository; a newer word stands over an older one."""
    return _finder(list(excuses(repository)))


def _finder(rows: list[Excuse]) -> Excused:
    def find(finding: dict[str, Any]) -> ExcuseOf | None:
        named = {finding["vulnerability"], *finding["ids"]}
        fitting = [row for row in rows if row.vulnerability in named and row.package in {"", finding["package"]}]
        return ExcuseOf(fitting[-1].reason, fitting[-1].until, fitting[-1].given_by) if fitting else None

    return find


def excused_of(repository: Repository | None) -> Callable[[Mapping[str, Any]], Excused]:
    """For `scan_archive`: by the repository named, else by the one repository that holds the image."""

    def of(found: Mapping[str, Any]) -> Excused:
        homes = {row.repository_id: row.repository for row in artifacts(found["digests"])}
        home = repository or (next(iter(homes.values())) if len(homes) == 1 else None)
        return excused_in(home) if home else lambda _finding: None

    return of


def newest_scan(artifact: Artifact) -> Scan | None:
    return artifact.scans.order_by("-created_at", "-pk").first()


def standing(artifact: Artifact) -> Standing:
    """How good one image is; what nobody looked at is unknown."""
    return latest_scans([artifact.pk]).get(artifact.pk, Standing())


def latest_scans(artifact_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Standing]:
    """The standing of each of these that was looked at, by its newest scan and the excuses of today. Few queries."""
    rows = _newest(Q(pk__in=list(artifact_ids)))
    beside = _parts_of(rows)
    judged = _judged([*rows, *beside.values()])
    plain = {row.artifact_id: judged[row.pk] for row in rows if not row.parts}
    lists = {row.artifact_id: _of_parts(row, beside, judged) for row in rows if row.parts}
    return plain | lists


def _newest(which: Q) -> list[Scan]:
    newest = Scan.objects.filter(artifact=OuterRef("pk")).order_by("-created_at", "-pk").values("pk")[:1]
    found = Artifact.objects.filter(which).annotate(newest=Subquery(newest)).exclude(newest=None).values("newest")
    rows = Scan.objects.filter(pk__in=list(found.values_list("newest", flat=True))).select_related("artifact")
    return list(rows.defer("special_files", "layers", "system", "notes", "digests"))


Part = tuple[uuid.UUID, str]  # repository, digest


def _parts_of(rows: list[Scan]) -> dict[Part, Scan]:
    """Of images for several platforms: the newest scans of those, which lie in the same repository."""
    wanted = {row.artifact.repository_id: {one["digest"] for one in row.parts} for row in rows if row.parts}
    digests = {digest for each in wanted.values() for digest in each}
    if not digests:
        return {}
    found = _newest(Q(repository__in=list(wanted), digest__in=list(digests)))
    return {(row.artifact.repository_id, row.artifact.digest): row for row in found}


def _of_parts(row: Scan, beside: Mapping[Part, Scan], judged: Mapping[uuid.UUID, Standing]) -> Standing:
    """As bad as the worst of its platforms; unknown while one of them is."""
    scans = [beside.get((row.artifact.repository_id, one["digest"])) for one in row.parts]
    each = [judged[one.pk] if one else Standing() for one in scans]
    at_best = max((one.at_best for one in each), default=rated.GOOD)
    doubts = tuple(doubt for one in each for doubt in one.doubts)
    ages = [one.data_as_of for one in each if one.data_as_of]
    counts: Counter[str] = Counter()
    for one in each:
        counts.update(one.counts)
    return Standing(
        rated.rating(at_best, doubts), at_best, row.created_at, min(ages, default=None), dict(counts), doubts, row.pk
    )


def _judged(rows: list[Scan]) -> dict[uuid.UUID, Standing]:
    """By what was written with the scan; where somebody answers, or answered, for findings, reckoned anew."""
    homes = {row.artifact.repository_id for row in rows}
    today = list(Excuse.objects.filter(_counts_today(), repository__in=homes).order_by("pk"))
    excusing = {row.repository_id for row in today}
    anew = [row for row in rows if row.artifact.repository_id in excusing or row.counts.get("excused")]
    findings = _findings(anew)
    told = {row.pk: _as_written(row) for row in rows if row not in anew}
    for row in anew:
        own = [one for one in today if one.repository_id == row.artifact.repository_id]
        told[row.pk] = reckoned(row, findings.get(row.pk, []), _finder(own))
    return told


def _as_written(row: Scan) -> Standing:
    return Standing(row.rating, row.at_best, row.created_at, row.data_as_of, row.counts, tuple(row.doubts), row.pk)


def reckoned(row: Scan, findings: Iterable[Mapping[str, Any]], excused: Excused) -> Standing:
    """The standing by a scan's findings and these excuses."""
    open_ones, counts = [], Counter(dict.fromkeys((*LEVELS, "excused"), 0))
    for one in findings:
        answered = excused(dict(one)) is not None
        counts["excused" if answered else one["severity"]] += 1
        if not answered:
            open_ones.append(one)
    at_best = rated.at_best(open_ones, row.secrets)
    known = rated.rating(at_best, row.doubts)
    return Standing(known, at_best, row.created_at, row.data_as_of, dict(counts), tuple(row.doubts), row.pk)


def _findings(rows: list[Scan]) -> dict[uuid.UUID, list[dict[str, Any]]]:
    found: dict[uuid.UUID, list[dict[str, Any]]] = {}
    for one in ScanFinding.objects.filter(scan__in=[row.pk for row in rows]).values(*JUDGED) if rows else ():
        found.setdefault(one["scan_id"], []).append(dict(one))
    return found
