"""Whose turn it is when a worker is free."""

import random
from typing import Any

from django.db.models import QuerySet

from operations.models import Operation
from operations.services import claim, claimable


def take_turn(operation_id: Any) -> Operation | None:
    """Claim what is to be gone on with now that a message for this one came; None where nothing waits.

    Each tenant that waits has the same chance, so nobody waits behind the thousands of another. A message is a turn,
    whoever's: where its own operation needs none any more, somebody else's has it.
    """
    waiting = list(claimable().order_by().values_list("tenant_id", flat=True).distinct())
    if not waiting:
        return None
    if len(waiting) > 1:
        drawn = random.choice(waiting)  # noqa: S311  not a secret
        if (found := claim(_oldest(claimable().filter(tenant_id=drawn)))) is not None:
            return found
    return claim(operation_id) or claim(_oldest(claimable()))


def _oldest(rows: QuerySet[Operation]) -> Any:
    return rows.order_by("created_at").values_list("pk", flat=True).first()
