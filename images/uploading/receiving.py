"""The bytes of an upload, written where they belong while they come; nothing of them is kept in memory.

A connection may be cut and a process killed at any time: what was noted down counts, and the sender goes on from there.
"""

import os
import time
import uuid
from collections.abc import Callable
from io import FileIO

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from core import access
from core.access import Actor
from core.api.inlet import Cut
from core.connections import let_go
from core.errors import Conflict, Invalid, TooLarge
from images.scanning.problems import ScanProblem
from images.uploading import room, words
from images.uploading.models import Upload
from images.uploading.services import finish_upload
from images.uploading.telling import tell
from images.uploading.walking import Walk

NOTED_SECONDS = 2.0  # at most so much has to be sent again after a kill
TOLD_SECONDS = 10.0  # between two words to pages
PATCH_SECONDS = 4 * 3600.0

Read = Callable[[], bytes]  # the next piece, empty at the end


def receive(actor: Actor, upload: Upload, *, at: int, read: Read) -> Upload:
    """Take what comes from `at` on. When all of it is here its operation begins."""
    access.check(actor, "image.push", upload)
    access.check_open(upload)
    writer = _take_turn(upload, at)
    try:
        received = _Writing(upload, at, writer).all_of(read)
    except ScanProblem as problem:
        raise _refuse(upload, problem) from None
    upload.refresh_from_db()
    if upload.writer == writer and upload.whole and received:
        _let_turn_go(upload, writer)
        _finish(actor, upload)
        upload.refresh_from_db()
    return upload


def _finish(actor: Actor, upload: Upload) -> None:
    """An image is put into the registry at once; sources wait until somebody says what is to become of them."""
    if upload.purpose == Upload.Purpose.IMAGE:
        finish_upload(actor, upload)
        return
    rows = Upload.objects.filter(pk=upload.pk, state=Upload.State.RECEIVING)
    if rows.update(state=Upload.State.READY, writer=""):
        tell(upload)


def _take_turn(upload: Upload, at: int) -> str:
    """Whoever comes with the right place writes from now on: a sender that was cut off never says so."""
    writer = uuid.uuid4().hex
    rows = Upload.objects.filter(pk=upload.pk, state=Upload.State.RECEIVING)
    if not rows.filter(received_bytes=at).update(writer=writer, touched_at=Now()):
        upload.refresh_from_db()
        if upload.state != Upload.State.RECEIVING:
            raise Conflict(_("This upload has ended already."), code="upload_over")
        raise Conflict(
            _("The next byte is number %(at)s.") % {"at": upload.received_bytes},
            code="upload_offset",
            hint=_("Ask with HEAD how much is here, and go on from there."),
            extra={"received_bytes": upload.received_bytes},
        )
    return writer


def _let_turn_go(upload: Upload, writer: str) -> None:
    _mine(upload, writer).update(writer="")


def _mine(upload: Upload, writer: str) -> QuerySet[Upload]:
    return Upload.objects.filter(pk=upload.pk, writer=writer, state=Upload.State.RECEIVING)


class _Writing:
    """One request that brings bytes."""

    def __init__(self, upload: Upload, at: int, writer: str) -> None:
        self.upload, self.at, self.writer = upload, at, writer
        self.walk = Walk(upload.seen, zipped=upload.purpose == Upload.Purpose.SOURCES)
        self.told = 0.0

    def all_of(self, read: Read) -> bool:
        """False where another request goes on with it, or it was called off."""
        let_go()
        end = time.monotonic() + PATCH_SECONDS
        with (room.home(self.upload.pk) / room.ARCHIVE).open("r+b", buffering=0) as file:
            noted = time.monotonic()
            try:
                while (piece := read()) and time.monotonic() < end:
                    self._write(file, piece)
                    if time.monotonic() - noted > NOTED_SECONDS:
                        if not self._note(file):
                            return False
                        let_go()
                        noted = time.monotonic()
            except Cut:
                self._note(file)
                return False
            return self._note(file)

    def _write(self, file: FileIO, piece: bytes) -> None:
        if self.at + len(piece) > self.upload.size_bytes:
            raise TooLarge(
                _("More comes than the %(size)s bytes that were announced.") % {"size": self.upload.size_bytes},
                hint=_("Discard this upload and begin anew with the right size."),
            )
        rest = memoryview(piece)
        while rest:
            written = os.pwrite(file.fileno(), rest, self.at)
            self.at += written
            rest = rest[written:]

    def _note(self, file: FileIO) -> bool:
        """Look at the headers that came, and write down how far it is."""
        self.walk.on(file, self.at)
        if self.at == self.upload.size_bytes:
            self.walk.finish(self.at)
        with transaction.atomic():
            if not _mine(self.upload, self.writer).update(
                received_bytes=self.at, seen=self.walk.state, touched_at=Now()
            ):
                return False
            if time.monotonic() - self.told > TOLD_SECONDS:
                self.told = time.monotonic()
                tell(self.upload)
        return True


def _refuse(upload: Upload, problem: ScanProblem) -> Invalid:
    """No more of it is taken, and its room is free at once."""
    failure = {"code": problem.code, "params": problem.params}
    with transaction.atomic():
        rows = Upload.objects.filter(pk=upload.pk, state=Upload.State.RECEIVING)
        if rows.update(state=Upload.State.FAILED, failure=failure, writer=""):
            tell(upload)
    room.give_back(upload.pk)
    return Invalid(
        words.sentence(problem.code, problem.params),
        code="archive_refused",
        hint=words.hint(problem.code) if upload.purpose == Upload.Purpose.IMAGE else _("Pack the sources anew."),
        extra={"reason": problem.code},
    )
