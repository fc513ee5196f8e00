"""Which of two versions is the newer one. Every ecosystem has rules of its own."""

import re
from collections.abc import Callable
from functools import cmp_to_key, lru_cache
from typing import Any

from packaging.version import InvalidVersion, Version
from univers import versions as known

LONGEST = 200
DISTRIBUTIONS = {
    "deb": {"Debian", "Ubuntu"},
    "apk": {"Alpine", "Wolfi", "Chainguard"},
    "rpm": {
        "Rocky Linux",
        "AlmaLinux",
        "Red Hat",
        "openSUSE",
        "SUSE",
        "openEuler",
        "Mageia",
        "Azure Linux",
    },
}
LANGUAGES = {"PyPI": "pypi", "npm": "semver", "Go": "go", "Maven": "maven"}
APK = re.compile(
    r"(?P<numbers>\d+(?:\.\d+)*)(?P<letter>[a-z]?)(?P<suffixes>(?:_[a-z]+\d*)*)"
    r"(?:~[0-9a-f]+)?(?:-r(?P<revision>\d+))?\Z"
)
PLAIN = re.compile(r"[\w.+~^:-]+\Z", re.ASCII)
RELEASED = re.compile(r"[.-]RELEASE\Z", re.IGNORECASE)
APK_SUFFIX = re.compile(r"_([a-z]+)(\d*)")
APK_BEFORE, APK_AFTER = ("alpha", "beta", "pre", "rc"), ("cvs", "svn", "git", "hg", "p")


class Uncomparable(Exception):
    """A version that its ecosystem's rules do not know."""


def scheme_of(ecosystem: str) -> str:
    """Whose rules hold in an OSV ecosystem such as `Debian:12`; empty where none are known."""
    family = ecosystem.split(":")[0]
    if family in LANGUAGES:
        return LANGUAGES[family]
    return next((scheme for scheme, names in DISTRIBUTIONS.items() if family in names), "")


def compare(scheme: str, one: str, other: str) -> int:
    """Below zero, zero, above zero. Raises Uncomparable."""
    first, second = _parsed(scheme, one), _parsed(scheme, other)
    try:
        return 1 if first > second else -int(first < second)
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        raise Uncomparable(f"{one} {other}") from error


def in_order(scheme: str) -> Callable[[str], Any]:
    """A key to sort versions by."""
    return cmp_to_key(lambda one, other: compare(scheme, one, other))


@lru_cache(maxsize=50_000)
def _parsed(scheme: str, version: str) -> Any:
    if not version or len(version) > LONGEST:
        raise Uncomparable(version[:LONGEST])
    try:
        return _KINDS[scheme](version.strip())
    except (InvalidVersion, known.InvalidVersion, ValueError, TypeError, AttributeError, KeyError) as error:
        raise Uncomparable(version) from error


def _deb(version: str) -> known.DebianVersion:
    if not PLAIN.match(version):
        raise Uncomparable(version)
    return known.DebianVersion(version)


def _rpm(version: str) -> known.RpmVersion:
    if not PLAIN.match(version):
        raise Uncomparable(version)
    return known.RpmVersion(version)


def _maven(version: str) -> known.MavenVersion:
    return known.MavenVersion(RELEASED.sub("", version))  # Maven itself takes RELEASE for nothing, as GA and FINAL


def _semver(version: str) -> known.SemverVersion:
    """Advisories write `1` and `1.2` as well; what stands behind a plus is not compared."""
    numbers, sign, rest = re.match(r"v?([\d.]*)([-+]?)(.*)", version, re.DOTALL).groups()  # type: ignore[union-attr]
    parts = (numbers or "-").split(".")
    if len(parts) > 3 or not all(part.isdigit() and part.isascii() for part in parts):
        raise Uncomparable(version)
    whole = ".".join(str(int(part)) for part in [*parts, "0", "0"][:3])
    before = rest.split("+")[0] if sign == "-" else ""
    return known.SemverVersion(f"{whole}-{before}" if before else whole)


def _apk(version: str) -> tuple[Any, ...]:
    """By apk's rules: numbers, one with a leading zero as if behind a decimal point, letter, suffixes, revision."""
    found = APK.match(version)
    if found is None:
        raise Uncomparable(version)
    numbers = found["numbers"].split(".")
    first, later = int(numbers[0]), numbers[1:]
    each = tuple(_apk_number(one) for one in later)
    suffixes = tuple(_apk_suffix(name, count) for name, count in APK_SUFFIX.findall(found["suffixes"]))
    return first, each, found["letter"], (*suffixes, (0, 0)), int(found["revision"] or 0)


def _apk_number(text: str) -> tuple[int, Any]:
    return (0, text.rstrip("0")) if text.startswith("0") else (1, int(text))


def _apk_suffix(name: str, count: str) -> tuple[int, int]:
    """Those before a release rank below nothing, those after it above."""
    if name in APK_BEFORE:
        return APK_BEFORE.index(name) - len(APK_BEFORE), int(count or 0)
    if name in APK_AFTER:
        return APK_AFTER.index(name) + 1, int(count or 0)
    raise Uncomparable(name)


_KINDS: dict[str, Callable[[str], Any]] = {
    "deb": _deb,
    "rpm": _rpm,
    "apk": _apk,
    "pypi": Version,
    "semver": _semver,
    "go": _semver,
    "maven": _maven,
}
