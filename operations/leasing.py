"""Keeping a lease while a step takes long, as with a slow engine: a worker that lives is not taken for dead."""

import contextlib
import logging
import threading
from collections.abc import Iterator

from django.db import DatabaseError, connection

from core.clock import from_now
from operations import services
from operations.models import Operation
from operations.registry import long_kinds

log = logging.getLogger(__name__)
RENEW_SECONDS = 15.0
MOST_RENEWALS = 20  # a step that hangs for good loses its lease in the end
MOST_RENEWALS_OF_LONG = 80


@contextlib.contextmanager
def lease_kept(operation: Operation) -> Iterator[None]:
    """Renew the lease from a thread beside until the block ends; a worker that was fenced renews nothing."""
    ended = threading.Event()
    thread = threading.Thread(target=_renew, args=(operation, ended), name="berth-lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(timeout=RENEW_SECONDS)


def renew(operation: Operation) -> bool:
    """Prolong a lease that is held; False once it was given back or taken over."""
    held = Operation.objects.filter(pk=operation.pk, fence=operation.fence, state=Operation.State.RUNNING)
    return bool(held.filter(lease_until__isnull=False).update(lease_until=from_now(services.LEASE)))


def _renew(operation: Operation, ended: threading.Event) -> None:
    for _renewal in range(MOST_RENEWALS_OF_LONG if operation.kind in long_kinds() else MOST_RENEWALS):
        if ended.wait(RENEW_SECONDS):
            return
        try:
            if not renew(operation):
                return
        except DatabaseError:
            log.warning("the lease of operation %s could not be renewed just now", operation.pk)
        finally:
            connection.close()
