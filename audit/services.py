"""record() and record_all() are the only writers of the audit."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import Model

from audit.chain import digest
from audit.models import PLATFORM_CHAIN, AuditEntry, ChainHead
from core.access import Actor, places_of
from core.clock import database_now

ACTIONS: set[str] = set()
LONGEST_TEXT = 2000


def register_action(action: str) -> str:
    """Every action has its name here before anything can be written under it."""
    ACTIONS.add(action)
    return action


@dataclass
class Line:
    """What an entry will say; filled in while the command runs."""

    action: str
    tenant_id: uuid.UUID | None = None
    project_id: uuid.UUID | None = None
    target_kind: str = "platform"
    target_id: str = ""
    target_name: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    before: Any = None
    after: Any = None
    operation_id: uuid.UUID | None = None

    def name_target(self, target: Model | None) -> None:
        if target is None:
            return
        self.tenant_id, self.project_id = places_of(target)
        self.target_kind = str(target._meta.model_name)
        self.target_id = str(getattr(target, "id", target.pk))  # the id we show: a token's key is its digest
        self.target_name = str(target)[:200]


def plain(value: Any) -> Any:
    """JSON-safe, secrets masked, texts shortened, so that an entry is small whatever was sent."""
    if isinstance(value, Mapping):
        return {str(key)[:200]: plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(inner) for inner in value]
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")[:LONGEST_TEXT]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, Model):
        return str(value.pk)
    return json.loads(json.dumps(value, cls=DjangoJSONEncoder, default=str))


def record(actor: Actor, line: Line, *, result: str) -> AuditEntry:
    """Append one entry to its chain, in the caller's transaction; call it last, since it locks the chain's head."""
    return record_all(actor, [line], result=result)[0]


def record_all(actor: Actor, lines: Sequence[Line], *, result: str) -> list[AuditEntry]:
    """As `record`, of many in their order: by a few statements, with the heads locked in the order of their names."""
    for line in lines:
        if line.action not in ACTIONS:
            raise ValueError(f"audit action {line.action} is not registered")
    with transaction.atomic():
        heads = _locked_heads({_chain(line) for line in lines})
        now = database_now()
        entries = [_appended(heads[_chain(line)], actor, line, result=result, at=now) for line in lines]
        AuditEntry.objects.bulk_create(entries)
        ChainHead.objects.bulk_create(
            heads.values(), update_conflicts=True, unique_fields=["chain"], update_fields=["seq", "hash"]
        )
    return entries


def _chain(line: Line) -> str:
    return f"tenant:{line.tenant_id}" if line.tenant_id else PLATFORM_CHAIN


def _locked_heads(chains: set[str]) -> dict[str, ChainHead]:
    """The heads of these chains, new ones made, nobody else's until the transaction has ended."""
    known = ChainHead.objects.filter(chain__in=chains)
    new = sorted(chains - set(known.values_list("chain", flat=True)))
    ChainHead.objects.bulk_create([ChainHead(chain=chain) for chain in new], ignore_conflicts=True)
    return {head.chain: head for head in known.select_for_update().order_by("chain")}


def _appended(head: ChainHead, actor: Actor, line: Line, *, result: str, at: datetime) -> AuditEntry:
    """The next entry after `head`, which is itself from then on."""
    entry = AuditEntry(
        chain=head.chain,
        seq=head.seq + 1,
        at=at,
        tenant_id=line.tenant_id,
        project_id=line.project_id,
        actor_id=actor.id,
        actor_name=actor.name[:150],
        actor_kind=actor.kind,
        action=line.action,
        target_kind=line.target_kind,
        target_id=line.target_id,
        target_name=line.target_name,
        result=result,
        detail=plain(line.detail),
        before=plain(line.before),
        after=plain(line.after),
        address=actor.address[:64],
        client=actor.client[:200],
        request_id=actor.request_id[:64],
        operation_id=line.operation_id,
        previous_hash=head.hash,
    )
    entry.hash = digest(entry)
    head.seq, head.hash = entry.seq, entry.hash
    return entry
