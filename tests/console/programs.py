"""A program's side of consoles on a real portal: asks by its token, and speaks to the socket as it is on the wire."""

import json
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.e2e.portal import until
from tests.faults.caller import SHOP, Answer, Caller

PATIENCE_SECONDS = 30.0


@dataclass
class Line:
    """One console. Everything heard is kept; `acks` says whether what came is acknowledged."""

    id: str
    socket: ClientConnection
    acks: bool = True
    text: bytes = b""
    told: list[dict[str, Any]] = field(default_factory=list)

    def say(self, **document: Any) -> None:
        self.socket.send(json.dumps(document))

    def type(self, data: bytes) -> None:
        self.socket.send(data)

    def hear(self, seconds: float = PATIENCE_SECONDS) -> None:
        message = self.socket.recv(timeout=seconds)
        if isinstance(message, bytes):
            self.text += message
            if self.acks:
                self.answer(ack=len(message))
            return
        told = json.loads(message)
        if "ping" in told:
            self.answer(pong=told["ping"])
        self.told.append(told)

    def answer(self, **document: Any) -> None:
        """The other side may have closed since: what it said before that is still to be read."""
        with suppress(ConnectionClosed):
            self.say(**document)

    def until(self, words: bytes, seconds: float = PATIENCE_SECONDS) -> "Line":
        end = time.monotonic() + seconds
        while words not in self.text:
            self.hear(end - time.monotonic())
        return self

    def until_pouring(self, size: int = 16 * 1024, seconds: float = PATIENCE_SECONDS) -> None:
        """Whichever of the programs that were started pours first."""
        end = time.monotonic() + seconds
        while len(self.text) < size:
            self.hear(end - time.monotonic())

    def until_told(self, name: str, seconds: float = PATIENCE_SECONDS) -> Any:
        end = time.monotonic() + seconds
        while not any(name in one for one in self.told):
            self.hear(end - time.monotonic())
        return next(one[name] for one in self.told if name in one)

    def until_closed(self, seconds: float = PATIENCE_SECONDS) -> int:
        try:
            while True:
                self.hear(seconds)
        except ConnectionClosed:
            return self.socket.protocol.close_code or 0

    def kill(self) -> None:
        """Gone without a word, as a browser that is killed."""
        self.socket.socket.shutdown(socket.SHUT_RDWR)


@dataclass
class Program:
    caller: Caller
    app: str

    @property
    def place(self) -> str:
        return f"{SHOP}/apps/{self.app}/environments/dev"

    def instance(self, number: int = 1) -> str:
        rows = self.caller.read(f"{self.place}/instances?wanted=true")["results"]
        return next(row["id"] for row in rows if row["number"] == number and row["state"] == "running")

    def open(self, *, acks: bool = True, instance: str = "", **more: Any) -> Line:
        return self.join(self.ask(instance=instance or self.instance(), **more), acks=acks)

    def ask(self, **body: Any) -> dict[str, Any]:
        """A console that waits to be joined. Where all places are taken, because one that is over is still being
        tidied away, it asks again."""
        answers: list[Answer] = []

        def answered() -> bool:
            answers.append(self.caller.post(f"{self.place}/consoles", body))
            return answers[-1].status != 429

        until(answered, seconds=PATIENCE_SECONDS, said=lambda: answers[-1].body[-500:])
        assert answers[-1].status == 201, (answers[-1].status, answers[-1].body[-500:])
        asked: dict[str, Any] = answers[-1].json
        return asked

    def join(self, found: dict[str, Any], *, acks: bool = True) -> Line:
        made = connect(
            self.caller.url.replace("http", "ws", 1) + found["url"],
            additional_headers={"Authorization": f"Bearer {self.caller.token}"},
            compression=None,
            max_size=None,
            legacy=True,
            ping_interval=None,  # an answer would stand behind all that is left unread
        )
        line = Line(found["id"], made, acks=acks)
        line.say(ticket=found["ticket"], size=[80, 24])
        return line

    def end(self, line: Line) -> None:
        assert self.caller.send("DELETE", f"{self.place}/consoles/{line.id}").status == 204
        assert line.until_closed() == 1000
