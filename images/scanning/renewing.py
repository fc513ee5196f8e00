"""Scans that new advisories touch are compared again, from the packages that were kept with them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.db.models import Exists, OuterRef, Q

from core.access import Actor
from images.scanning.comparing import OF_LANGUAGE, compare_all
from images.scanning.models import Scan, ScanPackage
from images.scanning.noting import PACKAGE
from images.scanning.report import OWN_TOOL, Report, excuse
from images.scanning.selectors import excused_in
from images.scanning.services import record_scan
from images.scanning.versions import scheme_of

AT_ONCE = 400
KINDS = {ecosystem: kind for kind, ecosystem in OF_LANGUAGE.items()}


def renew(actor: Actor, names: Iterable[tuple[str, str]]) -> list[Scan]:
    """Compare again what has a package of these (ecosystem, name), and keep what came out of it."""
    touched = {pk for batch in _batches(names) for pk in _touched(*batch)}
    return [_again(actor, scan) for scan in _newest().filter(pk__in=touched).select_related("artifact__repository")]


def _newest() -> Any:
    """The newest scan of each artifact; only our own can be compared again. Ids grow with time."""
    newer = Scan.objects.filter(artifact=OuterRef("artifact"), pk__gt=OuterRef("pk"))
    return Scan.objects.filter(~Exists(newer), tool=OWN_TOOL)


def _batches(names: Iterable[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """By kind of package, so many names at once."""
    by_kind: dict[str, set[str]] = defaultdict(set)
    for ecosystem, name in names:
        by_kind[KINDS.get(ecosystem) or scheme_of(ecosystem)].add(name)
    for kind, each in by_kind.items():
        left = iter(sorted(each))
        while batch := list(islice(left, AT_ONCE)):
            yield kind, batch


def _touched(kind: str, names: list[str]) -> set[Any]:
    called = Q(name__in=names) | Q(source__in=names)
    rows = ScanPackage.objects.filter(called, kind=kind, scan__in=_newest())
    return set(rows.values_list("scan_id", flat=True).distinct())


def _again(actor: Actor, scan: Scan) -> Scan:
    packages = list(scan.packages.order_by("pk").values(*PACKAGE))
    kept = {key: getattr(scan, key) for key in ("system", "digests", "notes", "secrets", "special_files", "layers")}
    found = kept | {"packages": packages, "names": [], "platform": scan.artifact.platform}
    compared = compare_all(packages, scan.system)
    excuse(compared.findings, excused_in(scan.artifact.repository))
    return record_scan(actor, scan.artifact, report=Report(found, compared, OWN_TOOL))
