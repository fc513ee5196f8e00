"""Records of the OSV format: their ranges, severities and names."""

from typing import Any

import pytest

from images.scanning.advisories.matching import verdict
from images.scanning.advisories.osv import NotARecord, record
from images.scanning.versions import Uncomparable


def ecosystem(*events: dict[str, str], kind: str = "ECOSYSTEM") -> dict[str, Any]:
    return {"type": kind, "events": list(events)}


SINCE = {"introduced": "0"}
RANGES = {
    "fixed": [ecosystem(SINCE, {"fixed": "2.0"})],
    "never fixed": [ecosystem(SINCE)],
    "last": [ecosystem({"introduced": "1.0"}, {"last_affected": "1.5"})],
    "twice in one": [ecosystem(SINCE, {"fixed": "1.2"}, {"introduced": "2.0"}, {"fixed": "2.3"})],
    "twice": [ecosystem(SINCE, {"fixed": "1.2"}), ecosystem({"introduced": "2.0"}, {"fixed": "2.3"})],
    "in any order": [ecosystem({"fixed": "2.3"}, {"introduced": "2.0"}, {"fixed": "1.2"}, SINCE)],
    "limited": [ecosystem(SINCE, {"limit": "1.0"})],
    "at one point": [ecosystem(SINCE, {"fixed": "1.0"}, {"introduced": "1.0"}, {"fixed": "1.1"})],
}


@pytest.mark.parametrize(
    ("name", "version", "affected", "fixed"),
    [
        ("fixed", "1.9", True, "2.0"),
        ("fixed", "2.0", False, ""),
        ("fixed", "2.0rc1", True, "2.0"),
        ("never fixed", "99", True, ""),
        ("last", "0.9", False, ""),
        ("last", "1.0", True, ""),
        ("last", "1.5", True, ""),
        ("last", "1.5.1", False, ""),
        ("twice in one", "1.1", True, "1.2"),
        ("twice in one", "1.2", False, ""),
        ("twice in one", "1.9", False, ""),
        ("twice in one", "2.0", True, "2.3"),
        ("twice in one", "2.3", False, ""),
        ("twice", "1.0", True, "1.2"),
        ("twice", "2.2", True, "2.3"),
        ("twice", "1.5", False, ""),
        ("in any order", "1.1", True, "1.2"),
        ("in any order", "1.5", False, ""),
        ("in any order", "2.1", True, "2.3"),
        ("limited", "0.5", True, ""),
        ("limited", "1.0", False, ""),
        ("at one point", "1.0", True, "1.1"),
    ],
)
def test_ranges(name: str, version: str, affected: bool, fixed: str) -> None:
    said = verdict("pypi", version, RANGES[name], [])
    assert (said.affected, said.fixed) == (affected, fixed)


def test_semver_ranges_go_by_semver_in_every_ecosystem() -> None:
    ranges = [ecosystem({"introduced": "1.0.0-beta.2"}, {"fixed": "1.0.0-beta.11"}, kind="SEMVER")]
    assert verdict("go", "v1.0.0-beta.10", ranges, []).affected
    assert not verdict("go", "v1.0.0-beta.11", ranges, []).affected


def test_a_version_that_is_listed_is_affected_whatever_the_ranges_say() -> None:
    assert verdict("pypi", "5.0", [], ["5.0", "5.1"]).affected
    assert verdict("pypi", "5.0", RANGES["fixed"], ["5.0"]).affected
    assert not verdict("pypi", "5.2", [], ["5.0", "5.1"]).affected


@pytest.mark.parametrize(
    "ranges",
    [[ecosystem({"introduced": "nonsense"})], [ecosystem({"fixed": "2.0"})], [ecosystem()], [ecosystem({"fixed": 5})]],  # type: ignore[dict-item]
)
def test_ranges_that_cannot_be_walked_are_said(ranges: list[dict[str, Any]]) -> None:
    with pytest.raises(Uncomparable):
        verdict("pypi", "1.0", ranges, [])


def raw(**more: Any) -> dict[str, Any]:
    return {"id": "GHSA-aaaa-bbbb-cccc", "modified": "2026-01-02T03:04:05Z"} | more


@pytest.mark.parametrize(
    ("more", "severity", "score"),
    [
        ({"severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]}, "critical", 9.8),
        ({"severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:L/AC:H/PR:L/UI:N/S:U/C:L/I:N/A:N"}]}, "low", 2.5),
        ({"severity": [{"type": "CVSS_V2", "score": "AV:N/AC:L/Au:N/C:P/I:P/A:P"}]}, "high", 7.5),
        (
            {
                "severity": [
                    {
                        "type": "CVSS_V4",
                        "score": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
                    }
                ]
            },
            "critical",
            9.3,
        ),
        ({"severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/nonsense"}]}, "unknown", None),
        ({"severity": [{"type": "Ubuntu", "score": "medium"}]}, "medium", None),
        ({"database_specific": {"severity": "MODERATE"}}, "medium", None),
        ({"ecosystem_specific": {"urgency": "unimportant"}}, "negligible", None),
        ({"id": "MAL-2024-1"}, "critical", None),
        ({}, "unknown", None),
        ({"severity": "text", "database_specific": []}, "unknown", None),
    ],
)
def test_severities(more: dict[str, Any], severity: str, score: float | None) -> None:
    made = record(raw(**more))
    assert (made.severity, made.score) == (severity, score)


def test_other_names_are_kept_and_one_upstream_is_one() -> None:
    made = record(raw(id="DEBIAN-CVE-2024-3094", upstream=["CVE-2024-3094"], aliases=["X-1"]))
    assert made.aliases == ["X-1", "CVE-2024-3094"]
    assert record(raw(id="DSA-1", upstream=["CVE-2024-1111", "CVE-2024-2222"])).aliases == []


def test_packages_of_known_ecosystems_with_what_their_ranges_do_not_say() -> None:
    affected = [
        {"package": {"ecosystem": "PyPI", "name": "Zope.Interface"}, "ranges": RANGES["fixed"], "versions": ["1.0"]},
        {"package": {"ecosystem": "Debian:12", "name": "openssl"}, "ranges": RANGES["fixed"], "versions": ["1.0"]},
        {"package": {"ecosystem": "Debian:12", "name": "bash"}, "versions": ["5.2"]},
        {"package": {"ecosystem": "crates.io", "name": "serde"}},
        {"package": {"ecosystem": "npm", "name": "x"}, "ranges": [{"type": "GIT", "events": [SINCE]}]},
        "nonsense",
    ]
    made = record(raw(affected=affected)).affected
    assert [(one.ecosystem, one.name, len(one.ranges), one.versions) for one in made] == [
        ("PyPI", "zope-interface", 1, ["1.0"]),
        ("Debian:12", "openssl", 1, []),
        ("Debian:12", "bash", 0, ["5.2"]),
        ("npm", "x", 0, []),
    ]


BROKEN = [[], None, {}, {"id": "x"}, {"id": 5, "modified": "2026-01-01"}, raw(modified="yesterday")]


@pytest.mark.parametrize("broken", BROKEN)
def test_what_is_no_record_is_said(broken: Any) -> None:
    with pytest.raises(NotARecord):
        record(broken)
