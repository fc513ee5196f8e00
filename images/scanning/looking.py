"""Has an image looked through by a child process, and says in words where that ended."""

import json
import logging
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from django.conf import settings

from core.errors import Invalid
from images.scanning import words
from images.scanning.limits import Limits

logger = logging.getLogger(__name__)
LAST_WORDS = 2000


class Failed(Invalid):
    """Why it could not be looked through: `problem` as codes, and the same in words."""

    def __init__(self, problem: dict[str, Any]) -> None:
        code, params = problem["code"], problem["params"]
        super().__init__(words.sentence(code, params), hint=words.hint(code), extra={"reason": code})
        self.problem = problem


def look_through(archive: Path, *, name: str = "", platform: str = "", limits: Limits | None = None) -> dict[str, Any]:
    """What is in the image of an archive, as `images.scanning.inventory.Told` says it.

    Raises Failed, in words, where the archive or the limits end it.
    """
    limits = limits or Limits()
    try:
        opened = archive.open("rb")
    except OSError as error:
        raise failed({"code": "archive_not_there", "params": {"name": str(archive)}}) from error
    with opened, tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complaints:
        child = _started(limits, {"piece": False, "name": name, "platform": platform}, opened, said, complaints)
        try:
            code = child.wait(limits.wall_seconds)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            child.kill()
            child.wait()
        return _answer(code, said, complaints, limits)


def look_at_layer(asked: dict[str, Any], pieces: Iterable[bytes], *, limits: Limits) -> dict[str, Any]:
    """What is known with one more layer, whose bytes come in pieces; see `images.scanning.child.one_layer`.

    What is wrong with the pieces is raised by them and ends it. Raises Failed where the child or the limits do.
    """
    head = json.dumps(asked).encode()
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complaints:
        child = _started(limits, {"piece": True}, subprocess.PIPE, said, complaints)
        late = threading.Event()

        def stop() -> None:
            late.set()
            child.kill()

        watch = threading.Timer(limits.wall_seconds, stop)
        watch.start()
        try:
            _feed(child, b"%d\n" % len(head) + head, pieces)
            code = child.wait()
        finally:
            watch.cancel()
            child.kill()
            child.wait()
        return _answer(None if late.is_set() else code, said, complaints, limits)


def _feed(child: subprocess.Popen[bytes], head: bytes, pieces: Iterable[bytes]) -> None:
    """All of it is read to its end, since only there it is known to be what its digest says."""
    stdin = child.stdin
    if stdin is None:
        raise RuntimeError("the child has no input")
    listens = _write(stdin, head)
    for piece in pieces:
        listens = listens and _write(stdin, piece)
        if not listens and child.wait() != 0:  # it broke off: nobody needs the rest
            return
    if listens:
        try:
            stdin.close()
        except BrokenPipeError:
            return


def _write(stdin: IO[bytes], piece: bytes) -> bool:
    """False where the child has read what it wants."""
    try:
        stdin.write(piece)
        stdin.flush()
    except BrokenPipeError:
        return False
    return True


def _started(
    limits: Limits, asked: dict[str, Any], stdin: IO[bytes] | int, said: IO[bytes], complaints: IO[bytes]
) -> subprocess.Popen[bytes]:
    program = [sys.executable, "-E", "-s", "-B", "-m", "images.scanning.child"]
    return subprocess.Popen(  # noqa: S603  our own program; what was asked is one JSON word
        [*program, json.dumps({"limits": asdict(limits), **asked})],
        stdin=stdin,
        stdout=said,
        stderr=complaints,
        cwd=settings.BASE_DIR,
        env={"LANG": "C.UTF-8"},
    )


def _answer(code: int | None, said: IO[bytes], complaints: IO[bytes], limits: Limits) -> dict[str, Any]:
    if code == 0:
        said.seek(0)
        answer: dict[str, Any] = json.load(said)
        if "found" in answer:
            found: dict[str, Any] = answer["found"]
            return found
        raise failed(answer["problem"])
    size = complaints.seek(0, 2)
    complaints.seek(max(0, size - LAST_WORDS))
    logger.error("a scan ended with %s: %s", code, complaints.read().decode("utf-8", "replace"))
    raise failed(_why(code, limits))


def _why(code: int | None, limits: Limits) -> dict[str, Any]:
    if code is None:
        return {"code": "out_of_time", "params": {"most": limits.wall_seconds}}
    if code in {-signal.SIGXCPU, -signal.SIGKILL}:
        return {"code": "out_of_cpu", "params": {"most": limits.cpu_seconds}}
    if code == -signal.SIGXFSZ:
        return {"code": "too_much_said", "params": {}}
    return {"code": "broke_off", "params": {"code": code}}


def failed(problem: dict[str, Any]) -> Failed:
    return Failed(problem)
