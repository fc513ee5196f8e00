"""Where the bytes of uploads lie, and how much room they may take: of a tenant, and of the disk.

Every web process and every worker sees the same folder (`UPLOADS_FOLDER`); what is in it is known by the rows alone.
"""

import ctypes
import errno
import os
import shutil
import uuid
from pathlib import Path

from django.conf import settings
from django.db.models import Sum
from django.utils.translation import gettext as _

from core.errors import Conflict, NoSpace
from images.uploading.models import Upload
from tenants.models import Tenant

KEEP_SIZE = 1  # of fallocate(2): the room is ours, the file grows as it is written
UNABLE = (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)
ARCHIVE, UNPACKED, ANSWER, COMPLAINTS, LOCK = "archive", "unpacked", "answer", "complaints", "lock"
SUFFIX = ".upload"


def folder() -> Path:
    return Path(settings.UPLOADS["folder"])


def home(upload_id: object) -> Path:
    """The folder of one upload; there may be none."""
    return folder() / f"{upload_id}{SUFFIX}"


def left(tenant: Tenant) -> int:
    """Bytes that open uploads of a tenant leave of its room."""
    held = Upload.objects.filter(tenant=tenant, state__in=Upload.OPEN).aggregate(held=Sum("reserved_bytes"))["held"]
    return int(settings.UPLOADS["tenant_bytes"]) - int(held or 0)


def check_left(tenant: Tenant, wanted: int) -> None:
    """In the transaction that reserves it: nobody else of the tenant reserves meanwhile."""
    Tenant.objects.select_for_update().get(pk=tenant.pk)
    if wanted > left(tenant):
        raise Conflict(
            _("The uploads of this tenant take all the room they may."),
            code="uploads_full",
            hint=_("Wait until one has ended, or discard one that nobody finishes."),
            extra={"left_bytes": max(0, left(tenant))},
        )


def take(upload: Upload) -> None:
    """Make its folder and take its room on the disk for real. Raises NoSpace, with nothing left behind."""
    place = home(upload.pk)
    place.mkdir(parents=True, mode=0o700)
    try:
        with (place / ARCHIVE).open("wb") as file:
            hold(file.fileno(), upload.size_bytes)
    except OSError as error:
        give_back(upload.pk)
        raise full() if error.errno in (errno.ENOSPC, errno.EDQUOT) else error from None
    except NoSpace:
        give_back(upload.pk)
        raise


def hold(file: int, size: int) -> None:
    """Room for so many bytes, which nobody else can take; where a file system cannot do that, as far as one can see."""
    free = os.fstatvfs(file)
    if free.f_bavail * free.f_frsize - size < settings.UPLOADS["spare_bytes"]:
        raise full()
    library = ctypes.CDLL(None, use_errno=True)
    library.fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    if library.fallocate(file, KEEP_SIZE, 0, max(1, size)) and (code := ctypes.get_errno()) not in UNABLE:
        raise OSError(code, os.strerror(code))


def full() -> NoSpace:
    return NoSpace(
        _("There is no room for this upload on the disk of Berth."),
        hint=_("Nothing was kept. An operator has to make room; then try again."),
    )


def give_back(upload_id: object) -> None:
    shutil.rmtree(home(upload_id), ignore_errors=True)


def orphans() -> list[Path]:
    """Folders of uploads that have ended or of which nobody knows; what a crash left behind."""
    there = {path.name.removesuffix(SUFFIX): path for path in folder().glob(f"*{SUFFIX}")} if folder().is_dir() else {}
    names = [uuid.UUID(name) for name in there if _is_id(name)]
    known = {
        str(key) for key in Upload.objects.filter(pk__in=names, state__in=Upload.OPEN).values_list("pk", flat=True)
    }
    return [path for name, path in there.items() if name not in known]


def _is_id(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
