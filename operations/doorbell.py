"""Tell open sockets that there is something new to read. A lost ring costs nothing: the rows are the truth."""

import asyncio
import logging

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

log = logging.getLogger(__name__)
_loops: list[asyncio.AbstractEventLoop] = []


def serve_from(loop: asyncio.AbstractEventLoop) -> None:
    """In one process with the sockets: ring inside their loop, else an in-memory ring waits for its next tick."""
    _loops[:] = [loop]


def ring_on_commit(group: str) -> None:
    transaction.on_commit(lambda: _ring(group), robust=True)


def _ring(group: str) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    message = {"type": "doorbell"}
    if _loops and _loops[0].is_running():
        asyncio.run_coroutine_threadsafe(layer.group_send(group, message), _loops[0])
    else:
        async_to_sync(layer.group_send)(group, message)
