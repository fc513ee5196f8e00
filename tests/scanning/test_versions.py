"""Which version is newer, by the rules each ecosystem publishes."""

import pytest

from images.scanning.versions import Uncomparable, compare, scheme_of

# Each line: lower, then higher ones.
ASCENDING = {
    # deb-version(7): tilde before everything, letters before others, digits as numbers, epoch first
    "deb": [
        ["0~~", "0~~a", "0~", "0", "0a"],
        ["1.0~rc1-1", "1.0-1", "1.0-1+deb12u1", "1.0-1.1", "1.0-2", "1.0-10", "1.0a-1", "1.0+b-1", "1.1-1", "1:0.1-1"],
        ["1.0-1~deb12u1", "1.0-1"],
        ["7.88.1-10+deb12u4", "7.88.1-10+deb12u5", "7.88.1-10+deb12u12"],
        ["2.36-9+deb12u3", "2.36-9+deb12u10", "2.37-1"],
    ],
    # rpm-version(7): segments, tilde before, caret after, letters before digits
    "rpm": [
        ["1.0~rc1-1", "1.0-1", "1.0^20240101-1", "1.0.1-1", "1.1-1", "1:0.1-1", "2:0.1-1"],
        ["1.0-1.el8", "1.0-1.el9", "1.0-9.el9", "1.0-10.el9"],
        ["4.18.0-477.10.1.el8_8", "4.18.0-477.27.1.el8_8", "4.18.0-513.5.1.el8_9"],
        ["xyz-1", "10-1", "10.0001-1", "10.2-1"],
        ["1.0a-1", "1.0.1-1"],
    ],
    # apk-package(5)
    "apk": [
        [
            "1.2_alpha1",
            "1.2_alpha2",
            "1.2_beta",
            "1.2_pre1",
            "1.2_rc1",
            "1.2_rc1_p1",
            "1.2",
            "1.2_git20200101",
            "1.2_p1",
        ],
        ["1.2-r0", "1.2-r1", "1.2-r9", "1.2-r10", "1.2a-r0", "1.2b-r0", "1.2.1-r0", "1.10-r0", "2-r0"],
        ["1.02", "1.1", "1.2", "1.12"],
        ["3.3.1-r0", "3.3.1-r3", "3.3.2-r0"],
    ],
    # PEP 440
    "pypi": [
        ["1.0.dev1", "1.0a1.dev1", "1.0a1", "1.0b1", "1.0rc1", "1.0", "1.0+local", "1.0.post1", "1.1", "1.10", "1!0.1"],
    ],
    # semver.org, section 11
    "semver": [
        [
            "0",
            "0.0.1",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "1.9.0",
            "1.10.0",
        ],
        ["1.0.0-1", "1.0.0-2", "1.0.0-10", "1.0.0-a"],
    ],
    "go": [
        ["v0.0.0-20191109021931-daa7c04131f5", "v0.0.0-20210101000000-abcdefabcdef", "v0.1.0", "v1.2.3-rc.1", "v1.2.3"],
        ["1.21.4", "1.22.0-rc.1", "1.22", "1.22.1"],
    ],
    # Maven's ComparableVersion
    "maven": [
        ["1-alpha-1", "1-beta-1", "1-milestone-1", "1-rc-1", "1-SNAPSHOT", "1", "1-sp", "1-foo", "1-1", "1.1", "1.10"],
        ["2.14.1", "2.15.0", "2.17.1"],
        ["2.0-M1", "2.0-RC1", "2.0", "2.0.1"],
    ],
}
EQUAL = {
    "deb": [("0:1.0-1", "1.0-1"), ("1.0-0", "1.0"), ("1.00-1", "1.0-1"), ("1.0-01", "1.0-1")],
    "rpm": [("0:1.0-1", "1.0-1"), ("1.01-1", "1.1-1"), ("1_0-1", "1.0-1")],
    "apk": [("1.2", "1.2-r0"), ("01.2", "1.2")],
    "pypi": [("1.0", "1.0.0"), ("1.0-1", "1.0.post1"), ("v1.0", "1.0")],
    "semver": [("1.2.3+build", "1.2.3"), ("1.2", "1.2.0"), ("v1.2.3", "1.2.3")],
    "go": [("v2.0.0+incompatible", "2.0.0"), ("v1.2.3", "1.2.3")],
    "maven": [("1", "1.0"), ("1.0-ga", "1.0"), ("1.0.Final", "1"), ("5.3.0.RELEASE", "5.3.0"), ("1-a1", "1-alpha-1")],
}
LINES = [(scheme, line) for scheme, lines in ASCENDING.items() for line in lines]


@pytest.mark.parametrize(("scheme", "line"), LINES, ids=[f"{scheme} {line[0]}" for scheme, line in LINES])
def test_versions_stand_in_their_order(scheme: str, line: list[str]) -> None:
    for at, lower in enumerate(line):
        for higher in line[at + 1 :]:
            assert compare(scheme, lower, higher) < 0, (lower, higher)
            assert compare(scheme, higher, lower) > 0, (lower, higher)
        assert compare(scheme, lower, lower) == 0


@pytest.mark.parametrize(("scheme", "pairs"), EQUAL.items())
def test_versions_that_are_the_same(scheme: str, pairs: list[tuple[str, str]]) -> None:
    for one, other in pairs:
        assert compare(scheme, one, other) == 0 == compare(scheme, other, one), (one, other)


@pytest.mark.parametrize(
    ("scheme", "version"),
    [
        ("pypi", "latest"),
        ("pypi", ""),
        ("semver", "1.2.3.4"),
        ("semver", "file:../x"),
        ("semver", "^1.0"),
        ("go", "(devel)"),
        ("apk", "1.2_what3"),
        ("apk", "x"),
        ("deb", "1.0 with words"),
        ("deb", "1" * 500),
        ("nobody", "1"),
    ],
)
def test_what_is_no_version_is_said_not_guessed(scheme: str, version: str) -> None:
    with pytest.raises(Uncomparable):
        compare(scheme, version, "1.0.0")


def test_ecosystems_know_their_rules() -> None:
    assert [scheme_of(name) for name in ("Debian:12", "Ubuntu:22.04:LTS", "Alpine:v3.20", "Rocky Linux:9")] == [
        "deb",
        "deb",
        "apk",
        "rpm",
    ]
    assert [scheme_of(name) for name in ("PyPI", "npm", "Go", "Maven", "GIT", "crates.io")] == [
        "pypi",
        "semver",
        "go",
        "maven",
        "",
        "",
    ]
