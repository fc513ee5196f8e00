"""/ws/v1/operations/<id>: what happened to one operation, replayed from the rows and then followed."""

import asyncio
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async

from console.feed import Outlet, listen_only, number
from console.hub import hub
from console.sockets import Close, Ended, Socket
from core import seats
from core.access import Actor, get_visible, visible
from core.connections import keep_fresh
from operations.changes import News
from operations.models import Operation, OperationEvent

CAUGHT_UP_AFTER = 500


class OperationListener(Outlet):
    """Reads the rows when it hears of its operation; several rings at once are one look."""

    def __init__(self, socket: Socket, operation: Operation, *, last: int, place: str) -> None:
        super().__init__(socket)
        self.operation_id, self.last, self.place = operation.pk, last, place
        self.owner = (operation.tenant_id, operation.project_id)
        self._looking: asyncio.Task[None] | None = None
        self._again = False

    @property
    def keys(self) -> frozenset[UUID | None]:
        return frozenset({self.owner[1] or self.owner[0]})

    def hear(self, news: News) -> None:
        if news.kind in ("operation", "upkeep") and news.id == str(self.operation_id):
            self.look()
        elif news.kind == "place" and news.id == self.place:
            self.put({"seq": self.last})

    def still(self, actor: Actor) -> bool:
        tenant, project = self.owner
        return actor.rights.allows("app.view", tenant=tenant, project=project)

    def look(self) -> None:
        if self._looking is None:
            self._looking = asyncio.ensure_future(self._look())
        else:
            self._again = True

    async def _look(self) -> None:
        try:
            self._again = True
            while self._again:
                self._again = False
                over, events = await _news(self.actor, self.operation_id, self.last)
                for event in events:
                    self.last = event["seq"]
                    await self.socket.send_json(event)
                if over and len(events) < CAUGHT_UP_AFTER:
                    await self.socket.close(Close.DONE)  # there is nothing to come back for
        except Ended:
            return
        finally:
            self._looking = None


async def operation_feed(socket: Socket) -> None:
    """Sends {seq, code, level, step} for every event after `last_seq`; the page then reads what it may read.

    With `instances=1` it also sends {seq} of the last event when an instance of what is changed has changed.
    """
    operation = await _operation(socket.visitor.actor, socket.names["operation_id"])
    kind, _colon, place = operation.target.partition(":")
    followed = place if kind == "place" and socket.query.get("instances") == "1" else ""
    with seats.taken(socket.visitor.actor.id, operation.tenant_id, kind="feed"):
        last = number(socket.query.get("last_seq", ""))
        listener = OperationListener(socket, operation, last=last, place=followed)
        try:
            await hub().join(listener)
            listener.release()
            listener.look()
            await listen_only(socket)
        finally:
            hub().leave(listener)


@sync_to_async
def _operation(actor: Actor, operation_id: UUID) -> Operation:
    keep_fresh()
    return get_visible(actor, Operation.objects.all(), pk=operation_id)


@sync_to_async
def _news(actor: Actor, operation_id: UUID, last: int) -> tuple[bool, list[dict[str, Any]]]:
    """Whether the operation is over, and what happened after `last`; read in this order, so that nothing is missed."""
    keep_fresh()
    over = not get_visible(actor, Operation.objects.all(), pk=operation_id).active
    rows = visible(actor, OperationEvent.objects.filter(operation_id=operation_id, seq__gt=last))
    columns = rows.order_by("seq").values("seq", "code", "level", "step")
    return over, [dict(row) for row in columns[:CAUGHT_UP_AFTER]]
