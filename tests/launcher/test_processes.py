"""Processes are known by number and start, and only those are ended."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from launcher.processes import Mark, spawn, until, with_words

WORD = f"a-word-of-process-{os.getpid()}"  # two runs of the tests may go on at once
SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)", WORD]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('ready', flush=True); time.sleep(600)",
]


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = spawn(SLEEPER, log=None)
    # the kernel shows the words a moment after it has begun to run the program
    assert until(lambda: WORD.encode() in Path(f"/proc/{process.pid}/cmdline").read_bytes(), seconds=10)
    yield process
    process.kill()
    process.wait()


def mark_of(process: subprocess.Popen[bytes]) -> Mark:
    mark = Mark.of(process.pid)
    assert mark is not None
    return mark


def test_a_mark_survives_its_file(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    mark_of(sleeper).save(tmp_path / "x.mark")
    assert Mark.load(tmp_path / "x.mark") == mark_of(sleeper)


def test_another_process_with_the_same_number_is_left_alone(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    mark = mark_of(sleeper)
    for other in (replace(mark, began=mark.began - 1), replace(mark, boot="an earlier boot")):
        other.save(tmp_path / "x.mark")
        assert Mark.load(tmp_path / "x.mark") is None
        other.end(grace_seconds=1)
        other.kill()
    assert sleeper.poll() is None


@pytest.mark.parametrize("text", ["", "12", "{}", '{"pid": 1}', "[1, 2, 3]"])
def test_a_spoiled_mark_is_nobody(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.mark").write_text(text)
    assert Mark.load(tmp_path / "x.mark") is None


def test_ending_leaves_no_zombie(sleeper: subprocess.Popen[bytes]) -> None:
    mark_of(sleeper).end(grace_seconds=10)
    assert not Path(f"/proc/{sleeper.pid}").exists()


def test_who_does_not_listen_is_killed(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        process = spawn(STUBBORN, log=log)
    assert until(lambda: "ready" in (tmp_path / "log").read_text(), seconds=20)
    mark_of(process).end(grace_seconds=0.2)
    assert not Path(f"/proc/{process.pid}").exists()


def test_processes_are_found_by_program_and_word(sleeper: subprocess.Popen[bytes]) -> None:
    program = Path(sys.executable).name
    assert with_words({program}, WORD) == [mark_of(sleeper)]
    assert with_words({"dockerd"}, WORD) == []
    assert with_words({program}, WORD[:-1]) == []


def test_children_are_out_of_reach_of_the_terminal(sleeper: subprocess.Popen[bytes]) -> None:
    assert os.getsid(sleeper.pid) == sleeper.pid
