"""`python -m launcher.keeper MARK PROGRAM WORD…`: keep one program running until this process is told to end.

MARK is a file that names the program's process as it is now. What ends by itself or is killed is started again; what
ends with a code of its own right at the beginning was started wrongly, and then this ends with that code.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

from launcher.processes import Mark

BEGINNING_SECONDS = 5.0  # who ends by itself that soon has not understood what it was given
GRACE_SECONDS = 10.0
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0  # seconds; each start that does not last doubles it


class Keeper:
    """One program, started as often as needed."""

    def __init__(self, mark_file: Path, words: Sequence[str]) -> None:
        self.mark_file, self.words = mark_file, list(words)
        self._child: subprocess.Popen[bytes] | None = None
        self._ending = False

    def run(self) -> int:
        """Until it is told to end; the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._end)
        began = time.monotonic()
        code = self._once()
        lasted, pause = time.monotonic() - began, FIRST_PAUSE
        if code > 0 and lasted < BEGINNING_SECONDS and not self._ending:
            return code
        while not self._ending:
            pause = FIRST_PAUSE if lasted > LONGEST_PAUSE else pause
            sys.stderr.write(f"{self.words[0]} ended with code {code} and is started again\n")
            sys.stderr.flush()
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            began = time.monotonic()
            with suppress(OSError):  # it may be replaced by a newer one at this very moment
                code = self._once()
            lasted = time.monotonic() - began
        return 0

    def _once(self) -> int:
        """Start it and wait for its end."""
        if self._ending:
            return 0
        self._child = subprocess.Popen(self.words, stdin=subprocess.DEVNULL)
        if mark := Mark.of(self._child.pid):
            mark.save(self.mark_file)
        if self._ending:
            self._child.terminate()  # told so while it was being started
        code = self._child.wait()
        self.mark_file.unlink(missing_ok=True)
        return code

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self._ending = True
        if self._child is not None and self._child.returncode is None:
            self._child.terminate()
            signal.signal(signal.SIGALRM, self._kill)
            signal.setitimer(signal.ITIMER_REAL, GRACE_SECONDS)

    def _kill(self, _number: int, _frame: FrameType | None) -> None:
        if self._child is not None:
            self._child.kill()


def main(words: list[str]) -> int:
    if len(words) < 2:
        sys.stderr.write("Give the file for the mark, and the program with its words.\n")
        return 2
    try:
        return Keeper(Path(words[0]), words[1:]).run()
    except OSError as error:
        sys.stderr.write(f"{words[1]} could not be started: {error}\n")
        return os.EX_OSERR


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
