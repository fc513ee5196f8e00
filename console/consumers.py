"""Small live things: what happened to an operation, replayed from the rows and then followed."""

import uuid
from typing import Any
from urllib.parse import parse_qs

from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from core import access
from core.errors import NotFound
from operations.models import Operation, OperationEvent
from tenants.rights import actor_now

NOT_YOURS = 4404
DONE = 1000  # the operation is over: there is nothing to come back for
CAUGHT_UP_AFTER = 500


class OperationFeed(AsyncJsonWebsocketConsumer):  # type: ignore[misc]  # channels is untyped
    """Sends {seq, code, level, step} for every event after `last_seq`; the page then reads what it may read.

    With `instances=1` it also sends {seq} of the last event when an instance of what is changed has changed.
    """

    async def connect(self) -> None:
        self.operation_id = self.scope["url_route"]["kwargs"]["operation_id"]
        self.joined = [f"operation.{self.operation_id}"]
        query = parse_qs(self.scope["query_string"].decode(errors="replace"))
        self.last, self.instances = _number(query.get("last_seq", ["0"])[0]), query.get("instances") == ["1"]
        await self.channel_layer.group_add(self.joined[0], self.channel_name)
        await self.accept()  # a refusal before that tells a browser nothing but to try again
        await self.doorbell()
        if self.instances:
            await self._follow_instances()

    async def _follow_instances(self) -> None:
        kind, _colon, place = (await _target(self.scope["visitor"].actor.id, self.operation_id)).partition(":")
        if kind == "place":
            self.joined.append(f"place.{place}")
            await self.channel_layer.group_add(self.joined[-1], self.channel_name)

    async def doorbell(self, message: Any = None) -> None:
        """Rights are looked at again each time: who lost them is told nothing more."""
        try:
            over, events = await _news(self.scope["visitor"].actor.id, self.operation_id, self.last)
        except NotFound:
            await self.close(code=NOT_YOURS)
            return
        for event in events:
            self.last = event["seq"]
            await self.send_json(event)
        if message is not None and self.instances and not events:
            await self.send_json({"seq": self.last})
        if over:
            await self.close(code=DONE)

    async def disconnect(self, code: int) -> None:
        for group in self.joined:
            await self.channel_layer.group_discard(group, self.channel_name)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


@sync_to_async
def _target(person: uuid.UUID | None, operation_id: Any) -> str:
    """What an operation changes; empty where it is not there for this person any more."""
    rows = access.visible(actor_now(person), Operation.objects.filter(pk=operation_id))
    return rows.values_list("target", flat=True).first() or ""


@sync_to_async
def _news(person: uuid.UUID | None, operation_id: Any, last: int) -> tuple[bool, list[dict[str, Any]]]:
    """Whether the operation is over, and what happened after `last`; read in this order, so that nothing is missed."""
    actor = actor_now(person)
    over = not access.get_visible(actor, Operation.objects.all(), pk=operation_id).active
    rows = access.visible(actor, OperationEvent.objects.filter(operation_id=operation_id, seq__gt=last))
    return over, [dict(row) for row in rows.order_by("seq").values("seq", "code", "level", "step")[:CAUGHT_UP_AFTER]]
