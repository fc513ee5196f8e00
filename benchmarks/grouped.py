"""The usual way, to compare with: `python -m benchmarks.inside benchmarks.grouped PORT`.

A Channels consumer for each viewer, all in one group of the in-memory layer; one message a second to the group.
"""

import asyncio
import contextlib
import sys
import time
from typing import Any

import uvicorn
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer
from channels.routing import ProtocolTypeRouter
from django.conf import settings

settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}  # the portal has none
LAYER = get_channel_layer()
MESSAGE = '{"at":1700000000.0,"samples":[["01a1feca-0f65-749e-b084-9f6819b94a8c",250,67108864,1000,2000]],"away":false}'


class Viewer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels is untyped
    async def connect(self) -> None:
        await LAYER.group_add("numbers", self.channel_name)
        await self.accept()

    async def numbers(self, event: dict[str, Any]) -> None:
        await self.send(text_data=event["text"])

    async def disconnect(self, code: int) -> None:
        await LAYER.group_discard("numbers", self.channel_name)


async def tell() -> None:
    while True:
        await asyncio.sleep(1 - time.time() % 1)
        await LAYER.group_send("numbers", {"type": "numbers", "text": MESSAGE})


async def main(port: int) -> None:
    application = ProtocolTypeRouter({"websocket": Viewer.as_asgi()})
    config = uvicorn.Config(application, port=port, ws="websockets-sansio", lifespan="off", log_level="warning")
    telling = asyncio.create_task(tell())
    with contextlib.suppress(asyncio.CancelledError):
        await uvicorn.Server(config).serve()
    telling.cancel()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
