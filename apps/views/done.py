"""What was done with a thing, as one line of its story."""

from typing import Any

from apps.selectors.history import deed_of
from apps.selectors.reasons import failure_sentence
from apps.selectors.state import operation_status
from operations.models import Operation


def told_done(operation: Operation) -> dict[str, Any]:
    """For `story`: the deed and how it ended, who asked for it, and why it failed or why it was asked for."""
    status = operation_status(operation)
    reason = failure_sentence(operation.failure).sentence or str(operation.params.get("reason", ""))
    return {
        "at": operation.created_at,
        "kind": status.glyph,
        "text": f"{deed_of(operation)}: {status.word}",
        "detail": f"{operation.requested_by_name}. {reason}".strip(),
    }
