"""Processes we started: remember them so that nobody else's is ever hit, and end them."""

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from launcher.commands import find
from launcher.problems import Problem

BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Mark:
    """One process, told apart from a later one with the same number by when it began and in which boot."""

    pid: int
    began: int
    boot: str

    @classmethod
    def of(cls, pid: int) -> "Mark | None":
        """The mark of a living process; None if there is none (a zombie is none)."""
        began = began_at(pid)
        return None if began is None else cls(pid, began, BOOT.read_text().strip())

    @classmethod
    def load(cls, path: Path) -> "Mark | None":
        """The mark in a file, if that very process still lives."""
        try:
            mark = cls(**json.loads(path.read_text()))
        except (OSError, ValueError, TypeError):
            return None
        return mark if mark.alive() else None

    def save(self, path: Path) -> None:
        """Write the mark so that a half-written file is never seen."""
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(self)))
        fresh.replace(path)

    def alive(self) -> bool:
        return Mark.of(self.pid) == self

    def send(self, number: signal.Signals) -> bool:
        """Signal this very process. False if it is gone."""
        with suppress(ProcessLookupError), opened(self.pid) as handle:
            if self.alive():
                signal.pidfd_send_signal(handle, number)
                return True
        return False

    def wait(self, *, seconds: float) -> bool:
        """True once the process is gone, False if it still lives after so many seconds."""
        with suppress(ProcessLookupError), opened(self.pid) as handle:
            # one that looks like a zombie may still have threads that hold its sockets; the handle knows better
            if began_at(self.pid, zombies=True) == self.began:
                poll = select.poll()
                poll.register(handle, select.POLLIN)
                if not poll.poll(seconds * 1000):
                    return False
        with suppress(ChildProcessError):
            os.waitpid(self.pid, os.WNOHANG)  # if it was our own child, leave no zombie
        return True

    def end(self, *, grace_seconds: float) -> None:
        """Ask it to stop; after the grace period, kill it."""
        if self.send(signal.SIGTERM) and not self.wait(seconds=grace_seconds):
            self.kill()

    def kill(self) -> None:
        if self.send(signal.SIGKILL):
            self.wait(seconds=10)


class opened:  # noqa: N801 -- reads as a verb where it is used
    """A pid file descriptor for a `with` block; raises ProcessLookupError if the process is gone."""

    def __init__(self, pid: int) -> None:
        self.handle = os.pidfd_open(pid)

    def __enter__(self) -> int:
        return self.handle

    def __exit__(self, *_: object) -> None:
        os.close(self.handle)


def began_at(pid: int, *, zombies: bool = False) -> int | None:
    """Clock ticks from boot to the start of a process; None if it is gone or (unless asked for) a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" and not zombies else int(fields[19])


def children(pid: int) -> list[int]:
    """Numbers of a process's children."""
    found = []
    for other in every_pid():
        with suppress(OSError, IndexError):
            if int(Path(f"/proc/{other}/stat").read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(other)
    return found


def every_pid() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def with_words(programs: set[str], word: str) -> list[Mark]:
    """Living processes that run one of these programs with exactly this word among their arguments."""
    found = []
    for pid in every_pid():
        with suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
            if word in words[1:] and Path(words[0]).name in programs and (mark := Mark.of(pid)):
                found.append(mark)
    return found


def spawn(
    words: Sequence[str],
    *,
    log: IO[bytes] | None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    feed: bool = False,
    keep: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, so that a terminal's Ctrl-C reaches only the launcher.

    Output goes to `log` (None: where ours goes). `feed` opens a pipe to its standard input; `keep` are file
    descriptors it inherits.
    """
    program = find(words[0])
    if program is None:
        raise Problem(f"{words[0]} is not installed.")
    return subprocess.Popen(
        [program, *words[1:]],
        stdin=subprocess.PIPE if feed else subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT if log else None,
        env=env,
        cwd=cwd,
        pass_fds=tuple(keep),
        start_new_session=True,
    )


def rotate(log: Path, *, limit: int = 20_000_000) -> None:
    """Before a program writes on: put a log beyond so many bytes aside, as the only older one."""
    with suppress(FileNotFoundError):
        if log.stat().st_size > limit:
            log.replace(log.with_name(f"{log.name}.1"))


def until(condition: Callable[[], bool], *, seconds: float, every: float = 0.02) -> bool:
    """Look again and again until the condition holds (True) or the time is over (False)."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True
