"""What a run of tests came to is read from what pytest itself writes, and told at the end of everything."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from launcher import outcomes
from launcher.outcomes import Outcome
from launcher.testing import Result, call, report

TESTS = """
import pytest

@pytest.fixture
def broken():
    raise RuntimeError("no")

def test_good(): assert True
@pytest.mark.parametrize("one", ["a b"])
def test_bad(one): assert not one
def test_unset(broken): assert True
@pytest.mark.skip(reason="why")
def test_left(): assert True
class TestOwn:
    def test_bad(self): assert False
"""


def test_it_is_what_pytest_wrote(tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(TESTS)
    file = tmp_path / "tests.xml"
    assert outcomes.outcome(file) is None
    asked = [sys.executable, "-m", "pytest", "-q", "-p", "no:django", *outcomes.words(file)]
    done = subprocess.run(asked, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 1, done.stdout + done.stderr
    found = outcomes.outcome(file)
    names = ("test_bad[a b]", "test_unset", "TestOwn::test_bad")
    assert found == Outcome(1, 1, tuple(f"test_some.py::{name}" for name in names))


def test_every_failure_is_told_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    results = [
        Result("checks", True, 30.0),
        Result("fast", False, 61.4, Outcome(5, 1, ("tests/test_a.py::test_b[c]",))),
        Result("live", True, 3600.0, Outcome(7, 0)),
    ]
    report(results)
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line]
    assert lines[1:] == [
        ["checks", "passed", "0", "min", "30", "s"],
        ["fast", "FAILED", "1", "min", "01", "s", "5", "1", "1"],
        ["live", "passed", "60", "min", "00", "s", "7", "0", "0"],
        ["FAILED", "tests/test_a.py::test_b[c]", "(in", "fast)"],
    ]


def test_what_hangs_is_ended_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    hangs, env = "import threading; threading.Event().wait()", dict(os.environ)
    assert not call([sys.executable, "-c", hangs], env=env, seconds=1)
    assert "took longer than 1 s" in capsys.readouterr().err
    assert call([sys.executable, "-c", "pass"], env=env, seconds=60)
