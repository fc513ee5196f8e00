"""How many streams one person and one tenant may hold open at once, for each kind of stream, in this process."""

import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from django.utils.translation import gettext as _

from core.errors import TooMany

Kind = Literal["log", "download", "console", "metrics", "feed", "upload"]
RETRY_SECONDS = 5


@dataclass(frozen=True)
class Limit:
    person: int
    tenant: int


LIMITS: dict[Kind, Limit] = {
    "log": Limit(person=8, tenant=200),
    "download": Limit(person=8, tenant=40),
    "console": Limit(person=10, tenant=100),
    "metrics": Limit(person=20, tenant=1000),
    "feed": Limit(person=40, tenant=10_000),
    "upload": Limit(person=4, tenant=40),
}

_held: Counter[tuple[Kind, str, uuid.UUID | None]] = Counter()


class Seat:
    """One stream's place. `give_back` may be called more than once."""

    def __init__(self, keys: tuple[tuple[Kind, str, uuid.UUID | None], ...]) -> None:
        self._keys = keys
        _held.update(keys)

    def give_back(self) -> None:
        keys, self._keys = self._keys, ()
        for key in keys:
            _held[key] -= 1
            if _held[key] <= 0:
                del _held[key]


def take(person: uuid.UUID | None, tenant: uuid.UUID | None, *, kind: Kind) -> Seat:
    """A seat until it is given back; without a tenant only the person's limit counts. Raises TooMany."""
    limit = LIMITS[kind]
    if held(person, kind=kind) >= limit.person:
        message = _("You have %(most)s streams open.") % {"most": limit.person}
        raise _full(message, _("Close one, or wait until one has ended."))
    keys: tuple[tuple[Kind, str, uuid.UUID | None], ...] = ((kind, "person", person),)
    if tenant is not None:
        keys += ((kind, "tenant", tenant),)
        if _held[keys[1]] >= limit.tenant:
            message = _("The people of this tenant have %(most)s streams open.") % {"most": limit.tenant}
            raise _full(message, _("Wait until one has ended, or ask others to close theirs."))
    return Seat(keys)


@contextmanager
def taken(person: uuid.UUID | None, tenant: uuid.UUID | None, *, kind: Kind) -> Iterator[None]:
    """`take` for as long as the block runs."""
    seat = take(person, tenant, kind=kind)
    try:
        yield
    finally:
        seat.give_back()


def held(person: uuid.UUID | None, *, kind: Kind) -> int:
    """How many of a kind a person holds in this process."""
    return _held[kind, "person", person]


def open_by_kind() -> dict[str, int]:
    """Streams open in this process."""
    counts = dict.fromkeys(LIMITS, 0)
    for (kind, whose, _id), count in _held.items():
        counts[kind] += count if whose == "person" else 0
    return {str(kind): count for kind, count in counts.items()}


def _full(message: str, hint: str) -> TooMany:
    return TooMany(message, code="too_many_streams", hint=hint, retry_after_seconds=RETRY_SECONDS)
