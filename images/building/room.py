"""Where the sources of a build lie while it is at work: beside the uploads, in a folder of its own."""

import shutil
import uuid
from pathlib import Path

from images.building.models import Build
from images.uploading import room

SUFFIX = ".build"
ARCHIVE, CONTEXT = "archive", "context"


def home(build_id: object) -> Path:
    return room.folder() / f"{build_id}{SUFFIX}"


def take(build_id: object) -> Path:
    """Its folder, empty."""
    give_back(build_id)
    place = home(build_id)
    place.mkdir(parents=True, mode=0o700)
    return place


def give_back(build_id: object) -> None:
    shutil.rmtree(home(build_id), ignore_errors=True)


def forget_orphans() -> None:
    """What a crash left of builds that have ended."""
    for folder in room.folder().glob(f"*{SUFFIX}"):
        try:
            key = uuid.UUID(folder.name.removesuffix(SUFFIX))
        except ValueError:
            continue
        if not Build.objects.filter(pk=key, state__in=Build.OPEN).exists():
            shutil.rmtree(folder, ignore_errors=True)
