"""Time stamps before the lines of logs, RFC 3339 with nanoseconds, as engines write them. Pure."""

import re
from datetime import datetime

_DIGITS = re.compile(r"\.(\d+)")
_NANO = 1_000_000_000
_STAMP_BYTES = len(b"2024-01-02T03:04:05.123456789Z")
_FRACTION = slice(20, 29)


class Clock:
    """Reads the engine's time stamps; most lines of a log share the second, which is worked out once."""

    def __init__(self) -> None:
        self._second = b""
        self._base = 0

    def nanoseconds(self, line: bytes) -> tuple[int, int]:
        """Of a line that starts with a stamp: nanoseconds since 1970 UTC, and where the text begins."""
        if line[_STAMP_BYTES - 1 : _STAMP_BYTES + 1] != b"Z ":
            return _uncommon(line)
        if line[:19] != self._second:
            base, start = _uncommon(line)
            if not start:
                return 0, 0
            self._second, self._base = line[:19], base // _NANO * _NANO
        return self._base + int(line[_FRACTION]), _STAMP_BYTES + 1


def _uncommon(line: bytes) -> tuple[int, int]:
    """Any stamp, also with an offset or fewer digits; of a line without one (0, 0)."""
    stamp, blank, _ = line.partition(b" ")
    try:
        text = stamp.decode("ascii")
        second = datetime.fromisoformat(text)
    except ValueError:
        return 0, 0
    if not blank or second.tzinfo is None:
        return 0, 0
    digits = _DIGITS.search(text)
    nanos = int(digits[1].ljust(9, "0")[:9]) if digits else 0
    return int(second.timestamp()) * _NANO + nanos, len(stamp) + 1
