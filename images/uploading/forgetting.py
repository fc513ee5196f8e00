"""Uploads that nobody goes on with are thrown away after a day, and nothing stays on the disk of any that has ended."""

import shutil
import time
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction

from core.clock import from_now
from images.uploading import room
from images.uploading.models import Upload
from images.uploading.telling import tell

KEPT = timedelta(days=30)  # of those that have ended, as a list
YOUNG_SECONDS = 3600.0  # a folder may be there a moment before its row


def forget() -> None:
    old = from_now(-timedelta(hours=int(settings.UPLOADS["keep_hours"])))
    waits = (Upload.State.RECEIVING, Upload.State.READY)
    for upload in Upload.objects.filter(state__in=waits, touched_at__lt=old):
        with transaction.atomic():
            rows = Upload.objects.filter(pk=upload.pk, state__in=waits, touched_at__lt=old)
            if rows.update(state=Upload.State.EXPIRED, writer=""):
                tell(upload)
    for folder in room.orphans():
        if time.time() - _changed(folder) > YOUNG_SECONDS or _has_row(folder):
            shutil.rmtree(folder, ignore_errors=True)
    Upload.objects.exclude(state__in=Upload.OPEN).filter(created_at__lt=from_now(-KEPT)).delete()


def _changed(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:
        return time.time()


def _has_row(folder: Path) -> bool:
    return Upload.objects.filter(pk=folder.name.removesuffix(room.SUFFIX)).exists()
