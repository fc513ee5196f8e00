"""What an operator does: imports advisories, scans an archive, excuses a finding. Through the commands themselves."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from audit.models import AuditEntry
from core.errors import Denied
from images.models import Advisory, AdvisoryFeed, AffectedPackage, Artifact, Scan
from images.scanning.bringing import bring_advisories
from tests.conftest import Cast
from tests.scanning.advisories import CRITICAL, LOW, MODIFIED, advisory, zipped
from tests.scanning.images import ALPINE, ROCKY, Made, deb, layer, rpm_header
from tests.scanning.operator import STATUS, debian, hits, run
from tests.scanning.test_packages import rpm_database

pytestmark = pytest.mark.usefixtures("cast", "_no_tools")


def test_debian_is_compared_by_source_and_said_with_layer_and_fix(brought: Any, scanned: Any) -> None:
    brought(
        advisory("DEBIAN-CVE-2026-1", "Debian:12", "openssl", fixed="3.0.15-1~deb12u1", upstream=["CVE-2026-11111"]),
        advisory("DEBIAN-CVE-2026-2", "Debian:12", "openssl", fixed="3.0.11-1~deb12u2"),
        advisory("DEBIAN-CVE-2026-3", "Debian:11", "openssl", fixed="9"),
        advisory("DEBIAN-CVE-2026-4", "Debian:12", "libssl3", fixed="9"),
    )
    report = scanned(
        debian(deb("bash", "5.2-1")), debian(deb("bash", "5.2-1"), deb("libssl3", "3.0.11-1~deb12u2", source="openssl"))
    )
    assert hits(report) == [("CVE-2026-11111", "libssl3", "high", "3.0.15-1~deb12u1")]
    assert report["findings"][0]["layer"] == 2
    assert (report["rating"], report["doubts"]) == ("D", [])
    assert report["data_as_of"].startswith("2026-11-20")


@pytest.mark.parametrize(
    ("ecosystem", "name", "fixed", "entries"),
    [
        (
            "Alpine:v3.20",
            "openssl",
            "3.3.1-r3",
            {"etc/os-release": ALPINE, "lib/apk/db/installed": "P:libssl3\nV:3.3.1-r0\no:openssl\n\n"},
        ),
        (
            "Rocky Linux:9",
            "dbus-libs",
            "1:1.12.20-9.el9",
            {
                "etc/os-release": ROCKY,
                "var/lib/rpm/rpmdb.sqlite": rpm_database(
                    [rpm_header({1000: "dbus-libs", 1001: "1.12.20", 1002: "8.el9", 1003: 1})]
                ),
            },
        ),
        ("PyPI", "Django", "4.2.5", {"srv/a.dist-info/METADATA": "Name: django\nVersion: 4.2.1\n"}),
        (
            "npm",
            "lodash",
            "4.17.21",
            {"srv/node_modules/lodash/package.json": '{"name": "lodash", "version": "4.17.20"}'},
        ),
    ],
)
def test_each_ecosystem_is_compared_by_its_own_rules(
    brought: Any, scanned: Any, ecosystem: str, name: str, fixed: str, entries: dict[str, Any]
) -> None:
    brought(advisory("X-1", ecosystem, name, fixed=fixed), advisory("X-2", ecosystem, name, fixed="0.0.1"))
    report = scanned(entries)
    assert [(one["vulnerability"], one["fixed"]) for one in report["findings"]] == [("X-1", fixed)]
    assert (report["rating"], report["doubts"]) == ("D", [])


def test_without_data_nothing_is_clean(brought: Any, scanned: Any) -> None:
    report = scanned(debian(deb("bash", "5.2-1")))
    assert (report["rating"], report["at_best"]) == ("unknown", "A")
    assert report["doubts"] == [{"code": "no_data", "ecosystem": "Debian:12", "count": 1}]
    brought(advisory("X-1", "Debian:12", "zsh", fixed="9"))
    report = scanned(debian(deb("bash", "5.2-1")))
    assert (report["rating"], report["doubts"]) == ("A", [])
    mixed = debian(deb("bash", "5.2-1")) | {"srv/a.dist-info/METADATA": "Name: a\nVersion: 1\n"}
    assert [one["ecosystem"] for one in scanned(mixed)["doubts"]] == ["PyPI"]


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ({"hello": "world"}, "no_packages"),
        ({STATUS: deb("bash", "5")}, "no_system"),
        ({"etc/os-release": "ID=plan9\n", STATUS: deb("bash", "5")}, "no_data_system"),
        ({"srv/a.dist-info/METADATA": "Name: a\nVersion: what\n"}, "no_version"),
        ({"srv/a.dist-info/METADATA": "Name: a\nVersion: 1\n", "x.jar": "no zip"}, "list_damaged"),
        ({"srv/a.dist-info/METADATA": "Name: a\nVersion: 1\n", "x/specifications/r-1.gemspec": ""}, "kind_not_read"),
    ],
)
def test_what_cannot_be_compared_makes_it_unknown_with_the_reason(
    brought: Any, scanned: Any, tmp_path: Path, entries: dict[str, Any], code: str
) -> None:
    brought(advisory("X-1", "PyPI", "b", fixed="9"))
    report = scanned(entries)
    assert report["rating"] == "unknown"
    assert code in [one["code"] for one in report["doubts"]]
    said = run("scan_image", tmp_path / "image.tar")
    assert said.startswith("rating: unknown (at best A)\n")
    assert "unknown because: " in said
    assert "%(" not in said


@pytest.mark.parametrize(
    ("advisories", "letter"),
    [
        ([("X-1", "1.0", CRITICAL)], "A"),
        ([("X-1", "9", LOW)], "B"),
        ([("X-1", "9", "")], "C"),
        ([("X-1", "9", "CVSS:3.1/AV:N/AC:H/PR:L/UI:N/S:U/C:L/I:L/A:L")], "C"),
        ([("X-1", "9", LOW), ("X-2", "", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H")], "D"),
        ([("X-1", "", CRITICAL)], "E"),
        ([("X-1", "9", CRITICAL), ("X-2", "9", LOW)], "F"),
    ],
)
def test_ratings(brought: Any, scanned: Any, advisories: list[tuple[str, str, str]], letter: str) -> None:
    brought(*(advisory(name, "Debian:12", "bash", fixed=fixed, vector=vector) for name, fixed, vector in advisories))
    assert scanned(debian(deb("bash", "5.2-1")))["rating"] == letter


def test_an_open_secret_is_the_worst_even_where_the_rest_is_unknown(scanned: Any) -> None:
    report = scanned({"root/.npmrc": "//r/:_authToken=abcdefghijklmnop\n"})
    assert (report["rating"], report["secrets"][0]["kind"]) == ("F", "npmrc")


def test_databases_that_tell_the_same_make_one_line(brought: Any, scanned: Any) -> None:
    brought(
        advisory("PYSEC-2026-1", "PyPI", "django", vector="", aliases=["CVE-2026-5555"]),
        advisory("GHSA-aaaa-bbbb-cccc", "PyPI", "django", fixed="4.2.5", vector=CRITICAL, aliases=["CVE-2026-5555"]),
    )
    report = scanned({"srv/a.dist-info/METADATA": "Name: django\nVersion: 4.2.1\n"})
    assert hits(report) == [("CVE-2026-5555", "django", "critical", "4.2.5")]
    assert set(report["findings"][0]["ids"]) == {"PYSEC-2026-1", "GHSA-aaaa-bbbb-cccc", "CVE-2026-5555"}


def test_withdrawn_advisories_do_not_count(brought: Any, scanned: Any) -> None:
    brought(advisory("X-1", "PyPI", "django", withdrawn=MODIFIED))
    assert scanned({"srv/a.dist-info/METADATA": "Name: django\nVersion: 4.2.1\n"})["findings"] == []


def test_importing_again_writes_what_changed(brought: Any, tmp_path: Path) -> None:
    first = [advisory(f"X-{number}", "PyPI", f"p{number}", fixed="2") for number in range(600)]
    assert "600 new, 0 changed, 0 the same" in brought(*first)
    first[0] = advisory("X-0", "PyPI", "other", fixed="3", modified="2026-11-21T00:00:00Z")
    said = brought(*first, b"{", b"[]", {"id": "no-date"})
    assert "0 new, 1 changed, 599 the same, 3 could not be read" in said
    assert "PyPI: 600 advisories" in said
    assert list(AffectedPackage.objects.filter(advisory__osv_id="X-0").values_list("name", flat=True)) == ["other"]
    assert AdvisoryFeed.objects.get(ecosystem="PyPI").newest.isoformat() == "2026-11-21T00:00:00+00:00"
    entry = AuditEntry.objects.filter(action="vulnerability.import").latest("pk")
    assert (entry.result, entry.after["changed"]) == ("accepted", 1)


def test_a_folder_is_read_as_well(tmp_path: Path) -> None:
    folder = tmp_path / "advisories" / "deep"
    folder.mkdir(parents=True)
    (folder / "a.json").write_text(json.dumps(advisory("X-1", "npm", "lodash")))
    (folder / "b.txt").write_text("nothing")
    assert "1 new" in run("import_vulnerabilities", tmp_path / "advisories")


@pytest.mark.parametrize("raw", [b"no zip", b"PK\x03\x04" + b"x" * 100, b""])
def test_what_holds_no_advisories_is_said(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(raw)
    with pytest.raises(CommandError, match=r"Give the all\.zip"):
        run("import_vulnerabilities", tmp_path / "x.zip")
    assert not Advisory.objects.exists()


def test_who_may_not_brings_no_advisories(cast: Cast, tmp_path: Path) -> None:
    source = zipped(tmp_path / "all.zip", [advisory("X-1", "PyPI", "a")])
    with pytest.raises(Denied):
        bring_advisories(cast.actor("owner"), source)
    assert not Advisory.objects.exists()
    assert AuditEntry.objects.filter(action="vulnerability.import", result="denied").exists()


def test_the_table_says_it_for_people(brought: Any, tmp_path: Path) -> None:
    brought(advisory("CVE-2026-1000", "Debian:12", "bash", fixed="5.3-1", vector=CRITICAL))
    archive = Made([layer(debian(deb("bash", "5.2-1")))]).docker(tmp_path)
    said = run("scan_image", archive).splitlines()
    assert said[0] == "rating: F"
    assert "system: Debian GNU/Linux 12 (bookworm), 1 packages" in said
    assert any(line.startswith("data: berth, the oldest of Debian:12 is of ") for line in said)
    assert "findings: 1 critical" in said
    assert said[-1].split() == ["critical", "CVE-2026-1000", "bash", "5.2-1", "5.3-1", "1"]


def test_the_list_of_parts_is_cyclonedx(scanned: Any, tmp_path: Path) -> None:
    file = tmp_path / "sbom.json"
    entries = debian(deb("libssl3", "1:3.0-1", source="openssl")) | {
        "srv/node_modules/@a/b/package.json": '{"name": "@a/b", "version": "1.0.0", "license": "MIT"}'
    }
    report = scanned(entries, words=("--sbom", str(file)))
    document = json.loads(file.read_text())
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert document["metadata"]["component"]["name"] == "shop/web:1"
    found = {one["purl"]: one for one in document["components"]}
    assert set(found) == {"pkg:deb/debian/libssl3@1:3.0-1?arch=amd64&distro=debian-12", "pkg:npm/%40a/b@1.0.0"}
    assert found["pkg:npm/%40a/b@1.0.0"]["licenses"] == [{"license": {"name": "MIT"}}]
    assert [(one["licence"], one["count"]) for one in report["licences"]] == [("", 1), ("MIT", 1)]


def test_what_cannot_be_scanned_is_said_with_a_next_step(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(b"nonsense" * 200)
    with pytest.raises(CommandError, match="not the archive of an image, or it is damaged. Make one with docker save"):
        run("scan_image", tmp_path / "x.tar")


def test_new_advisories_are_compared_with_what_was_kept_and_touch_nothing_else(
    brought: Any, kept: tuple[Path, Artifact]
) -> None:
    archive, artifact = kept
    brought(advisory("CVE-2026-1000", "Debian:12", "zsh", fixed="9"))
    run("scan_image", archive)
    archive.unlink()
    said = brought(advisory("CVE-2026-1001", "Debian:12", "zsh"), advisory("CVE-2026-1002", "PyPI", "bash"))
    assert "compared again" not in said
    critical = advisory("CVE-2026-1003", "Debian:12", "bash", fixed="5.3-1", vector=CRITICAL)
    said = brought(critical)
    assert f"compared again: {artifact} is F" in said
    first, second = artifact.scans.order_by("pk")
    assert (first.rating, second.rating) == ("A", "F")
    assert second.findings.get().vulnerability == "CVE-2026-1003"
    assert (second.packages.count(), second.layers, second.digests) == (1, first.layers, first.digests)
    assert "compared again" not in brought(
        advisory("CVE-2026-1003", "Debian:12", "bash", fixed="5.3-1", vector=CRITICAL)
    )


def test_a_scan_of_a_known_artifact_is_kept_with_it(brought: Any, kept: tuple[Path, Artifact]) -> None:
    archive, artifact = kept
    brought(advisory("CVE-2026-1000", "Debian:12", "bash", fixed="5.3-1", vector=CRITICAL))
    assert "kept with shop/web@" in run("scan_image", archive)
    scan = Scan.objects.get(artifact=artifact)
    assert (scan.rating, scan.counts["critical"], scan.tool) == ("F", 1, "berth")
    assert list(scan.findings.values_list("vulnerability", "package", "fixed", "layer")) == [
        ("CVE-2026-1000", "bash", "5.3-1", 1)
    ]
    assert list(scan.packages.values_list("kind", "name", "version")) == [("deb", "bash", "5.2-1")]
    entry = AuditEntry.objects.filter(action="image.scan").latest("pk")
    assert entry.after["rating"] == "F"
