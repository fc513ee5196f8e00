"""One operation opened beside the list: its steps, its last events, its neighbours there, and its audit entry."""

import uuid
from dataclasses import dataclass
from functools import cached_property

from django.db.models import QuerySet

from apps.selectors.audit_list import chain_of
from apps.selectors.history import Done, done, last_events
from apps.selectors.progress import Progress
from apps.selectors.steps import Happened
from apps.selectors.topology import MOST_CELLS
from audit.models import AuditEntry
from core.access import Actor, visible
from core.status import Kind
from operations.models import Operation

MOST_EVENTS = 8


@dataclass(frozen=True)
class OperationSheet:
    """`progress` None: an operation that is no deployment. `earlier` and `later` are keys of its neighbours."""

    line: Done
    progress: Progress | None
    entry: AuditEntry | None
    earlier: uuid.UUID | None
    later: uuid.UUID | None

    @property
    def count(self) -> int:
        return len(self.progress.steps) if self.progress else 0

    @property
    def done(self) -> int:
        return sum(step.status.kind is Kind.OK for step in self.progress.steps) if self.progress else 0

    @cached_property
    def story(self) -> list[Happened]:
        return self.progress.story[:MOST_EVENTS] if self.progress else []

    @property
    def many(self) -> bool:
        """Too many instances to be numbered."""
        return self.progress is not None and any(grid.wanted > MOST_CELLS for grid in self.progress.grids)


def operation_sheet(
    actor: Actor, operation: Operation, beside: QuerySet[Operation], progress: Progress | None
) -> OperationSheet:
    """`beside`: the operations of the list it was opened from, newest first by their key."""
    last = last_events([operation] if operation.active else [])
    return OperationSheet(
        done(operation, last.get(operation.pk)),
        progress,
        _entry(actor, operation),
        beside.filter(pk__lt=operation.pk).order_by("-pk").values_list("pk", flat=True).first(),
        beside.filter(pk__gt=operation.pk).order_by("pk").values_list("pk", flat=True).first(),
    )


def _entry(actor: Actor, operation: Operation) -> AuditEntry | None:
    """What the audit says of the request that began it; None for who may not read that."""
    if not operation.request_id or operation.tenant_id is None:
        return None
    entries = AuditEntry.objects.filter(chain=chain_of(operation.tenant_id), request_id=operation.request_id)
    return visible(actor, entries).order_by("seq").first()
