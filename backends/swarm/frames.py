"""The engine's framing of output: eight bytes of head (kind, length), then the bytes. Pure."""

from struct import Struct

_HEAD = Struct(">BxxxI")
HEAD_BYTES = _HEAD.size
NAMES = {1: "stdout", 2: "stderr"}


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
