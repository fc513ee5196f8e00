"""What whole places used in the last half hour, minute by minute, for sparks: read in bulk, added up over instances."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from django.utils import timezone

from apps import trends
from apps.trends import Trend
from observe.models import UsageChunk
from observe.points import COARSE, GAP, KIBIBYTE, columns

MINUTES = 30
Sums = dict[int, list[int]]  # minute -> what all instances used in it: CPU, memory in KiB, network


@trends.register
def trends_of(places: Collection[UUID]) -> Mapping[UUID, Trend]:
    """One query, however many places and instances."""
    end = int(timezone.now().timestamp()) // COARSE.step * COARSE.step  # the minute under way is not whole
    start = end - MINUTES * COARSE.step
    rows = UsageChunk.objects.filter(series__place__in=places, step=COARSE.step)
    rows = rows.filter(starts__gt=start - COARSE.seconds, starts__lt=end)
    sums: dict[UUID, Sums] = defaultdict(dict)
    for place, starts, packed in rows.values_list("series__place", "starts", "points"):
        _add(sums[place], range(start, end, COARSE.step), starts, columns(bytes(packed)))
    return {place: _trend(by_minute) for place, by_minute in sums.items() if by_minute}


def _add(sums: Sums, minutes: range, starts: int, held: Sequence[Sequence[int]]) -> None:
    """Add one instance's minutes. Its first has no rates yet: nothing to compare with, so it is left out."""
    cpu, _peak, memory, received, sent = held
    for place in range(max(0, (minutes.start - starts) // COARSE.step), len(cpu)):
        minute = starts + place * COARSE.step
        if minute >= minutes.stop:
            return
        if cpu[place] != GAP:
            before = sums.setdefault(minute, [0, 0, 0])
            for what, words in enumerate(((cpu[place],), (memory[place],), (received[place], sent[place]))):
                before[what] += sum(word for word in words if word != GAP)


def _trend(sums: Sums) -> Trend:
    minutes = sorted(sums)
    cpu, memory, network = zip(*(sums[minute] for minute in minutes), strict=True)
    at = datetime.fromtimestamp(minutes[-1] + COARSE.step, tz=UTC)
    return Trend(cpu, tuple(kibibytes * KIBIBYTE for kibibytes in memory), network, at)
