"""What apps used of late, for pages below the package that keeps it: `observe` says here where to ask."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class Trend:
    """Of all instances of a place together, a value a minute, oldest first; minutes nobody measured are left out.

    `cpu` in thousandths of a core, `memory` in bytes, `network` in bytes a second, in and out together.
    `at`: when the newest minute ended.
    """

    cpu: tuple[int, ...]
    memory: tuple[int, ...]
    network: tuple[int, ...]
    at: datetime


Source = Callable[[Collection[UUID]], Mapping[UUID, Trend]]
_SOURCES: list[Source] = []


def register(source: Source) -> Source:
    _SOURCES.append(source)
    return source


def trends(places: Collection[UUID]) -> dict[UUID, Trend]:
    """The trend of each place that was measured in the last half hour, by its key; one query."""
    found: dict[UUID, Trend] = {}
    for source in _SOURCES:
        found |= source(places)
    return found
