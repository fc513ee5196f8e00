"""What the launcher says: one line per step with its duration."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

WIDTH = 72
CLEAR = "\r\x1b[K"  # a terminal's way to empty the line


def say(text: str = "") -> None:
    """Write one line to standard output at once, so that a pipe shows progress too."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def complain(text: str, *, hint: str = "") -> None:
    """Write a problem and its way out to standard error."""
    sys.stdout.flush()
    sys.stderr.write(f"berth: {text}\n")
    for line in filter(None, hint.splitlines()):
        sys.stderr.write(f"       {line}\n")
    sys.stderr.flush()


class Step:
    """A step under way. `note` replaces what its line will say once it is over."""

    def __init__(self, text: str) -> None:
        self.text = text

    def note(self, text: str) -> None:
        self.text = text


@contextmanager
def step(text: str) -> Iterator[Step]:
    """Say `text` with the time the block took; a failed block gets a line too before its error goes on."""
    current = Step(text)
    began = time.monotonic()
    mark = "failed"
    live = sys.stdout.isatty()
    if live:
        sys.stdout.write(f"{'...':>6}  {text}")
        sys.stdout.flush()
    try:
        yield current
        mark = "ok"
    finally:
        seconds = time.monotonic() - began
        say(f"{CLEAR if live else ''}{mark:>6}  {current.text:<{WIDTH}} {seconds:6.1f} s")
