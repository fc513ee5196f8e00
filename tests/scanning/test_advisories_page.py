"""Operators see what is known and how old it is; nobody else does."""

from datetime import timedelta
from typing import Any

import pytest

from core.clock import database_now
from images.models import AdvisoryFeed
from tests.scanning.advisories import advisory

pytestmark = pytest.mark.usefixtures("cast", "_no_tools")


def test_it_says_what_is_known_and_warns_when_it_is_old(brought: Any, browse: Any, api: Any) -> None:
    operator = browse("operator")
    assert "nothing that is scanned can be called clean" in operator.get("/advisories/").content.decode()
    brought(advisory("CVE-2026-1", "Debian:12", "bash"), advisory("PYSEC-1", "PyPI", "y"))
    AdvisoryFeed.objects.update(newest=database_now())
    text = operator.get("/advisories/").content.decode()
    assert "Debian:12" in text
    assert "import_vulnerabilities all.zip" in text
    assert "older than two weeks" not in text
    AdvisoryFeed.objects.filter(ecosystem="PyPI").update(newest=database_now() - timedelta(days=15))
    assert "The advisories of 1 ecosystem are older than two weeks." in operator.get("/advisories/").content.decode()
    rows = api("operator").get("/api/v1/advisories").json()["results"]
    assert [(one["ecosystem"], one["advisories"], one["old"]) for one in rows] == [
        ("Debian:12", 1, False),
        ("PyPI", 1, True),
    ]


@pytest.mark.parametrize("who", ["owner", "developer", "auditor"])
def test_for_operators_alone(browse: Any, api: Any, who: str) -> None:
    assert browse(who).get("/advisories/").status_code == 403
    assert api(who).get("/api/v1/advisories").status_code == 403
