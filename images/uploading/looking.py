"""Has an archive looked through by a child process that outlives one step, and reads how far it is.

The child holds a lock on a file of the upload's folder for as long as it lives, so that any worker can tell.
"""

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings

from images.scanning.limits import GIB, Limits
from images.uploading import room
from images.uploading.models import Upload

_children: dict[str, subprocess.Popen[bytes]] = {}  # of this process, to be waited for


@dataclass(frozen=True)
class Look:
    """`last`: what the child said last. Neither alive nor with an answer, it came to a bad end."""

    alive: bool
    last: dict[str, Any]

    @property
    def answer(self) -> dict[str, Any] | None:
        return self.last if self.last.keys() & {"plan", "problem"} else None


def limits_for(most: int) -> Limits:
    """`most`: bytes that the archive may be unpacked to."""
    return Limits(answer_bytes=most + GIB, memory_bytes=1024 * 2**20)


def start(upload: Upload, *, most: int) -> None:
    """Begin, unless a child is at it already."""
    home = room.home(upload.pk)
    with _locked(upload) as lock:
        if lock is None:
            return
        asked: dict[str, Any] = {"name": upload.image, "platform": upload.platform, "most": most}
        with (
            (home / room.ARCHIVE).open("rb") as archive,
            (home / room.ANSWER).open("wb") as answer,
            (home / room.COMPLAINTS).open("wb") as complaints,
            (home / room.UNPACKED).open("w+b") as target,
        ):
            asked |= {"limits": asdict(limits_for(most)), "target": target.fileno()}
            program = [sys.executable, "-E", "-s", "-B", "-m", "images.uploading.child", json.dumps(asked)]
            child = subprocess.Popen(  # noqa: S603  our own program; what was asked is one JSON word
                program, stdin=archive, stdout=answer, stderr=complaints, pass_fds=(target.fileno(), lock),
                cwd=settings.BASE_DIR, env={"LANG": "C.UTF-8"},
            )  # fmt: skip
        _children[str(upload.pk)] = child
        os.pwrite(lock, json.dumps([socket.gethostname(), child.pid]).encode().ljust(200), 0)


def look(upload: Upload) -> Look:
    if (child := _children.get(str(upload.pk))) and child.poll() is not None:
        del _children[str(upload.pk)]
    with _locked(upload) as lock:
        alive = lock is None
    return Look(alive, _last_said(upload))


def end(upload: Upload) -> None:
    """End the child, if it lives on this machine; on another it ends with its worker, or by its own limits."""
    with _locked(upload) as lock:
        if lock is not None:
            return
    with contextlib.suppress(OSError, ValueError):
        host, pid = json.loads((room.home(upload.pk) / room.LOCK).read_text())
        if host == socket.gethostname():
            os.kill(int(pid), signal.SIGKILL)
    if child := _children.pop(str(upload.pk), None):
        child.wait()


def said_wrong(upload: Upload) -> str:
    """The last of what a child complained of, for the log."""
    with contextlib.suppress(OSError):
        return (room.home(upload.pk) / room.COMPLAINTS).read_bytes()[-2000:].decode("utf-8", "replace")
    return ""


def _last_said(upload: Upload) -> dict[str, Any]:
    try:
        text = (room.home(upload.pk) / room.ANSWER).read_text()
    except OSError:
        return {}
    for line in reversed(text.splitlines()):
        with contextlib.suppress(ValueError):
            found: dict[str, Any] = json.loads(line)
            return found
    return {}


@contextlib.contextmanager
def _locked(upload: Upload) -> Iterator[int | None]:
    """The lock's file; None while a child holds it."""
    try:
        lock = os.open(room.home(upload.pk) / room.LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except FileNotFoundError:  # nothing of it is there any more
        yield None
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        yield None
        return
    try:
        yield lock
    finally:
        os.close(lock)
