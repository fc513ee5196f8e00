"""What is kept running: started again when it is killed, ended with its keeper, and not started wrongly for ever."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from launcher.paths import ROOT
from launcher.processes import Mark, spawn, until

SECONDS = 30.0
SLEEPS = ["-c", "import time\nwhile True: time.sleep(600)"]
STUBBORN = ["-c", "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: time.sleep(600)"]
Keep = Callable[..., "Kept"]


class Kept:
    def __init__(self, folder: Path, words: list[str]) -> None:
        self.mark_file, self.log = folder / "kept.mark", folder / "log"
        keeper = [sys.executable, "-P", "-m", "launcher.keeper", str(self.mark_file), sys.executable, *words]
        with self.log.open("ab") as log:
            self.process: subprocess.Popen[bytes] = spawn(keeper, log=log, env={"PYTHONPATH": str(ROOT)}, cwd=folder)

    @property
    def mark(self) -> Mark | None:
        return Mark.load(self.mark_file)

    def there(self) -> Mark:
        assert until(lambda: self.mark is not None, seconds=SECONDS), self.log.read_text()
        found = self.mark
        assert found is not None
        return found


@pytest.fixture
def keep(tmp_path: Path) -> Iterator[Keep]:
    made: list[Kept] = []

    def start(*words: str) -> Kept:
        made.append(Kept(tmp_path, list(words)))
        return made[-1]

    yield start
    for one in made:
        one.process.kill()
        one.process.wait()
        if mark := one.mark:
            mark.kill()


def test_what_is_killed_is_started_again_and_again(keep: Keep) -> None:
    kept = keep(*SLEEPS)
    seen = set()
    for _turn in range(3):
        mark = kept.there()
        seen.add((mark.pid, mark.began))
        mark.kill()
        assert until(lambda mark=mark: kept.mark not in (None, mark), seconds=SECONDS), kept.log.read_text()
    assert len(seen) == 3
    assert kept.process.poll() is None
    assert "ended with code -9 and is started again" in kept.log.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_ends_with_its_keeper(keep: Keep, number: signal.Signals) -> None:
    kept = keep(*SLEEPS)
    mark = kept.there()
    kept.process.send_signal(number)
    assert kept.process.wait(timeout=SECONDS) == 0
    assert not mark.alive()
    assert not kept.mark_file.exists()


def test_one_that_does_not_end_is_killed(keep: Keep) -> None:
    kept = keep(*STUBBORN)
    mark = kept.there()
    kept.process.terminate()
    assert kept.process.wait(timeout=SECONDS) == 0
    assert not mark.alive()


def test_what_is_started_wrongly_is_not_started_again(keep: Keep) -> None:
    kept = keep("-c", "raise SystemExit(3)")
    assert kept.process.wait(timeout=SECONDS) == 3
    assert not kept.mark_file.exists()


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    words = [sys.executable, "-P", "-m", "launcher.keeper", str(tmp_path / "mark"), str(tmp_path / "nothing")]
    done = subprocess.run(words, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "could not be started" in done.stderr
