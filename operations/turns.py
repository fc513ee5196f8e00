"""Whose turn it is when a worker is free."""

import random
from typing import Any

from django.db.models import QuerySet

from operations.models import Operation
from operations.registry import long_kinds
from operations.services import claim, claimable


def take_turn(operation_id: Any, *, long: bool = False) -> Operation | None:
    """Claim what is to be gone on with now that a message for this one came; None where nothing waits.

    Each tenant that waits has the same chance, so nobody waits behind the thousands of another. A message is a turn,
    whoever's: where its own operation needs none any more, somebody else's has it. `long`: among those of long steps.
    """
    rows = claimable().filter(kind__in=long_kinds()) if long else claimable().exclude(kind__in=long_kinds())
    waiting = list(rows.order_by().values_list("tenant_id", flat=True).distinct())
    if not waiting:
        return None
    if len(waiting) > 1:
        drawn = random.choice(waiting)  # noqa: S311  not a secret
        if (found := claim(_oldest(rows.filter(tenant_id=drawn)))) is not None:
            return found
    return claim(operation_id) or claim(_oldest(rows))


def _oldest(rows: QuerySet[Operation]) -> Any:
    return rows.order_by("created_at").values_list("pk", flat=True).first()
