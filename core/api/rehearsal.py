"""`dry_run`: really do it, then take it back before anybody can see it."""

from collections.abc import Callable
from typing import Any

from django.db import transaction

from core.errors import PortalError


def rehearse(act: Callable[[], Any]) -> None:
    """Raises what the real call would raise. A refusal stays in the audit; of a success nothing is left."""
    refused: PortalError | None = None
    with transaction.atomic():
        try:
            act()
        except PortalError as error:
            refused = error  # raised outside, so that the audit entry of the refusal is committed
        else:
            transaction.set_rollback(True)
    if refused is not None:
        raise refused
