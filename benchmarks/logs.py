"""Logs against `docker logs` of the same container: a complete download, past lines as a stream, and following."""

import http.client
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from threading import Thread
from typing import Any

from benchmarks.client import Wrong
from benchmarks.deploys import docker, finished, wait_for
from benchmarks.machine import forget_peak, memory_of, processor_seconds
from benchmarks.portal import BASE, Portal
from benchmarks.result import Line, Section

APP = "bench-log"
TALKER = "bench-follow"
END = b"bench-log-is-complete"
LINE = "2026-01-01T00:00:00Z INFO request id=0123456789abcdef method=GET path=/orders/4711 status=200 took=12ms"
READ = 1 << 20
SHARE = 0.8
FIRST_BYTE_SECONDS = 0.2
FLAT_MIB = 32


@dataclass(frozen=True)
class Read:
    bytes: int
    seconds: float
    first: float
    growth: int  # of the portal's resident memory, at its highest

    @property
    def rate(self) -> float:
        return self.bytes / self.seconds / 2**20


def measure(portal: Portal, *, mebibytes: int) -> Section:
    container = write(portal, mebibytes)
    theirs = by_docker(portal, container)
    ours = by_berth(portal)
    share = ours.rate / theirs.rate
    section = Section(
        "Log download",
        f"One instance wrote {mebibytes} MiB in lines of {len(LINE) + 1} bytes. `docker logs --timestamps` into "
        "nothing, then `GET .../logs/download` of the app over HTTP, read and thrown away. Memory is the portal's "
        "resident set, highest during the download less what it was before.",
    )
    section.lines = [
        Line(
            f"rate ({share:.0%} of docker's)",
            f"{ours.rate:.0f} MiB/s, {ours.bytes / 2**20:.0f} MiB in {ours.seconds:.1f} s",
            f"{theirs.rate:.0f} MiB/s, {theirs.bytes / 2**20:.0f} MiB in {theirs.seconds:.1f} s",
            f"≥ {SHARE:.0%}",
            share >= SHARE,
            "engine, portal and reader share the cores, and every byte passes Python once",
        ),
        Line(
            "first byte",
            f"{ours.first * 1000:.0f} ms",
            f"{theirs.first * 1000:.0f} ms",
            f"≤ {FIRST_BYTE_SECONDS * 1000:.0f} ms",
            ours.first <= FIRST_BYTE_SECONDS,
            "the request waits for a thread and for the engine's first piece",
        ),
        Line(
            "growth of memory",
            f"{ours.growth / 2**20:.1f} MiB",
            budget=f"flat (≤ {FLAT_MIB} MiB)",
            kept=ours.growth <= FLAT_MIB * 2**20,
            cause="something gathers pieces instead of passing them on",
        ),
    ]
    return section


def write(portal: Portal, mebibytes: int) -> str:
    """Deploy an app that writes so much and then waits; gives back its container once all is written."""
    deploy(portal, APP, script_of(mebibytes))
    container = newest(portal)
    wait_for(lambda: END.decode() in docker(portal, "logs", "--tail", "2", container), "the log to be written")
    return container


def script_of(mebibytes: int) -> str:
    return f"yes '{LINE}' | head -c {mebibytes * 2**20}; echo; echo {END.decode()}; exec sleep 100000"


def deploy(portal: Portal, name: str, script: str) -> None:
    """A new app that runs a shell script."""
    command = ["sh", "-c", script.replace("$", "$$")]
    service = {"image": portal.image, "command": command, "healthcheck": {"disable": True}}
    client = portal.client()
    client.post(f"{BASE}/apps", {"name": name}, wanted=201)
    sent = {"environment": "dev", "spec": {"services": {"web": service}}}
    finished(client, client.post(f"{BASE}/apps/{name}/deployments", sent, wanted=202).headers["Location"])


def newest(portal: Portal) -> str:
    """The container that was made last."""
    (container,) = docker(
        portal, "ps", "--quiet", "--no-trunc", "--filter", "ancestor=berth/hello:1", "--latest"
    ).split()
    return container


def by_docker(portal: Portal, container: str) -> Read:
    return timed(their_logs(portal, container))


def by_berth(portal: Portal) -> Read:
    pid = portal.pid
    portal.client().get("/api/v1/me")  # what is imported late is imported now
    before = memory_of(pid)
    forget_peak(pid)
    found = timed(our_logs(portal, f"{APP}/environments/dev/logs/download"))
    return replace(found, growth=max(0, memory_of(pid, "VmHWM") - before))


def timed(asking: AbstractContextManager[Callable[[], bytes]]) -> Read:
    """Everything, from the moment it is asked for."""
    began = time.monotonic()
    with asking as read:
        return taken(read, began)


def taken(read: Callable[[], bytes], began: float, *, until: bytes = b"") -> Read:
    """Everything, or up to a line with `until`."""
    size, first, tail = 0, 0.0, b""
    while piece := read():
        first = first or time.monotonic() - began
        size += len(piece)
        if until and until in tail + piece:
            break
        tail = piece[-len(until) :] if until else b""
    return Read(size, time.monotonic() - began, first, 0)


@contextmanager
def their_logs(portal: Portal, container: str, *words: str) -> Iterator[Callable[[], bytes]]:
    """How to read the next piece of what `docker logs --timestamps` writes."""
    with read_of([*portal.docker, "logs", "--timestamps", *words, container]) as read:
        yield read


@contextmanager
def read_of(command: list[str]) -> Iterator[Callable[[], bytes]]:
    """How to read the next piece of what a command writes."""
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        out: Any = process.stdout
        try:
            yield lambda: bytes(out.read1(READ))
        finally:
            process.kill()


@contextmanager
def our_logs(portal: Portal, address: str) -> Iterator[Callable[[], bytes]]:
    """How to read the next piece of an answer of the API."""
    connection = http.client.HTTPConnection("127.0.0.1", portal.port, timeout=600)
    try:
        connection.request("GET", f"{BASE}/apps/{address}", headers={"Authorization": f"Bearer {portal.token}"})
        response = connection.getresponse()
        if response.status != 200:
            raise Wrong(f"{address} answered {response.status}: {response.read(400)!r}")
        yield lambda: bytes(response.read1(READ))
    finally:
        connection.close()


def measure_streams(portal: Portal, *, mebibytes: int) -> Section:
    """Following while so much is written at full speed, first by docker, then by Berth; then all of it as a stream."""
    write_it = f"yes '{LINE}' | head -c {mebibytes * 2**20}; echo; echo {END.decode()}"
    wait = "until [ -e /tmp/go-{0} ]; do sleep 0.05; done; " + write_it.replace("{", "{{").replace("}", "}}") + "; "
    deploy(portal, TALKER, wait.format(1) + wait.format(2) + "exec sleep 100000")
    container = newest(portal)
    logs = f"{TALKER}/environments/dev/logs"
    with their_logs(portal, container, "--follow", "--tail", "0") as read:
        theirs = followed(portal, container, read, turn=1)
    with our_logs(portal, f"{logs}?follow=true&tail=0") as read:
        ours = followed(portal, container, read, turn=2)
    their_past = timed(their_logs(portal, container))
    our_past = timed(our_logs(portal, f"{logs}?since=2000-01-01T00:00:00Z"))
    section = Section(
        "Log streams",
        f"One instance writes {mebibytes} MiB in lines of {len(LINE) + 1} bytes as fast as it can, while `docker logs "
        "--follow` or `GET .../logs?follow=true` is read; then everything is read as past lines by `docker logs` and "
        "by `GET .../logs`, which unlike the download takes every line apart to merge instances. Idle: eight streams "
        "that follow a silent app.",
    )
    section.lines = [
        compared("following", ours, theirs),
        compared("past lines", our_past, their_past),
        Line(
            "first byte of past lines",
            f"{our_past.first * 1000:.0f} ms",
            f"{their_past.first * 1000:.0f} ms",
            f"≤ {FIRST_BYTE_SECONDS * 1000:.0f} ms",
            our_past.first <= FIRST_BYTE_SECONDS,
            "the request waits for a thread and for the engine's first piece",
        ),
        idle(portal, f"{logs}?follow=true&tail=0"),
    ]
    return section


def followed(portal: Portal, container: str, read: Callable[[], bytes], *, turn: int) -> Read:
    """From the moment the app may write until its last line is read."""
    starter = Thread(target=docker, args=(portal, "exec", container, "touch", f"/tmp/go-{turn}"))  # noqa: S108 -- inside the instance
    starter.start()
    found = taken(read, time.monotonic(), until=END)
    starter.join()
    return found


def compared(what: str, ours: Read, theirs: Read) -> Line:
    share = ours.rate / theirs.rate
    return Line(
        f"{what} ({share:.0%} of docker's)",
        f"{ours.rate:.1f} MiB/s, {ours.bytes / 2**20:.0f} MiB in {ours.seconds:.1f} s",
        f"{theirs.rate:.1f} MiB/s, {theirs.bytes / 2**20:.0f} MiB in {theirs.seconds:.1f} s",
        f"≥ {SHARE:.0%}",
        share >= SHARE,
        "every line is taken apart and put together again by Python, on cores that engine, app and reader share",
    )


def idle(portal: Portal, address: str, *, seconds: float = 10.0, streams: int = 8) -> Line:
    portal_before = processor_seconds(portal.pid)
    time.sleep(seconds)
    alone = processor_seconds(portal.pid) - portal_before
    with ExitStack() as open_ones:
        for _stream in range(streams):
            open_ones.enter_context(opened(portal, address))
        time.sleep(1.0)  # what opening costs is not what idling costs
        before = processor_seconds(portal.pid)
        time.sleep(seconds)
        busy = processor_seconds(portal.pid) - before
    each = max(0.0, busy - alone) / seconds / streams
    return Line("an idle stream", f"{each:.2%} of a core", budget="≤ 1% of a core", kept=each <= 0.01,
                cause="each looks once a second whether there are new instances")  # fmt: skip


@contextmanager
def opened(portal: Portal, address: str) -> Iterator[None]:
    """A request whose answer nobody reads."""
    connection = http.client.HTTPConnection("127.0.0.1", portal.port, timeout=60)
    connection.request("GET", f"{BASE}/apps/{address}", headers={"Authorization": f"Bearer {portal.token}"})
    try:
        yield
    finally:
        connection.close()
