"""What differs between two images: what they say of themselves, what they are made of, and what scans found in them."""

from collections.abc import Mapping
from typing import Any

from images.models import Artifact
from images.scanning.models import Scan
from images.scanning.selectors import newest_scan

FIELDS = ("platform", "user", "ports", "health", "size_bytes")
MOST = 200  # of each list


def difference(before: Artifact, after: Artifact) -> dict[str, Any]:
    """Plain JSON. `packages` is None where one of them was never scanned: then nobody can tell."""
    old, new = newest_scan(before), newest_scan(after)
    return {
        "before": {"repository": before.repository.name, "digest": before.digest},
        "after": {"repository": after.repository.name, "digest": after.digest},
        "fields": [
            {"field": name, "before": getattr(before, name), "after": getattr(after, name)}
            for name in FIELDS
            if getattr(before, name) != getattr(after, name)
        ],
        "labels": _changed(before.labels, after.labels),
        "layers": _layers(before, after),
        "packages": _changed(_packages(old), _packages(new)) if old and new else None,
        "rating": {"before": old.rating if old else None, "after": new.rating if new else None},
    }


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[dict[str, Any]]:
    names = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    return [{"name": name, "before": before.get(name), "after": after.get(name)} for name in names[:MOST]]


def _layers(before: Artifact, after: Artifact) -> dict[str, int]:
    """How many both have, and how many bytes only the newer one brings."""
    old = {one["digest"] for one in before.layers}
    fresh = [one for one in after.layers if one["digest"] not in old]
    gone = old - {one["digest"] for one in after.layers}
    return {
        "shared": len(after.layers) - len(fresh),
        "new": len(fresh),
        "gone": len(gone),
        "new_bytes": sum(int(one["size"]) for one in fresh),
    }


def _packages(scan: Scan) -> dict[str, str]:
    """Of one that is there twice all versions are named."""
    found: dict[str, list[str]] = {}
    for kind, name, version in scan.packages.order_by("kind", "name", "version").values_list("kind", "name", "version"):
        found.setdefault(f"{kind} {name}", []).append(version)
    return {name: ", ".join(dict.fromkeys(versions)) for name, versions in found.items()}
