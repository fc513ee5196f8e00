"""What was found in layers, remembered by the digests of all layers so far: many images stand on the same ones."""

import hashlib
import json
import zlib
from datetime import timedelta
from itertools import accumulate
from typing import Any

from django.db.models import Sum
from django.db.models.functions import Now

from core.clock import from_now
from images.scanning.fetching import Piece
from images.scanning.models import LookedLayer
from images.scanning.problems import ScanProblem

READER = "1"  # another number: what readers of older code found is not believed any more
KEPT = timedelta(days=14)  # without being used
MOST_BYTES = 2 * 2**30  # all together
LARGEST = 64 * 2**20


def chains(pieces: tuple[Piece, ...]) -> list[str]:
    """A name for each layer together with those below it."""
    each = (f"{one.digest} {one.diff_id}" for one in pieces)
    return list(accumulate(each, _next, initial=READER))[1:]


def _next(below: str, layer: str) -> str:
    return hashlib.sha256(f"{below} {layer}".encode()).hexdigest()


def known(pieces: tuple[Piece, ...]) -> tuple[dict[str, Any] | None, int]:
    """What is known of as many layers as possible, from the lowest on, and how many those are."""
    names = chains(pieces)
    there = set(LookedLayer.objects.filter(chain__in=names).values_list("chain", flat=True))
    count = next((at for at in range(len(names), 0, -1) if names[at - 1] in there), 0)
    row = LookedLayer.objects.filter(chain=names[count - 1]).first() if count else None
    if row is None:
        return None, 0
    LookedLayer.objects.filter(pk=row.pk).update(used_at=Now())
    state: dict[str, Any] = json.loads(zlib.decompress(bytes(row.state)))
    return state, count


def remember(pieces: tuple[Piece, ...], count: int, state: dict[str, Any]) -> None:
    """What is known of so many layers."""
    packed = zlib.compress(json.dumps(state, separators=(",", ":")).encode(), 3)
    if len(packed) > LARGEST:
        raise ScanProblem("too_much_said")
    told = {"state": packed, "size_bytes": len(packed), "used_at": Now()}
    LookedLayer.objects.update_or_create(chain=chains(pieces)[count - 1], defaults=told)


def forget_unused() -> None:
    """What nobody asked for in two weeks; and the oldest, where there is too much."""
    LookedLayer.objects.filter(used_at__lt=from_now(-KEPT)).delete()
    held = LookedLayer.objects.aggregate(held=Sum("size_bytes"))["held"] or 0
    for pk, size in LookedLayer.objects.order_by("used_at").values_list("pk", "size_bytes").iterator():
        if held <= MOST_BYTES:
            return
        LookedLayer.objects.filter(pk=pk).delete()
        held -= size
