"""What was done: operations and deployments, newest first, with the words for what each of them does."""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from apps.models import Deployment, Environment
from apps.selectors.paging import Page, page_of
from apps.selectors.reasons import Told, failure_sentence
from apps.selectors.state import operation_status
from core.status import Status
from operations import registry
from operations.models import Operation, OperationEvent

State = Operation.State
WHICH: dict[str, Q] = {
    "running": Q(state__in=Operation.ACTIVE),
    "failed": Q(state__in=(State.FAILED, State.ATTENTION)),
}
_DEEDS: dict[str, Promise] = {
    "deploy": gettext_lazy("Deploy release %(release)s"),
    "rollback": gettext_lazy("Roll back to release %(release)s"),
    "scale": gettext_lazy("Scale release %(release)s"),
    "restart": gettext_lazy("Restart release %(release)s"),
    "stop": gettext_lazy("Stop"),
    "start": gettext_lazy("Start release %(release)s"),
    "delete": gettext_lazy("Take out"),
    "repair": gettext_lazy("Repair release %(release)s"),
    "host.cordon": gettext_lazy("Close the host"),
    "host.uncordon": gettext_lazy("Open the host again"),
    "host.drain": gettext_lazy("Empty the host"),
    "images.retain": gettext_lazy("Remove images by the rules"),
    "registry.collect": gettext_lazy("Tidy up the registry"),
    "image.scan": gettext_lazy("Scan the image"),
    "image.upload": gettext_lazy("Put an uploaded image into the registry"),
    "image.build": gettext_lazy("Build an image"),
    "image.copy": gettext_lazy("Copy an image"),
    "replication.run": gettext_lazy("Follow a replication rule"),
    "project.suspend": gettext_lazy("Suspend the project"),
    "project.resume": gettext_lazy("Resume the project"),
    "project.archive": gettext_lazy("Archive the project"),
    "project.restore": gettext_lazy("Restore the project"),
    "project.delete": gettext_lazy("Delete the project"),
}

_TURNS = frozenset({"scan_waits", "build_waits"})  # last events of what has not had its turn yet

_TOLD: dict[str, Promise] = {
    "deploy": gettext_lazy("%(person)s deployed release %(release)s"),
    "rollback": gettext_lazy("%(person)s rolled back to release %(release)s"),
    "scale": gettext_lazy("%(person)s changed the number of instances of release %(release)s"),
    "restart": gettext_lazy("%(person)s restarted release %(release)s"),
    "stop": gettext_lazy("%(person)s stopped it"),
    "start": gettext_lazy("%(person)s started release %(release)s"),
    "delete": gettext_lazy("%(person)s took it out"),
}


@dataclass(frozen=True)
class Done:
    """One operation as a row of a list. `names` are those of its address: tenant, project, app, number."""

    operation: Operation
    title: str
    status: Status
    took: timedelta | None
    told: Told
    step: str
    app: str
    environment: Environment | None
    names: dict[str, Any] | None

    @property
    def active(self) -> bool:
        return bool(self.operation.active)

    @property
    def by_itself(self) -> bool:
        """Nobody asked for it: Berth looks through what was pushed, repairs, keeps alike."""
        return self.operation.requested_by is None


def deed(kind: str, release: int | None) -> str:
    """What an operation of a kind does, e.g. "Deploy release 3"."""
    words = _DEEDS.get(kind.removeprefix("app.").removesuffix(".run"))
    return str(words) % {"release": release if release is not None else "?"} if words else kind


def deed_of(operation: Operation) -> str:
    return deed(str(operation.params.get("kind") or operation.kind), operation.params.get("release"))


def took(operation: Operation) -> timedelta | None:
    """How long it took, or has taken so far; None for what has not begun."""
    begun = operation.started_at or (operation.created_at if operation.ended_at else None)
    if begun is None:
        return None
    return (operation.ended_at or timezone.now()) - begun


def done(operation: Operation, last: OperationEvent | None = None) -> Done:
    deployment: Deployment | None = getattr(operation, "deployment", None)
    status = operation_status(operation)
    if status is Status.DOING and last is not None and last.code in _TURNS:
        status = Status.WAITING
    return Done(
        operation=operation,
        title=deed_of(operation),
        status=status,
        took=took(operation),
        told=failure_sentence(operation.failure),
        step=registry.words(last.code, last.params) if last else "",
        app=deployment.app.name if deployment else operation.target_name,
        environment=deployment.environment if deployment else None,
        names=_names(deployment),
    )


def _names(deployment: Deployment | None) -> dict[str, Any] | None:
    if deployment is None:
        return None
    project = deployment.app.project
    return {
        "tenant": project.tenant.name, "project": project.name,
        "app": deployment.app.name, "number": deployment.number,
    }  # fmt: skip


def with_places(rows: QuerySet[Operation]) -> QuerySet[Operation]:
    return rows.select_related("deployment__environment", "deployment__app__project__tenant")


def narrowed(rows: QuerySet[Operation], *, which: str, person: uuid.UUID | None) -> QuerySet[Operation]:
    """`which`: running, failed or all; `person`: only what they asked for."""
    rows = rows.filter(WHICH[which]) if which in WHICH else rows
    return rows.filter(requested_by=person) if person else rows


def operations_page(rows: QuerySet[Operation], *, cursor: str, size: int = 50) -> tuple[list[Done], Page[Operation]]:
    """A page of operations and the same as lines; of those that run, with their last event. Two queries."""
    page = page_of(with_places(rows), key="id", cursor=cursor, read=uuid.UUID, size=size)
    last = last_events([row for row in page.rows if row.active])
    return [done(row, last.get(row.pk)) for row in page.rows], page


def last_events(operations: list[Operation]) -> dict[uuid.UUID, OperationEvent]:
    """The newest event of each; no query for none."""
    if not operations:
        return {}
    events = OperationEvent.objects.filter(operation__in=operations).order_by("operation", "seq")
    return {event.operation_id: event for event in events}


def active_counts(rows: QuerySet[Operation]) -> tuple[int, int]:
    """How many are being done, and how many have not had their turn yet. One query."""
    newest = OperationEvent.objects.filter(operation=OuterRef("pk")).order_by("-seq").values("code")[:1]
    before_its_turn = Q(state=State.RUNNING, failure__isnull=True, cancel_requested=False, said_last__in=_TURNS)
    found = (
        rows.filter(state__in=Operation.ACTIVE)
        .annotate(said_last=Subquery(newest))
        .aggregate(active=Count("pk"), waiting=Count("pk", filter=before_its_turn))
    )
    return found["active"] - found["waiting"], found["waiting"]


def told_of(deployment: Deployment) -> str:
    """Who did what, as one sentence without its end."""
    release = deployment.release.number if deployment.release else None
    return str(_TOLD[deployment.kind]) % {"person": deployment.created_by_name, "release": release}
