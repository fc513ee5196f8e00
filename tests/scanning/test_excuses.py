"""Somebody answers for a finding: until a day, in one repository, and only who may."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from audit.models import AuditEntry
from core.clock import database_now
from core.errors import Denied, Invalid
from images.models import Artifact, Excuse, Repository
from images.scanning.services import end_excuse, excuse_finding
from tests.conftest import Cast
from tests.scanning.advisories import CRITICAL, advisory
from tests.scanning.operator import run

pytestmark = pytest.mark.usefixtures("cast", "_no_tools")


def test_an_excused_finding_is_shown_and_does_not_count_until_its_day(
    brought: Any, kept: tuple[Path, Artifact], cast: Cast
) -> None:
    archive, artifact = kept
    brought(advisory("GHSA-x", "Debian:12", "bash", fixed="5.3-1", vector=CRITICAL, aliases=["CVE-2026-1000"]))
    until = (database_now() + timedelta(days=30)).date()
    words = ("shop/web", "CVE-2026-1000", "--tenant", "acme", "--person", "owner", "--until", until.isoformat())
    run("excuse_finding", *words, "--reason", "Nobody reaches that shell")
    said = run("scan_image", archive)
    assert said.startswith("rating: A\n")
    assert f"excused: CVE-2026-1000 until {until} by owner: Nobody reaches that shell" in said
    assert "(critical)" in said
    Excuse.objects.update(until=(database_now() - timedelta(days=1)).date())
    assert run("scan_image", archive).startswith("rating: F\n")
    Excuse.objects.update(until=until)
    run("excuse_finding", "shop/web", "CVE-2026-1000", "--tenant", "acme", "--person", "owner", "--end")
    assert run("scan_image", archive).startswith("rating: F\n")
    actions = AuditEntry.objects.filter(action__in=["image.excuse_finding", "image.end_excuse"], result="accepted")
    assert actions.count() == 2


def test_an_excuse_holds_in_its_repository_and_for_its_package_only(
    brought: Any, kept: tuple[Path, Artifact], cast: Cast
) -> None:
    archive, artifact = kept
    brought(advisory("CVE-2026-1000", "Debian:12", "bash", fixed="5.3-1", vector=CRITICAL))
    other = Repository.objects.create(tenant=cast.acme, name="other")
    given = {"vulnerability": "CVE-2026-1000", "reason": "It is never called", "until": database_now().date()}
    excuse_finding(cast.actor("owner"), other, **given)
    excuse_finding(cast.actor("owner"), artifact.repository, package="zsh", **given)
    assert run("scan_image", archive).startswith("rating: F\n")
    excuse_finding(cast.actor("owner"), artifact.repository, package="bash", **given)
    assert run("scan_image", archive).startswith("rating: A\n")


@pytest.mark.parametrize("who", ["developer", "releaser", "guest", "auditor", "outsider", "operator"])
def test_only_who_manages_the_tenant_excuses(cast: Cast, kept: tuple[Path, Artifact], who: str) -> None:
    _archive, artifact = kept
    given = {"vulnerability": "CVE-2026-1000", "reason": "It is never called", "until": database_now().date()}
    with pytest.raises(Denied):
        excuse_finding(cast.actor(who), artifact.repository, **given)
    row = excuse_finding(cast.actor("owner"), artifact.repository, **given)
    with pytest.raises(Denied):
        end_excuse(cast.actor(who), row)


@pytest.mark.parametrize(
    "wrong",
    [{"reason": "no"}, {"vulnerability": " "}, {"until": -1}, {"until": 366}],
    ids=["reason", "id", "past", "far"],
)
def test_excuses_need_a_reason_and_an_end(cast: Cast, kept: tuple[Path, Artifact], wrong: dict[str, Any]) -> None:
    _archive, artifact = kept
    given = {"vulnerability": "CVE-2026-1000", "reason": "It is never called", "until": 5} | wrong
    given["until"] = (database_now() + timedelta(days=given["until"])).date()
    with pytest.raises(Invalid) as error:
        excuse_finding(cast.actor("owner"), artifact.repository, **given)
    assert [problem.field for problem in error.value.errors] == list(wrong)
