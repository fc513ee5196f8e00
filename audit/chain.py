"""The bytes an entry's hash stands for, and the walk that finds the first entry that does not fit."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from audit.models import AuditEntry, ChainHead

START = "0" * 64
HASHED = [
    "format_version",
    "chain",
    "seq",
    "id",
    "at",
    "tenant_id",
    "project_id",
    "actor_id",
    "actor_name",
    "actor_kind",
    "action",
    "target_kind",
    "target_id",
    "target_name",
    "result",
    "detail",
    "before",
    "after",
    "address",
    "client",
    "request_id",
    "operation_id",
    "previous_hash",
]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return value if value is None or isinstance(value, (int, str, dict, list)) else str(value)


def digest(entry: AuditEntry) -> str:
    """SHA-256 over the canonical JSON of every column but the hash itself; format 1."""
    document = {name: _plain(getattr(entry, name)) for name in HASHED}
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Verdict:
    """`bad_seq`: the first entry that is wrong or missing; None where the whole chain holds."""

    chain: str
    entries: int
    bad_seq: int | None = None
    fault: str = ""  # changed | missing | head

    @property
    def holds(self) -> bool:
        return self.bad_seq is None


def verify(chain: str) -> Verdict:
    """Walk one chain from its first entry. Reads in pieces; memory does not grow with the chain."""
    entries: Iterable[AuditEntry] = AuditEntry.objects.filter(chain=chain).order_by("seq").iterator(chunk_size=500)
    seq, previous = 0, START
    for entry in entries:
        seq += 1
        if entry.seq != seq:
            return Verdict(chain, seq - 1, bad_seq=seq, fault="missing")
        if entry.previous_hash != previous or digest(entry) != entry.hash:
            return Verdict(chain, seq, bad_seq=seq, fault="changed")
        previous = entry.hash
    head = ChainHead.objects.filter(chain=chain).first()
    if (head.seq, head.hash) != (seq, previous) if head else seq > 0:
        return Verdict(chain, seq, bad_seq=seq + 1, fault="missing" if head and head.seq > seq else "head")
    return Verdict(chain, seq)


def chains() -> list[str]:
    known = set(ChainHead.objects.values_list("chain", flat=True))
    return sorted(known | set(AuditEntry.objects.order_by().values_list("chain", flat=True).distinct()))
