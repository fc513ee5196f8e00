"""Is a version within what an advisory names? The walk over its ranges, by its ecosystem's own order."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from images.scanning.versions import Uncomparable, compare, in_order

ALWAYS = "0"  # introduced before there was any version


@dataclass(frozen=True)
class Verdict:
    affected: bool
    fixed: str = ""  # the lowest version above this one that is free of it; empty: none is known


def verdict(scheme: str, version: str, ranges: Iterable[dict[str, Any]], listed: Iterable[str]) -> Verdict:
    """Raises Uncomparable where the version, or one it has to be compared with, is none of the scheme."""
    ranges = list(ranges)
    hit = any(_within(_scheme(scheme, one), version, one["events"]) for one in ranges) or version in set(listed)
    if not hit:
        return Verdict(False)
    fixes = [
        fixed
        for one in ranges
        for fixed in _values(one["events"], "fixed")
        if compare(_scheme(scheme, one), fixed, version) > 0
    ]
    return Verdict(True, min(fixes, key=in_order(scheme)) if fixes else "")


def _scheme(scheme: str, one: dict[str, Any]) -> str:
    return "semver" if one["type"] == "SEMVER" else scheme


def _values(events: Iterable[Any], kind: str) -> list[str]:
    return [event[kind] for event in events if isinstance(event, dict) and isinstance(event.get(kind), str)]


def _within(scheme: str, version: str, events: list[Any]) -> bool:
    limits = _values(events, "limit")
    if limits and not any(one == "*" or compare(scheme, version, one) < 0 for one in limits):
        return False
    inside = False
    for point, kind in _sorted(scheme, events):
        order = 1 if point == ALWAYS and kind == "introduced" else compare(scheme, version, point)
        if kind == "introduced" and order >= 0:
            inside = True
        elif (kind == "fixed" and order >= 0) or (kind == "last_affected" and order > 0):
            inside = False
    return inside


def _sorted(scheme: str, events: list[Any]) -> list[tuple[str, str]]:
    """Points with their kinds, in order. Where one begins at the point another ends, the end comes first."""
    points = [(point, kind) for kind in ("fixed", "introduced", "last_affected") for point in _values(events, kind)]
    if not any(kind == "introduced" for _point, kind in points):
        raise Uncomparable("no introduced")
    always = [one for one in points if one == (ALWAYS, "introduced")]
    others = [one for one in points if one != (ALWAYS, "introduced")]
    order = in_order(scheme)
    return always + sorted(others, key=lambda one: order(one[0]))
