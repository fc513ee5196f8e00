"""JSON that the panel carries with itself: it comes back from a browser, so it may be anything."""

import json

LARGEST = 512 * 1024


def read_sent(text: str, *, largest: int = LARGEST) -> object:
    """What it says; None for what is too large, nested beyond reason or no JSON at all."""
    if not text or len(text) > largest:
        return None
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found
