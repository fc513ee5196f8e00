"""Small live things: what happened to an operation, replayed from the rows and then followed."""

from typing import Any
from urllib.parse import parse_qs

from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from core import access
from core.access import Actor
from core.errors import NotFound
from operations.models import Operation, OperationEvent
from tenants.models import User
from tenants.rights import rights_of

NOT_YOURS = 4404
DONE = 1000  # the operation is over: there is nothing to come back for
CAUGHT_UP_AFTER = 500


class OperationFeed(AsyncJsonWebsocketConsumer):  # type: ignore[misc]  # channels is untyped
    """Sends {seq, code, level, step} for every event after `last_seq`; the page then reads what it may read."""

    async def connect(self) -> None:
        operation_id = self.scope["url_route"]["kwargs"]["operation_id"]
        query = parse_qs(self.scope["query_string"].decode(errors="replace"))
        last = query.get("last_seq", ["0"])[0]
        self.last = int(last) if last.isascii() and last.isdigit() and len(last) < 10 else 0
        user = self.scope.get("user")
        if not isinstance(getattr(user, "_wrapped", user), User) or not await _may_see(user, operation_id):
            await self.accept()  # before that a browser is told nothing but that it failed, and tries again
            await self.close(code=NOT_YOURS)
            return
        self.operation_id, self.group = operation_id, f"operation.{operation_id}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()
        await self.doorbell()

    async def doorbell(self, _message: Any = None) -> None:
        over, events = await _news(self.operation_id, self.last)
        for event in events:
            self.last = event["seq"]
            await self.send_json(event)
        if over:
            await self.close(code=DONE)

    async def disconnect(self, code: int) -> None:
        if hasattr(self, "group"):
            await self.channel_layer.group_discard(self.group, self.channel_name)


@sync_to_async
def _may_see(user: User, operation_id: Any) -> bool:
    actor = Actor(user.pk, user.get_username(), rights_of(user))
    try:
        access.get_visible(actor, Operation.objects.all(), pk=operation_id)
    except NotFound:
        return False
    return True


@sync_to_async
def _news(operation_id: Any, last: int) -> tuple[bool, list[dict[str, Any]]]:
    """Whether the operation is over, and what happened after `last`; read in this order, so that no event is missed."""
    over = not Operation.objects.filter(pk=operation_id, state__in=Operation.ACTIVE).exists()
    rows = OperationEvent.objects.filter(operation_id=operation_id, seq__gt=last).order_by("seq")
    return over, [dict(row) for row in rows.values("seq", "code", "level", "step")[:CAUGHT_UP_AFTER]]
