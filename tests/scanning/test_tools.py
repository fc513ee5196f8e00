"""Trivy and Grype in our place: programs that answer as they document it."""

import os
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from images.scanning import external, packing
from images.scanning.looking import look_through
from tests.scanning.conftest import Push
from tests.scanning.images import Made, deb, layer
from tests.scanning.operator import debian, hits, run

pytestmark = pytest.mark.usefixtures("cast", "_no_tools")


def install(folder: Path, name: str, said: str, *, code: int = 0, version: str = "{}") -> Path:
    """A program of that name which answers as the real one does, and notes what it was asked."""
    (folder / f"{name}.json").write_text(said)
    (folder / f"{name}.version").write_text(version)
    program = folder / name
    program.write_text(
        f'#!/bin/sh\necho "$@" >> "{folder}/{name}.asked"\n'
        f'[ "$1" = version ] && {{ /bin/cat "{folder}/{name}.version"; exit; }}\n'
        f'/bin/cat "{folder}/{name}.json"\necho "it failed" >&2\nexit {code}\n'
    )
    program.chmod(0o755)
    return program


def sample(name: str) -> str:
    return (Path(__file__).parent / "samples" / f"{name}.json").read_text()


def test_trivy_is_used_where_it_is_installed(tmp_path: Path, scanned: Any) -> None:
    install(tmp_path, "trivy", sample("trivy"), version='{"VulnerabilityDB": {"UpdatedAt": "2026-11-18T00:00:00Z"}}')
    report = scanned(debian(deb("libssl3", "3.0.11-1")), {"root/.npmrc": ""})
    assert report["tool"] == "trivy"
    assert hits(report) == [
        ("CVE-2026-1001", "libssl3", "critical", "3.0.15-1"),
        ("CVE-2026-1002", "Django", "unknown", ""),
    ]
    assert [one["layer"] for one in report["findings"]] == [1, 2]
    assert report["findings"][0]["ids"] == ["CVE-2026-1001", "DSA-9001-1"]
    assert (report["rating"], report["data_as_of"]) == ("F", "2026-11-18T00:00:00+00:00")
    assert "--offline-scan --skip-db-update" in (tmp_path / "trivy.asked").read_text()
    assert scanned(debian(deb("libssl3", "3.0.11-1")), words=("--tool", "berth"))["tool"] == "berth"


def test_grype_is_used_where_it_is_installed(tmp_path: Path, scanned: Any) -> None:
    install(tmp_path, "grype", sample("grype"))
    report = scanned(debian(deb("bash", "5.2")))
    assert hits(report) == [
        ("CVE-2026-2001", "lodash", "high", "4.17.21"),
        ("CVE-2026-2002", "bash", "negligible", ""),
    ]
    assert (report["rating"], report["data_as_of"]) == ("D", "2026-11-19T01:02:03+00:00")
    assert report["findings"][0]["layer"] == 2


def test_a_tool_that_does_not_know_the_system_leaves_it_unknown(tmp_path: Path, scanned: Any) -> None:
    install(tmp_path, "trivy", '{"ArtifactName": "x", "Metadata": {}}')
    report = scanned(debian(deb("bash", "5.2")))
    assert (report["rating"], report["doubts"]) == ("unknown", [{"code": "tool_no_system", "tool": "trivy"}])


@pytest.mark.parametrize(
    ("said", "code", "shown"),
    [
        ("{}", 1, "it failed"),
        ("not json", 0, "not what it documents"),
        ("{}", 0, "not what it documents"),
        ("[]", 0, "not what it documents"),
        ('{"ArtifactName": "x", "Results": [{"Vulnerabilities": [{}]}]}', 0, "not what it documents"),
    ],
)
def test_a_tool_that_fails_is_said(tmp_path: Path, said: str, code: int, shown: str) -> None:
    install(tmp_path, "trivy", said, code=code)
    with pytest.raises(CommandError, match=shown):
        run("scan_image", Made([layer(debian(deb("bash", "5")))]).docker(tmp_path))


def test_a_tool_that_is_named_and_not_there_is_said(tmp_path: Path) -> None:
    assert external.installed() is None
    with pytest.raises(CommandError, match="grype did not scan the image: it is not installed"):
        run("scan_image", Made([layer(debian(deb("bash", "5")))]).docker(tmp_path), tool="grype")


def test_a_tool_gets_no_secret_of_the_portal(tmp_path: Path, scanned: Any) -> None:
    install(tmp_path, "trivy", '{"ArtifactName": "x", "Metadata": {}}')
    program = tmp_path / "trivy"
    program.write_text(program.read_text().replace("#!/bin/sh\n", f'#!/bin/sh\n/usr/bin/env > "{tmp_path}/env"\n'))
    scanned(debian(deb("bash", "5.2")))
    assert os.environ["SECRET_KEY"] not in (tmp_path / "env").read_text()


def test_what_is_pushed_is_given_to_it_whole_and_nothing_is_left(tmp_path: Path, pushed: Push) -> None:
    program = install(tmp_path, "trivy", sample("trivy"))
    keep = f'for last; do :; done\n[ -f "$last" ] && /bin/cp "$last" "{tmp_path}/given.tar"\n'
    program.write_text(program.read_text().replace("#!/bin/sh\n", f"#!/bin/sh\n{keep}"))
    artifact, operation = pushed(Made([layer(debian(deb("libssl3", "3.0.11-1"))), layer({"a": "b"})], packed=True))
    assert operation.state == "succeeded"
    scan = artifact.scans.get()
    assert (scan.tool, scan.rating, scan.packages.get().name) == ("trivy", "F", "libssl3")
    assert [one["name"] for one in look_through(tmp_path / "given.tar")["packages"]] == ["libssl3"]
    asked = Path((tmp_path / "trivy.asked").read_text().split("--input ")[1].split()[0])
    assert asked.name == "image.tar"
    assert not asked.parent.exists(), "what was unpacked for it is gone"


def test_without_room_on_the_disk_it_is_said(tmp_path: Path, pushed: Push, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "trivy", sample("trivy"))
    monkeypatch.setattr(packing, "LEFT_FREE", 2**60)
    artifact, operation = pushed(Made([layer({"a": "b"})]))
    assert (operation.failure or {})["code"] == "no_room"
    assert not artifact.scans.exists()
    assert not (tmp_path / "trivy.asked").exists()


def test_a_tool_that_fails_leaves_what_was_pushed_unknown(tmp_path: Path, pushed: Push) -> None:
    install(tmp_path, "trivy", "{}", code=1)
    artifact, operation = pushed(Made([layer({"a": "b"})]))
    assert (operation.state, (operation.failure or {})["code"]) == ("failed", "tool_failed")
    assert not artifact.scans.exists()
