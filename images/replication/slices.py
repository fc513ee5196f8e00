"""How much of a copy is done before somebody else has a turn, and how fast."""

import time
from dataclasses import dataclass, field

SECONDS = 4.0  # of a worker's time at once
PART = 4 * 1024 * 1024  # of a layer, sent at once
PATIENCE_SECONDS = 2.0  # a part is sent, however small, once it took so long to come
SLOWEST = 1024  # bytes a second; what is slower for a whole turn is told as not answering


@dataclass
class Slice:
    """One turn. `limit`: bytes a second, kept by doing no more than belongs to one turn, and resting after it."""

    limit: int | None = None
    began: float = field(default_factory=time.monotonic)
    sent: int = 0
    steps: int = 0  # a turn gets somewhere, however slow the registries are

    @property
    def over(self) -> bool:
        return self.steps > 0 and (time.monotonic() - self.began > SECONDS or self._left() <= 0)

    @property
    def part(self) -> int:
        return max(1, min(PART, self._left()))

    @property
    def rest(self) -> float:
        """Seconds until the next turn."""
        if not self.limit:
            return 0.0
        return max(0.0, self.sent / self.limit - (time.monotonic() - self.began))

    @property
    def too_slow(self) -> bool:
        took = time.monotonic() - self.began
        return took > SECONDS and self.sent < SLOWEST * took and not self.limit

    def _left(self) -> int:
        return int(self.limit * SECONDS) - self.sent if self.limit else PART
