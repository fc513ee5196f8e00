"""The engine's framing of output: eight bytes of head (kind, length), then the bytes. Pure."""

import re
from calendar import timegm
from datetime import datetime
from struct import Struct

_HEAD = Struct(">BxxxI")
HEAD_BYTES = _HEAD.size
NAMES = {1: "stdout", 2: "stderr"}
_STAMP = re.compile(rb"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)")
_STAMP_BYTES = len(b"2024-01-02T03:04:05.123456789Z")
_FRACTION = slice(20, 29)


class Splitter:
    """Cuts pieces of a stream into frames; what is incomplete waits for the next piece."""

    def __init__(self) -> None:
        self._rest = b""

    def frames(self, piece: bytes) -> list[tuple[int, bytes]]:
        data = self._rest + piece if self._rest else piece
        found: list[tuple[int, bytes]] = []
        place, end = 0, len(data)
        while end - place >= HEAD_BYTES:
            kind, size = _HEAD.unpack_from(data, place)
            stop = place + HEAD_BYTES + size
            if stop > end:
                break
            found.append((kind, data[place + HEAD_BYTES : stop]))
            place = stop
        self._rest = data[place:]
        return found


class Clock:
    """Reads the engine's time stamps; most lines of a log share the second, which is worked out once."""

    def __init__(self) -> None:
        self._second = b""
        self._base = 0

    def nanoseconds(self, line: bytes) -> tuple[int, int]:
        """Of a line that starts with a stamp: nanoseconds since 1970 UTC, and where the text begins."""
        if line[:19] != self._second:
            self._turn(line)
        if line[_STAMP_BYTES - 1 : _STAMP_BYTES + 1] == b"Z ":
            return self._base + int(line[_FRACTION]), _STAMP_BYTES + 1
        return _uncommon(line)

    def _turn(self, line: bytes) -> None:
        match = _STAMP.match(line)
        if match:
            self._second = line[:19]
            self._base = timegm((*map(int, match.groups()), 0, 0, 0)) * 1_000_000_000


def _uncommon(line: bytes) -> tuple[int, int]:
    """A stamp with an offset or with fewer digits; a line without any is 0."""
    stamp, blank, _ = line.partition(b" ")
    if not blank or not _STAMP.match(stamp):
        return 0, 0
    text = stamp.decode(errors="replace").replace("Z", "+00:00")
    head, dot, tail = text.partition(".")
    digits = len(tail) - len(tail.lstrip("0123456789"))
    try:
        second = datetime.fromisoformat(head + tail[digits:] if dot else text)
    except ValueError:
        return 0, 0
    return int(second.timestamp()) * 1_000_000_000 + int((tail[:digits] or "0").ljust(9, "0")[:9]), len(stamp) + 1
