"""Consoles against `docker exec -it` through a pty on the same engine: keys, opening, and a flood that nobody reads."""

import asyncio
import json
import os
import pty
import select
import signal
import time
import tty
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from websockets.asyncio.client import ClientConnection, connect

from benchmarks.client import Wrong
from benchmarks.deploys import docker, finished, wait_for
from benchmarks.machine import memory_of, processor_seconds
from benchmarks.portal import BASE, Portal
from benchmarks.result import Line, Section, milliseconds, percentile

APP = "bench-console"
KEYS = 200  # of one console
PAUSE_SECONDS = 0.05  # between keys: faster than anybody types
MANY = 50
KEYS_OF_MANY = 20
PAUSE_OF_MANY_SECONDS = 0.5
OPENS = 20
FLOODS = 5
FLOOD_SECONDS = 5.0
ADDED_P50_SECONDS = 0.001
ADDED_P99_SECONDS = 0.010
OPEN_SECONDS = 0.3
FLOOD_BYTES = 1 << 20
PEOPLE = 6  # 50 consoles are those of several people
PATIENCE_SECONDS = 20.0
COMMAND = b"stty raw -echo; echo read''y; exec cat\n"  # the shell's line editing is no part of this


@dataclass
class Echoes:
    """Seconds from a key to its echo, and of the portal's processor meanwhile."""

    seconds: list[float] = field(default_factory=list)
    processor: float = 0.0

    def p(self, share: float) -> float:
        return percentile(self.seconds, share)


def measure(portal: Portal) -> Section:
    deploy(portal)
    tokens, theirs = people(portal), docker_exec(portal)
    theirs_one = by_command(theirs, 1, keys=KEYS, pause=PAUSE_SECONDS)
    ours_one = asyncio.run(by_berth(portal, tokens, 1, keys=KEYS, pause=PAUSE_SECONDS))
    theirs_many = by_command(theirs, MANY, keys=KEYS_OF_MANY, pause=PAUSE_OF_MANY_SECONDS)
    ours_many = asyncio.run(by_berth(portal, tokens, MANY, keys=KEYS_OF_MANY, pause=PAUSE_OF_MANY_SECONDS))
    section = Section(
        "Consoles",
        "The time from a key to its echo by `cat` in the same instance: through `docker exec -it` on a pty, and by "
        f"a console's socket, one after the other on the same engine. {KEYS} keys at one console, {KEYS_OF_MANY} keys "
        f"at each of {MANY} at the same time, with pauses as short as nobody's. Opening is from asking for a ticket "
        f"until the first output, beside `docker exec -it` until the same. Memory is the portal's while {FLOODS} "
        "consoles run `yes` and nobody reads them.",
    )
    section.lines = [
        *added("1 console", ours_one, theirs_one),
        *added(f"{MANY} consoles", ours_many, theirs_many),
        Line(
            f"processor time of the portal for a key, at {MANY} consoles",
            f"{ours_many.processor / len(ours_many.seconds) * 1000:.2f} ms, all else it did meanwhile included",
        ),
        opening(portal, theirs, tokens[0]),
        flood(portal, tokens[0]),
    ]
    return section


def deploy(portal: Portal) -> None:
    """One quiet instance."""
    service = {
        "image": portal.image,
        "command": ["sh", "-c", "exec sleep 100000"],
        "healthcheck": {"disable": True},
    }
    client = portal.client()
    client.post(f"{BASE}/apps", {"name": APP}, wanted=201)
    sent = {"environment": "dev", "spec": {"services": {"web": service}}}
    finished(client, client.post(f"{BASE}/apps/{APP}/deployments", sent, wanted=202).headers["Location"])
    wait_for(lambda: bool(instances(portal)), "the instance to run")


def instances(portal: Portal) -> list[str]:
    rows = portal.client().get(f"{BASE}/apps/{APP}/environments/dev/instances").json()["results"]
    return [row["id"] for row in rows if row["state"] == "running"]


def people(portal: Portal) -> list[str]:
    """Tokens of several people, since one may not have fifty consoles."""
    script = (
        "from tenants.models import *; "
        "places = list(Grant.objects.filter(user__username='owner')); "
        f"made = [User.objects.create_user(f'bench-{{n}}') for n in range({PEOPLE})]; "
        "given = [dict(role=g.role, tenant=g.tenant, project=g.project) for g in places]; "
        "[Grant.objects.create(user=user, **grant) for user in made for grant in given]; "
        "print(*[Token.objects.create(user, name='bench')[1] for user in made])"
    )
    return portal.run("manage", "shell", "--no-imports", "--command", script).split()[-PEOPLE:]


def added(what: str, ours: Echoes, theirs: Echoes) -> Iterator[Line]:
    cause = "browser's side, portal, engine and the other consoles share two cores here"
    for share, budget in ((0.5, ADDED_P50_SECONDS), (0.99, ADDED_P99_SECONDS)):
        mine, other = ours.p(share), theirs.p(share)
        name = f"p{share * 100:.0f}"
        yield Line(
            f"echo at {what}, {name}",
            f"{mine * 1000:.2f} ms (added {(mine - other) * 1000:+.2f} ms, {mine / other:.1f} times)",
            f"{other * 1000:.2f} ms",
            f"added ≤ {budget * 1000:.0f} ms",
            mine - other <= budget,
            cause,
        )


# the engine's own client


def docker_exec(portal: Portal) -> list[str]:
    """The words that open a shell in the newest instance."""
    container = docker(portal, "ps", "--quiet", "--no-trunc", "--filter", "ancestor=berth/hello:1", "--latest").strip()
    return [*portal.docker, "exec", "--interactive", "--tty", container, "sh"]


@contextmanager
def terminal(words: list[str]) -> Iterator[int]:
    """The terminal's end of such a shell."""
    pid, end = pty.fork()
    if pid == 0:
        os.execvp(words[0], words)  # noqa: S606 - the engine's client, on a terminal of its own
    tty.setraw(end)
    try:
        yield end
    finally:
        os.kill(pid, signal.SIGKILL)
        os.close(end)
        os.waitpid(pid, 0)


def read_until(end: int, words: bytes) -> None:
    heard, limit = b"", time.monotonic() + PATIENCE_SECONDS
    while words not in heard:
        if not select.select([end], [], [], max(0.0, limit - time.monotonic()))[0]:
            raise Wrong(f"the shell said {heard[-200:]!r}")
        heard += os.read(end, 65536)


def by_command(words: list[str], count: int, *, keys: int, pause: float) -> Echoes:
    """All in one thread by `poll`, so that the measuring itself costs little."""
    opened = [terminal(words) for _turn in range(count)]
    ends = [one.__enter__() for one in opened]
    try:
        for end in ends:
            read_until(end, b"$ ")
            os.write(end, COMMAND)
            read_until(end, b"ready")
        return type_at(ends, keys=keys, pause=pause)
    finally:
        for one in opened:
            one.__exit__(None, None, None)


def type_at(ends: list[int], *, keys: int, pause: float) -> Echoes:
    """Each end gets a key every `pause` seconds, all of them spread over that time."""
    found, poll = Echoes(), select.poll()
    for end in ends:
        poll.register(end, select.POLLIN)
    began, sent = time.perf_counter(), dict.fromkeys(ends, 0.0)
    due = [(began + (turn + place / len(ends)) * pause, end) for turn in range(keys) for place, end in enumerate(ends)]
    due.reverse()
    while due or any(sent.values()):
        now = time.perf_counter()
        if due and due[-1][0] <= now:
            end = due.pop()[1]
            sent[end] = time.perf_counter()
            os.write(end, b"x")
        left = max(0.0, due[-1][0] - time.perf_counter()) if due else 1.0
        for end, _event in poll.poll(left * 1000):
            os.read(end, 4096)
            if sent[end]:
                found.seconds.append(time.perf_counter() - sent[end])
                sent[end] = 0.0
    return found


# ours


@asynccontextmanager
async def console(portal: Portal, token: str, instance: str) -> AsyncIterator[ClientConnection]:
    """A console's socket after its ticket was taken."""
    found = await asyncio.to_thread(ask, portal, token, instance)
    address = f"ws://127.0.0.1:{portal.port}{found['url']}"
    headers = {"Authorization": f"Bearer {token}"}
    async with connect(address, additional_headers=headers, compression=None, max_size=None) as socket:
        await socket.send(json.dumps({"ticket": found["ticket"], "size": [80, 24]}))
        yield socket
        await asyncio.to_thread(end_console, portal, token, found["id"])


def ask(portal: Portal, token: str, instance: str) -> dict[str, str]:
    client = type(portal.client())(portal.port, token=token)
    path = f"{BASE}/apps/{APP}/environments/dev/consoles"
    found: dict[str, str] = client.post(path, {"instance": instance}, wanted=201).json()
    return found


def end_console(portal: Portal, token: str, console_id: str) -> None:
    client = type(portal.client())(portal.port, token=token)
    client.ask("DELETE", f"{BASE}/apps/{APP}/environments/dev/consoles/{console_id}", wanted=204)


async def next_bytes(socket: ClientConnection) -> bytes:
    """The next output, acknowledged; signs of life are answered."""
    while True:
        message = await socket.recv()
        if isinstance(message, bytes):
            await socket.send(json.dumps({"ack": len(message)}))
            return message
        told = json.loads(message)
        if "ping" in told:
            await socket.send(json.dumps({"pong": told["ping"]}))
        if "ended" in told or "exit" in told:
            raise Wrong(f"the console ended: {message!r}")


async def until(socket: ClientConnection, words: bytes) -> None:
    heard = b""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while words not in heard:
            heard += await next_bytes(socket)


async def by_berth(portal: Portal, tokens: list[str], count: int, *, keys: int, pause: float) -> Echoes:
    instance, found = instances(portal)[0], Echoes()
    everybody_ready = asyncio.Barrier(count)

    async def one(place: int) -> None:
        await asyncio.sleep(place * 0.1)  # opened one after the other: that is not what is measured here
        async with console(portal, tokens[place % len(tokens)], instance) as socket:
            await until(socket, b"$ ")
            await socket.send(COMMAND)
            await until(socket, b"ready")
            await everybody_ready.wait()
            found.processor = found.processor or -processor_seconds(portal.pid)
            await asyncio.sleep(place / count * pause)
            for _turn in range(keys):
                began = time.perf_counter()
                await socket.send(b"x")
                await next_bytes(socket)
                found.seconds.append(time.perf_counter() - began)
                await asyncio.sleep(max(0.0, pause - (time.perf_counter() - began)))
            await everybody_ready.wait()
            found.processor += processor_seconds(portal.pid) if found.processor < 0 else 0.0

    await asyncio.gather(*(one(place) for place in range(count)))
    return found


def opening(portal: Portal, words: list[str], token: str) -> Line:
    theirs, ours = [], []
    for _turn in range(OPENS):
        began = time.perf_counter()
        with terminal(words) as end:
            read_until(end, b"$ ")
            theirs.append(time.perf_counter() - began)
        ours.append(asyncio.run(open_once(portal, token)))
    mine, other = percentile(ours, 0.5), percentile(theirs, 0.5)
    return Line(
        "open until the prompt",
        f"{milliseconds(ours)} (added {(mine - other) * 1000:+.0f} ms)",
        milliseconds(theirs),
        f"≤ {OPEN_SECONDS * 1000:.0f} ms more than beside it",
        mine - other <= OPEN_SECONDS,
        "a ticket, a handshake and three questions to the engine come before it, each in its turn",
    )


async def open_once(portal: Portal, token: str) -> float:
    instance = instances(portal)[0]
    began = time.perf_counter()
    async with console(portal, token, instance) as socket:
        await until(socket, b"$ ")
        return time.perf_counter() - began


def flood(portal: Portal, token: str) -> Line:
    grown, share = asyncio.run(flooded(portal, token))
    return Line(
        f"memory for each of {FLOODS} consoles that run `yes` unread",
        f"{grown / FLOODS / 1024:.0f} KiB, {share:.1%} of a core in all",
        budget=f"≤ {FLOOD_BYTES // 1024} KiB, flat",
        kept=grown / FLOODS <= FLOOD_BYTES,
        cause="something holds more than the credit",
    )


async def flooded(portal: Portal, token: str) -> tuple[int, float]:
    """Growth of memory over the floods, and the share of a core they took."""
    instance = instances(portal)[0]
    async with console(portal, token, instance) as warm:
        await until(warm, b"$ ")
    before = memory_of(portal.pid)
    opened = [console(portal, token, instance) for _turn in range(FLOODS)]
    sockets = [await one.__aenter__() for one in opened]
    for socket in sockets:
        await until(socket, b"$ ")
        await socket.send(b"yes\n")
    began = processor_seconds(portal.pid)
    await asyncio.sleep(FLOOD_SECONDS)
    used = processor_seconds(portal.pid) - began
    grown = memory_of(portal.pid) - before
    for one in opened:
        await one.__aexit__(None, None, None)
    return max(0, grown), used / FLOOD_SECONDS
