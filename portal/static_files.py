"""Collecting the static files takes ten seconds of compressing; it is done only when one of them has changed."""

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.management.commands import collectstatic
from django.core.management import call_command

UNUSED = ["rest_framework", "guardian"]  # pages of libraries that Berth does not show


def collect() -> bool:
    """Bring STATIC_ROOT up to date; False where it was."""
    stamp, present = Path(settings.STATIC_ROOT) / ".stamp", _fingerprint()
    if stamp.exists() and stamp.read_text() == present:
        return False
    call_command(collectstatic.Command(), interactive=False, verbosity=0, clear=True, ignore_patterns=UNUSED)
    stamp.write_text(present)
    return True


def _fingerprint() -> str:
    """Path, size and time of every source file."""
    known = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list(UNUSED):
            found = Path(storage.path(path)).stat()
            known.update(f"{path} {found.st_size} {found.st_mtime_ns}\n".encode())
    return known.hexdigest()
