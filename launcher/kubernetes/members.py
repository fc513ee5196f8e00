"""The cluster's processes: started in a node's namespaces, remembered by their marks, ended without a trace."""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from launcher.problems import Problem
from launcher.processes import Mark, children, every_pid, spawn, until

STARTERS = {"nsenter", "unshare"}
HOST = "host"

# The first process of a node's namespaces: hides the machine's /run and logs, puts the cluster's resolver in place,
# takes in orphans, and ends with TERM.
BOOT = """
set -e
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /var/lib/cni
mount -t tmpfs tmpfs /var/lib/cni
mount -t tmpfs tmpfs /var/log
resolver=$(readlink -m /etc/resolv.conf)
mkdir -p "${resolver%/*}"
[ -e "$resolver" ] || : > "$resolver"
mount --bind "$1" "$resolver"
: > /run/berth-ready
trap 'exit 0' TERM
while :; do sleep 3600 & wait $!; done
"""


class Members:
    """All processes of one cluster. `place` is "n1", "n2"... or "host"."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self, place: str, name: str, words: Sequence[str], *, env: dict[str, str] | None = None) -> None:
        """Start a program, unless it runs already. `words` begin with what leads into the namespaces, if anything."""
        if self.mark(place, name):
            return
        home = self.folder / place
        home.mkdir(exist_ok=True)
        with (home / f"{name}.log").open("ab") as log:
            process = spawn(words, log=log, env=os.environ | (env or {}))
        mark = Mark.of(process.pid)
        if mark is None:
            raise Problem(f"{name} of {place} ended at once.", hint=f"Its log is {home / name}.log.")
        mark.save(home / f"{name}.mark")

    def mark(self, place: str, name: str) -> Mark | None:
        return Mark.load(self.folder / place / f"{name}.mark")

    def first(self, place: str) -> Mark:
        """The first process inside a node's namespaces, which keeps them."""
        outer = self.mark(place, "node")
        found: list[int] = []

        def there() -> bool:
            found[:] = children(outer.pid) if outer else []
            return bool(found) and Path(f"/proc/{found[0]}/root/run/berth-ready").exists()

        until(there, seconds=5)
        mark = Mark.of(found[0]) if found else None
        if mark is None:
            raise Problem(f"The namespaces of {place} could not be made.", hint=f"See {self.folder / place}/node.log.")
        return mark

    def marks(self, place: str = "*") -> Iterator[Mark]:
        for path in sorted(self.folder.glob(f"{place}/*.mark")):
            if mark := Mark.load(path):
                yield mark

    def kill(self, place: str, name: str) -> None:
        """End one program as kill -9 does, and what was started for it."""
        if mark := self.mark(place, name):
            for pid in [*_below(mark.pid), mark.pid]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            mark.wait(seconds=10)

    def kill_all(self, place: str = "*") -> None:
        """End everything at once. A node's first process takes all of its containers with it."""
        marks = list(self.marks(place))
        for mark in marks:
            for pid in _below(mark.pid):
                if inner := Mark.of(pid):
                    marks.append(inner)
        for mark in marks:
            mark.send(signal.SIGKILL)
        for mark in marks:
            mark.wait(seconds=20)

    def sweep(self) -> None:
        """End what was started in this folder though nobody has its mark any more."""
        own = f"{self.folder}/"
        for pid in every_pid():
            with suppress(OSError):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
                if any(own in word for word in words[1:]) and (mark := Mark.of(pid)) and pid != os.getpid():
                    mark.kill()


def _below(pid: int) -> list[int]:
    """What a starter has started: only for those that stay outside of the namespaces."""
    with suppress(OSError):
        if Path(f"/proc/{pid}/comm").read_text().strip() in STARTERS:
            return children(pid)
    return []
