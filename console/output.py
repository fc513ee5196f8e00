"""What a console has written of late: the last 256 KB, each byte with its place since the beginning."""

from collections import deque

KEPT = 256 * 1024
LONGEST_FRAME = 64 * 1024


class Output:
    """Pieces with absolute positions; the oldest go once more than 256 KB are held."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._pieces: deque[bytes] = deque()
        self.start = self.end = 0

    def add(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self.end += len(piece)
        while self.end - self.start - len(self._pieces[0]) >= self._kept:
            self.start += len(self._pieces.popleft())

    def since(self, position: int, most: int = LONGEST_FRAME) -> bytes:
        """At most so many bytes from `position` on, which must not lie before `start`."""
        if position >= self.end:
            return b""
        last = self._pieces[-1]
        if position == self.end - len(last):  # the usual case: only the newest piece is new
            return last[:most]
        found, at = bytearray(), self.start
        for piece in self._pieces:
            if at + len(piece) > position:
                found += piece[max(0, position - at) : max(0, position - at) + most - len(found)]
                if len(found) >= most:
                    break
            at += len(piece)
        return bytes(found)

    def resumed(self, position: int) -> int:
        """Where to go on for somebody who has all before `position`; what is lost is skipped up to a whole line."""
        if self.start <= position <= self.end:
            return position
        if self.start == 0:
            return 0
        head = self.since(self.start)
        return self.start + head.find(b"\n") + 1
