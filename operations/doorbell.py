"""Tell the processes that hold sockets that there is something new to read. A lost ring costs nothing but time:
the rows are the truth. With Redis a ring reaches every process, without it this one, which is then all there is.
"""

import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.db import transaction

log = logging.getLogger(__name__)
TRY_AGAIN_SECONDS = 2.0

_ears: list[Callable[[str], None]] = []
_silent_until = 0.0


def ring_on_commit(name: str) -> None:
    """Ring the bell of that name once the present transaction is committed; at once where there is none."""
    transaction.on_commit(lambda: ring(name), robust=True)


def ring(name: str) -> None:
    for ear in list(_ears):
        ear(name)
    if settings.REDIS_URL:
        _publish(name)


def listen_here(ear: Callable[[str], None]) -> Callable[[], None]:
    """Hear rings of this very process, in the thread that rings; answers how to stop."""
    _ears.append(ear)
    return lambda: _ears.remove(ear)


def _publish(name: str) -> None:
    """While Redis is away nobody who changes something waits for it again and again."""
    from operations import redis_bell  # only where there is one: its library takes megabytes

    global _silent_until
    if time.monotonic() < _silent_until:
        return
    try:
        redis_bell.publish(name)
    except redis_bell.AWAY as error:
        _silent_until = time.monotonic() + TRY_AGAIN_SECONDS
        log.warning("nobody was told of a change, they will look by themselves: %s", error)
