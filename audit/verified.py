"""When a chain was last walked, and what came of it. Walking is long, so a page shows this and offers to do it now."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.core.cache import cache

from audit.chain import verify
from core.clock import database_now


@dataclass(frozen=True)
class Checked:
    """The verdict of one walk. `seq` is the last entry it reached; `bad_seq` and `fault` as in `chain.Verdict`."""

    seq: int
    at: datetime
    person: str
    bad_seq: int | None
    fault: str

    @property
    def holds(self) -> bool:
        return self.bad_seq is None


def verify_now(chain: str, *, person: str) -> Checked:
    """Walk the whole chain and remember when, by whom and with what result."""
    found = verify(chain)
    checked = Checked(found.entries, database_now(), person, found.bad_seq, found.fault)
    cache.set(_key(chain), asdict(checked), timeout=None)
    return checked


def last_checked(chain: str) -> Checked | None:
    """The last walk that is remembered; None after a restart of a portal that keeps its cache in memory."""
    kept: dict[str, Any] | None = cache.get(_key(chain))
    return Checked(**kept) if kept else None


def _key(chain: str) -> str:
    return f"audit.checked.{chain}"
