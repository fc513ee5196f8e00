"""What scans say of an image, held against what a stage asks."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import Q

from images.models import Artifact
from images.scanning.models import Scan
from images.scanning.rating import LETTERS, UNKNOWN
from images.scanning.selectors import newest_scan

NOT_SCANNED, SCAN_UNKNOWN, SCAN_WORSE = "not_scanned", "scan_unknown", "scan_worse"
_ORDER = [*LETTERS, UNKNOWN]


def scan_of(project: UUID, digest: str, name: str = "") -> Scan | None:
    """The worst that is known: the same image in another repository of the project, with other excuses, is no way out.

    `name`: of the repository it is asked for from, which may be another's.
    """
    homes = Q(repository__project_id=project) | Q(repository__name=name)
    rows = Artifact.objects.filter(homes, digest=digest).select_related("repository")
    found = [scan for row in rows if (scan := newest_scan(row)) is not None]
    return max(
        found, key=lambda scan: _ORDER.index(scan.rating) if scan.rating in _ORDER else len(_ORDER), default=None
    )


def seen(scan: Scan | None) -> dict[str, Any] | None:
    """A scan as it is kept with a decision."""
    if scan is None:
        return None
    as_of = scan.data_as_of.isoformat() if scan.data_as_of else None
    return {
        "rating": scan.rating,
        "at_best": scan.at_best,
        "counts": scan.counts,
        "tool": scan.tool,
        "scanned_at": scan.created_at.isoformat(),
        "data_as_of": as_of,
    }


def objection(limit: str, scan: Mapping[str, Any] | None) -> str:
    """Why a scan as kept does not pass; empty where it does. What nobody knows is never clean."""
    if not limit:
        return ""
    if scan is None:
        return NOT_SCANNED
    if scan["rating"] not in LETTERS:
        return SCAN_UNKNOWN
    return SCAN_WORSE if LETTERS.index(scan["rating"]) > LETTERS.index(limit) else ""
