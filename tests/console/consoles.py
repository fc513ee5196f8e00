"""A page's side of a console, in tests: ask for one, show the ticket, type, read."""

import json
from typing import Any

from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import Client
from rest_framework.test import APIClient

from apps.models import AppEnvironment
from portal.routing import sockets
from tenants.models import User

E = "/api/v1/tenants/acme/projects/shop/apps/hello/environments/dev"
ORIGIN = b"http://127.0.0.1"


class Person:
    """Somebody with a browser."""

    def __init__(self, user: User) -> None:
        self.client = Client()
        self.client.force_login(user)

    @property
    def cookie(self) -> bytes:
        return f"berth_session={self.client.cookies['berth_session'].value}".encode()

    def post(self, path: str, document: Any = None) -> Any:
        return self.client.post(path, document or {}, content_type="application/json")

    def ask(self, place: AppEnvironment, *, at: str = E, **more: Any) -> Any:
        """The answer of asking for a console in the first instance."""
        instance = place.observed_instances.order_by("service", "number")[0]
        return self.post(f"{at}/consoles", {"instance": str(instance.pk)} | more)

    def socket(self, url: str, *, origin: bytes = ORIGIN, address: str = "127.0.0.1") -> WebsocketCommunicator:
        headers = [(b"host", b"127.0.0.1"), (b"origin", origin), (b"cookie", self.cookie)]
        communicator = WebsocketCommunicator(sockets, url, headers=headers)
        communicator.scope["client"] = (address, 40000)
        return communicator


class Screen:
    """One socket of a console: what was written, and what was told beside it."""

    def __init__(self, socket: WebsocketCommunicator, *, acks: bool = True) -> None:
        self.socket, self.acks = socket, acks
        self.text = b""
        self.told: list[dict[str, Any]] = []
        self.closed: int | None = None

    async def join(self, ticket: str, **more: Any) -> "Screen":
        assert (await self.socket.connect(timeout=20))[0]
        await self.say(ticket=ticket, **more)
        return self

    async def say(self, **document: Any) -> None:
        await self.socket.send_to(text_data=json.dumps(document))

    async def type(self, data: bytes) -> None:
        await self.socket.send_to(bytes_data=data)

    async def hear(self, seconds: float = 20) -> None:
        """One frame more."""
        message = await self.socket.receive_output(timeout=seconds)
        if message["type"] == "websocket.close":
            self.closed = message["code"]
        elif message.get("bytes") is not None:
            self.text += message["bytes"]
            if self.acks:
                await self.say(ack=len(message["bytes"]))
        else:
            self.told.append(json.loads(message["text"]))

    async def until(self, words: bytes) -> "Screen":
        while words not in self.text:
            assert self.closed is None, (self.closed, self.told, self.text[-300:])
            await self.hear()
        return self

    async def until_told(self, name: str, seconds: float = 20) -> Any:
        while True:
            for told in self.told:
                if name in told:
                    return told[name]
            assert self.closed is None, (self.closed, self.told)
            await self.hear(seconds)

    async def until_closed(self, seconds: float = 20) -> int:
        while self.closed is None:
            await self.hear(seconds)
        return self.closed

    async def leave(self) -> None:
        await self.socket.disconnect()


async def opened(person: Person, place: AppEnvironment, *, acks: bool = True, **more: Any) -> tuple[str, Screen]:
    """(id, screen) of a console that is ready."""
    answer = await sync_to_async(person.ask)(place)
    assert answer.status_code == 201, answer.content
    found = answer.json()
    screen = await Screen(person.socket(found["url"]), acks=acks).join(found["ticket"], **more)
    await screen.until_told("ready")
    return found["id"], screen


async def returned(person: Person, console: str, **more: Any) -> Screen:
    """Back to a console by a new ticket."""
    answer = await sync_to_async(person.post)(f"{E}/consoles/{console}/tickets")
    assert answer.status_code == 201, answer.content
    screen = await Screen(person.socket(answer.json()["url"])).join(answer.json()["ticket"], **more)
    await screen.until_told("ready")
    return screen


__all__ = ["APIClient", "E", "Person", "Screen", "opened", "returned"]
