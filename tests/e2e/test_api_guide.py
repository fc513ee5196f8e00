"""The commands of docs/guide/api.md, run as they stand there by bash and curl against a portal on a real engine."""

import csv
import json
import os
import re
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.portal import ROOT, Portal
from tests.engine import LiveEngine

GUIDE = ROOT / "docs" / "guide" / "api.md"
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS = 240


def script() -> str:
    """All blocks as one script that stops at the first command that fails, and says which it was."""
    blocks = BLOCK.findall(GUIDE.read_text())
    assert len(blocks) >= 14, "the story is told in fewer blocks than it has parts"
    return "\n".join(["set -euo pipefail", "trap 'echo \"failed: $BASH_COMMAND\" >&2' ERR", *blocks])


@pytest.fixture
def fresh(tmp_path_factory: pytest.TempPathFactory, engine: LiveEngine) -> Iterator[Portal]:
    """A portal in which nothing was deployed yet, as the guide's reader has it."""
    made = Portal.prepared(tmp_path_factory.mktemp("guide"), engine)
    made.start()
    yield made
    made.stop()


@pytest.mark.e2e
def test_the_guide_tells_a_true_story(fresh: Portal, tmp_path: Path) -> None:
    known = {"BERTH": fresh.url, "TOKEN": fresh.token(), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        ["bash", "-c", script()], cwd=tmp_path, env=known, capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 0, f"{done.stderr}\n{done.stdout[-2000:]}"
    assert re.findall(r'"state":"([a-z_]+)"', done.stderr) == ["succeeded"] * 5
    assert zipfile.ZipFile(tmp_path / "hello-logs.zip").namelist()
    with (tmp_path / "audit.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0][:2] == ["id", "happened_at"]
    assert [row[0] for row in rows[1:]] == ids_of(tmp_path / "audit.jsonl")


def ids_of(file: Path) -> list[str]:
    return [json.loads(line)["id"] for line in file.read_text().splitlines()]
