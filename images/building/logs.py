"""What a builder says, kept as it comes: readable while it goes on and afterwards, and only so much of it."""

import re
import time

from django.conf import settings
from django.db.models import F
from django.utils.translation import gettext as _

from images.building.models import Build, BuildLog
from images.building.telling import tell
from operations.models import Operation
from operations.services import fenced

FLUSH_SECONDS = 1.0
_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[^\[]")
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class Log:
    """The writing end, of the one worker that has the build."""

    def __init__(self, operation: Operation, build: Build) -> None:
        self._operation, self._build = operation, build
        self._parts: list[str] = []
        self._at = build.log_bytes
        self._flushed = time.monotonic()

    def say(self, text: str) -> None:
        plain = _UNSEEN.sub("", _CODES.sub("", text).replace("\r\n", "\n").replace("\r", "\n"))
        if plain:
            self._parts.append(plain)

    def flush(self, *, now: bool = False) -> None:
        """Write down what came, if it is time. Raises Fenced where another worker goes on with it."""
        if not now and time.monotonic() - self._flushed < FLUSH_SECONDS:
            return
        self._flushed = time.monotonic()
        text, self._parts = "".join(self._parts), []
        most = int(settings.BUILDS["log_bytes"])
        left = most - self._at
        if text and left > 0:
            if len(text) > left:
                text = text[:left] + "\n" + _("More was said than is kept.") + "\n"
            with fenced(self._operation):
                BuildLog.objects.create(build=self._build, at=self._at, text=text)
                Build.objects.filter(pk=self._build.pk).update(log_bytes=F("log_bytes") + len(text))
                tell(self._build)
            self._at += len(text)


def text_of(build: Build, *, since: int = 0, most: int = 0) -> str:
    """All that is kept from `since` on; with `most` only so much of its end."""
    pieces = [
        one.text[max(0, since - one.at) :] for one in build.pieces.order_by("at") if one.at + len(one.text) > since
    ]
    text = "".join(pieces)
    return text[-most:] if most else text
