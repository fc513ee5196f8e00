"""A worker that is killed while a whole project is suspended or archived leaves one result, and the way back."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.engine import LiveEngine
from tests.faults.test_killed_worker import Portal

POINTS = (
    "after the claim",
    "before it is declared",
    "after it is declared",
    "before the first pause is written",
    "after the first pause",
    "before the end is written",
    "while the end is written",
    "after the end is written",
)
OF_ARCHIVING = ("after something was removed", "after a network was removed")
BACK = {"suspend": "resume", "archive": "restore"}
pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory, engine: LiveEngine) -> Iterator[Portal]:
    with Portal(tmp_path_factory.mktemp("turned"), engine) as made:
        made.do("work", made.do("deploy", f"t{uuid.uuid4().hex[:8]}", "berth/hello:1"))
        yield made


def stand(portal: Portal, operation: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(portal.do("stand", operation))
    return answer


@pytest.mark.parametrize(
    ("deed", "point"),
    [(deed, point) for deed in BACK for point in POINTS] + [("archive", point) for point in OF_ARCHIVING],
)
def test_killed(portal: Portal, deed: str, point: str) -> None:
    operation = portal.do("turn", deed)
    portal.do("work", operation, "--die-at", point, dies=True)
    portal.do("expire", operation)
    portal.do("work", operation)
    after = stand(portal, operation)
    assert (after["state"], after["ends"], after["chains_hold"]) == ("succeeded", ["done"], True)
    assert after["project"] == {"suspend": "suspended", "archive": "archived"}[deed]
    assert after["stopped"] == [True]
    assert set(after["held"].values()) == ({1} if deed == "suspend" else {0})
    assert after["events"] == list(range(1, len(after["events"]) + 1))
    back = portal.do("turn", BACK[deed])
    portal.do("work", back)
    again = stand(portal, back)
    assert (again["project"], again["stopped"], set(again["held"].values())) == ("active", [False], {1})
