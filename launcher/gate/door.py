"""Every connection to the registry comes through here: one request each, looked at by its head alone."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import resource
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from launcher.gate import berth, bodies, heads
from launcher.gate.berth import Verdict, refusal
from launcher.gate.collecting import Collector
from launcher.gate.heads import Head, Unclear
from launcher.gate.places import Places
from launcher.gate.tunnel import linger, send_all, tunnel

HEAD_SECONDS = 20.0
GOOD_SECONDS = 60.0  # so long a yes counts; the turn of a tag lasts twice as long
MOST_CONNECTIONS = 1000
MOST_QUESTIONS = 16
ACCOUNT = "account:"  # an environment's own, which only pulls
SHOWN = "berth-gate"  # by which Berth says that it asks for itself
CLOSED = "The registry is being tidied up and takes nothing new until that is done. Pulling goes on. Try again later."
AWAY = "The registry does not answer. Try again in a minute."
CODES = {405: "UNSUPPORTED", 413: "MANIFEST_INVALID", 404: "NAME_INVALID", 503: "UNAVAILABLE"}
WORDS = {100: "Continue", 200: "OK", 202: "Accepted", 204: "No Content"}


class Door:
    """What listens where clients and engines look for the registry."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.collector = Collector(places)
        self._open: set[asyncio.Task[None]] = set()
        self._asking = ThreadPoolExecutor(MOST_QUESTIONS, thread_name_prefix="ask")

    async def serve(self) -> None:
        """Until it is told to end."""
        _many_files()
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, ended.set)
        listener = socket.create_server((self.places.host, self.places.port), backlog=512)
        listener.setblocking(False)
        tasks = [asyncio.create_task(self.collector.heed_another()), asyncio.create_task(self._accept(listener))]
        await ended.wait()
        for task in tasks:
            task.cancel()
        listener.close()
        await self.collector.close()

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, _address = await loop.sock_accept(listener)
            except OSError:  # no more files may be open just now; whoever waits is let in a little later
                await asyncio.sleep(0.1)
                continue
            if len(self._open) >= MOST_CONNECTIONS:
                client.close()
                continue
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = asyncio.create_task(self._answer(client))
            self._open.add(task)
            task.add_done_callback(self._open.discard)

    async def _answer(self, client: socket.socket) -> None:
        with contextlib.closing(client), contextlib.suppress(OSError, TimeoutError):
            try:
                async with asyncio.timeout(HEAD_SECONDS):
                    raw, rest = await _until_empty_line(client)
                if raw:
                    await self._serve(client, heads.read(raw), rest)
            except Unclear as unclear:
                await _say(client, unclear.status, refusal(CODES.get(unclear.status, "UNSUPPORTED"), unclear.text))

    async def _serve(self, client: socket.socket, head: Head, rest: bytes) -> None:
        if head.path.startswith("/gate"):
            await self._control(client, head)
            return
        if not head.writes:
            await self._look(client, head, rest)
            return
        if self.collector.closed:
            await _say(client, 403, refusal("DENIED", CLOSED))
            return
        mark = object()
        self.collector.writing.add(mark)
        try:
            await self._write(client, head, rest)
        finally:
            self.collector.writing.discard(mark)

    async def _look(self, client: socket.socket, head: Head, rest: bytes) -> None:
        """A rule may say what an environment's account fetches; of everybody else nothing is asked."""
        kind, name, reference = head.aim
        if kind == "manifest" and berth.subject(head.bearer).startswith(ACCOUNT):
            passed = await self._pass(client, head, {"deed": "pull", "name": name, "reference": reference})
            if passed is None:
                return
            head = passed
        await self._forward(client, head.without(SHOWN), rest)

    async def _write(self, client: socket.socket, head: Head, rest: bytes) -> None:
        kind, name, reference = head.aim
        asked: dict[str, object] = {"name": name, "reference": reference}
        if kind == "manifest" and head.method == "PUT":
            body = await bodies.whole(client, head, rest)
            parts = berth.parts_of(body)
            if parts is None:
                raise Unclear(400, "This is no manifest.")
            said = {"digest": "sha256:" + hashlib.sha256(body).hexdigest(), "size": len(body)} | parts
            passed = await self._pass(client, head.of_length(len(body)), asked | said | {"deed": "tag"})
            rest = body
        elif kind in ("manifest", "blob") and head.method == "DELETE":
            passed = await self._pass(client, head, asked | {"deed": f"delete_{kind}"})
        elif kind == "uploads" and head.method == "POST":
            passed = await self._pass(client, head, asked | {"deed": "upload"})
        elif kind == "upload":
            passed = head
        else:
            raise Unclear(405, "This cannot be done here.")
        if passed is not None:
            await self._forward(client, passed.without(SHOWN), rest)

    async def _pass(self, client: socket.socket, head: Head, question: dict[str, object]) -> Head | None:
        """The head to go on with; None where the answer is given already."""
        if self._is_berth(head):
            return head
        asked = question | {"token": head.bearer}
        loop = asyncio.get_running_loop()
        began = loop.time()
        verdict: Verdict = await loop.run_in_executor(self._asking, berth.ask, self.places, asked)
        if verdict.status == 204 and loop.time() - began > GOOD_SECONDS:
            verdict = Verdict(503, refusal("UNAVAILABLE", berth.AWAY))  # who was asleep so long may be too late
        if verdict.status == 204:
            return head
        if verdict.status == 401:
            return head.without("authorization")
        await _say(client, verdict.status, verdict.body)
        return None

    def _is_berth(self, head: Head) -> bool:
        return hmac.compare_digest(head.get(SHOWN).encode(), self.places.shown.encode())

    async def _forward(self, client: socket.socket, head: Head, rest: bytes) -> None:
        """To the registry and back, as the bytes come."""
        try:
            behind = await self._behind()
        except OSError:
            await _say(client, 503, refusal("UNAVAILABLE", AWAY))
            return
        with contextlib.closing(behind):
            await send_all(behind, head.written() + rest)
            await tunnel(client, behind, bulk_up=head.writes)
        await linger(client)

    async def _behind(self) -> socket.socket:
        loop = asyncio.get_running_loop()
        host, colon, port = self.places.registry.rpartition(":")
        if colon and port.isdigit():
            infos = await loop.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
            family, kind, number, _name, address = infos[0]
            made, where = socket.socket(family, kind, number), address
        else:
            made, where = socket.socket(socket.AF_UNIX), self.places.registry  # type: ignore[assignment]
        made.setblocking(False)
        try:
            async with asyncio.timeout(5):
                await loop.sock_connect(made, where)
        except BaseException:
            made.close()
            raise
        return made

    async def _control(self, client: socket.socket, head: Head) -> None:
        """What Berth asks of the gate itself."""
        if not self._is_berth(head):
            raise Unclear(404, "There is nothing of this name.")
        _empty, _gate, *rest = head.path.split("/")
        if not rest:
            told = {"closed": self.collector.closed, "collects": self.collector.able}
            await _say(client, 200, json.dumps(told).encode())
            return
        name = rest[-1]
        if head.method == "DELETE":
            await self.collector.stop(name)
        report = self.collector.begin(name) if head.method == "POST" else self.collector.report(name)
        if report is None:
            await _say(client, 409 if head.method == "POST" else 404, refusal("UNSUPPORTED", "Not now, or not here."))
        else:
            await _say(client, 200, json.dumps(asdict(report)).encode())


def _many_files() -> None:
    """Each connection is two and a pipe, and the usual limit is made for a person's shell."""
    _soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 6 * MOST_CONNECTIONS
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most))


async def _until_empty_line(client: socket.socket) -> tuple[bytes, bytes]:
    """(head, what came after it); empty where nobody asked anything."""
    loop, found = asyncio.get_running_loop(), b""
    while (at := found.find(b"\r\n\r\n")) < 0:
        some = await loop.sock_recv(client, 16384)
        if not some:
            return b"", b""
        found += some
        if not found[:1].isalpha():  # engines try TLS first, and wait for an answer before they go on without
            raise Unclear(400, "Only HTTP/1.1 is spoken here.")
        if len(found) > heads.LONGEST:
            raise Unclear(431, "The head is too long.")
    return found[:at], found[at + 4 :]


async def _say(client: socket.socket, status: int, body: bytes) -> None:
    """An answer of our own, after which the connection ends."""
    lines = [
        f"HTTP/1.1 {status} {WORDS.get(status, 'Refused')}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Docker-Distribution-Api-Version: registry/2.0",
        "Connection: close",
    ]
    await send_all(client, "\r\n".join([*lines, "", ""]).encode() + body)
    await linger(client)
