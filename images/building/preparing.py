"""From what somebody gave to the folder that the builder gets: fetched, gone through by a child, written anew."""

import io
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, Self

from django.conf import settings

from core.errors import PortalError
from images.building import git, room
from images.building.models import Build
from images.building.problems import BuildProblem
from images.building.sources import LIST, OURS
from images.scanning.limits import GIB, MIB, Limits
from images.uploading import room as uploads

CHILD_SECONDS = 240
TEXT = "recipe"


def prepare(build: Build, *, given_up: Callable[[], bool]) -> str:
    """Make the sources; answers the commit where there is one. Errors: BuildProblem."""
    place = room.take(build.pk)
    _check_room(place)
    if build.address:
        archive, commit = place / room.ARCHIVE, ""
        wanted = git.Wanted(build.address, build.revision, build.user, build.secret)
        limits = settings.BUILDS
        try:
            commit = git.fetch(
                wanted, archive, most=limits["unpacked_bytes"], seconds=limits["fetch_seconds"], given_up=given_up
            )
        except PortalError as error:  # the address, as core.foreign judges it now
            raise BuildProblem("git_refused", said=str(error.message)) from error
    else:
        archive, commit = uploads.home(build.upload_id) / uploads.ARCHIVE, ""
        if not archive.exists():
            raise BuildProblem("source_gone")
    with archive.open("rb") as file, (place / room.CONTEXT).open("w+b") as target:
        found = _gone_through(file, target, build.recipe)
    (place / TEXT).write_text(found["recipe"])
    return commit


def _check_room(place: Path) -> None:
    """What comes and what is written anew of it may both be as large as sources may."""
    wanted = 2 * int(settings.BUILDS["unpacked_bytes"]) + int(settings.UPLOADS["spare_bytes"])
    if shutil.disk_usage(place).free < wanted:
        raise BuildProblem("source_no_room")


def recipe_of(build: Build) -> str | None:
    """None: nothing of it is on this disk."""
    file = room.home(build.pk) / TEXT
    return file.read_text() if file.exists() else None


def _gone_through(file: BinaryIO, target: BinaryIO, recipe: str) -> dict[str, Any]:
    most = int(settings.BUILDS["unpacked_bytes"])
    limits = Limits(answer_bytes=most + GIB, memory_bytes=768 * MIB, cpu_seconds=CHILD_SECONDS)
    asked = {"limits": asdict(limits), "bytes": most, "files": settings.BUILDS["files"], "recipe": recipe}
    asked["target"] = target.fileno()
    program = [sys.executable, "-E", "-s", "-B", "-m", "images.building.child", json.dumps(asked)]
    try:
        done = subprocess.run(  # noqa: S603  our own program; what was asked is one JSON word
            program, stdin=file, capture_output=True, timeout=CHILD_SECONDS, check=False, cwd=settings.BASE_DIR,
            env={"LANG": "C.UTF-8"}, pass_fds=(target.fileno(),),
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise BuildProblem("source_broke_off") from error
    if done.returncode != 0:
        raise BuildProblem("source_broke_off")
    said: dict[str, Any] = json.loads(done.stdout)
    if problem := said.get("problem"):
        raise BuildProblem(problem["code"], **problem["params"])
    found: dict[str, Any] = said["found"]
    return found


class Context:
    """The sources with what is ours before them: the recipe as it is to be done, out of reach of what is built."""

    def __init__(self, build: Build, recipe: str) -> None:
        self._head = io.BytesIO(_member(OURS, recipe.encode()) + _member(LIST, f"{OURS}\n{LIST}\n".encode()))
        self._file = (room.home(build.pk) / room.CONTEXT).open("rb")
        self.size = len(self._head.getvalue()) + Path(self._file.name).stat().st_size

    def read(self, size: int = -1) -> bytes:
        return self._head.read(size) or self._file.read(size)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_told: object) -> None:
        self._file.close()


def _member(name: str, data: bytes) -> bytes:
    header = tarfile.TarInfo(name)
    header.size = len(data)
    return header.tobuf(tarfile.PAX_FORMAT) + data + b"\0" * (-len(data) % tarfile.BLOCKSIZE)
