"""A worker that is killed at any moment of a deployment leaves one service and one result."""

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

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
        environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        environment |= {"BERTH_STATE": str(state), "DEBUG": "1", "LOG_LEVEL": "ERROR"}
        prepare = ["manage.py", "prepare", "--engine-url", engine.url, "--samples", "berth/hello:1", "berth/hello:2"]
        subprocess.run([sys.executable, *prepare], cwd=ROOT, env=environment, check=True, timeout=180)
        self.process = subprocess.Popen(
            [sys.executable, "tests/faults/bench_portal.py"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate(timeout=60)  # without a further line it ends

    def do(self, *words: str, dies: bool = False) -> str:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(words) + "\n")
        done = json.loads(self.process.stdout.readline())
        assert done["code"] == (-signal.SIGKILL if dies else 0), done["errors"][-3000:]
        return str(done["output"]).strip()

    def report(self, operation: str) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.do("report", operation))
        return answer


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory, engine: LiveEngine) -> Iterator[Portal]:
    with Portal(tmp_path_factory.mktemp("killed"), engine) as made:
        yield made


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
