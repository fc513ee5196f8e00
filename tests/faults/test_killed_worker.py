"""A worker that is killed at any moment of a deployment leaves one service and one result."""

import json
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.engine import LiveEngine

ROOT = Path(__file__).resolve().parents[2]
POINTS = (
    "after the claim",
    "before the first pause is written",
    "after the first pause",
    "before the engine is asked",
    "after the engine was asked",
    "after the second pause",
    "before the end is written",
    "while the end is written",
    "after the end is written",
)
pytestmark = pytest.mark.live


class Portal:
    """A portal's rows and commands on a state folder of its own, each command in a process that may die."""

    def __init__(self, state: Path, engine: LiveEngine) -> None:
        self.environment = {
            name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")
        }
        self.environment |= {"BERTH_STATE": str(state), "DEBUG": "1", "LOG_LEVEL": "ERROR"}
        self.run(["manage.py", "prepare", "--engine-url", engine.url, "--samples", "berth/hello:1", "berth/hello:2"])

    def run(self, words: list[str], *, dies: bool = False) -> str:
        done = subprocess.run(
            [sys.executable, *words], cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=180
        )
        assert done.returncode == (-signal.SIGKILL if dies else 0), done.stderr[-3000:]
        return done.stdout.strip()

    def do(self, *words: str, dies: bool = False) -> str:
        return self.run(["tests/faults/bench_portal.py", *words], dies=dies)

    def report(self, operation: str) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.do("report", operation))
        return answer


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory, engine: LiveEngine) -> Portal:
    return Portal(tmp_path_factory.mktemp("killed"), engine)


@pytest.mark.parametrize("point", POINTS)
def test_killed(portal: Portal, point: str) -> None:
    operation = portal.do("deploy", f"k{uuid.uuid4().hex[:8]}", "berth/hello:1")
    portal.do("work", operation, "--die-at", point, dies=True)
    portal.do("expire", operation)
    portal.do("work", operation)
    after = portal.report(operation)
    assert after["state"] == "succeeded"
    assert after["services"] == ["web"]
    assert after["ends"] == ["done"]
    assert after["release"] == 1
    assert after["chains_hold"]
    assert after["events"] == list(range(1, len(after["events"]) + 1))
