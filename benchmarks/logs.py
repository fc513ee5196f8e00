"""A complete log download against `docker logs` of the same container."""

import http.client
import subprocess
import time
from dataclasses import dataclass

from benchmarks.client import Wrong
from benchmarks.deploys import docker, finished, wait_for
from benchmarks.machine import forget_peak, memory_of
from benchmarks.portal import BASE, Portal
from benchmarks.result import Line, Section

APP = "bench-log"
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
    end = "bench-log-is-complete"
    script = f"yes '{LINE}' | head -c {mebibytes * 2**20}; echo; echo {end}; exec sleep 100000"
    service = {"image": "berth/hello:1", "command": ["sh", "-c", script], "healthcheck": {"disable": True}}
    client = portal.client()
    client.post(f"{BASE}/apps", {"name": APP}, wanted=201)
    sent = {"environment": "dev", "spec": {"services": {"web": service}}}
    finished(client, client.post(f"{BASE}/apps/{APP}/deployments", sent, wanted=202).headers["Location"])
    (container,) = docker(
        portal, "ps", "--quiet", "--no-trunc", "--filter", "ancestor=berth/hello:1", "--latest"
    ).split()
    wait_for(lambda: end in docker(portal, "logs", "--tail", "2", container), "the log to be written")
    return container


def by_docker(portal: Portal, container: str) -> Read:
    words = [*portal.docker, "logs", "--timestamps", container]
    began = time.monotonic()
    size, first = 0, 0.0
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        while piece := process.stdout.read1(READ):  # type: ignore[attr-defined]  # a pipe is a BufferedReader
            first = first or time.monotonic() - began
            size += len(piece)
    return Read(size, time.monotonic() - began, first, 0)


def by_berth(portal: Portal) -> Read:
    pid = portal.pid
    portal.client().get("/api/v1/me")  # what is imported late is imported now
    before = memory_of(pid)
    forget_peak(pid)
    connection = http.client.HTTPConnection("127.0.0.1", portal.port, timeout=600)
    address = f"{BASE}/apps/{APP}/environments/dev/logs/download"
    began = time.monotonic()
    connection.request("GET", address, headers={"Authorization": f"Bearer {portal.token}"})
    response = connection.getresponse()
    if response.status != 200:
        raise Wrong(f"the download answered {response.status}: {response.read(400)!r}")
    size, first = 0, 0.0
    while piece := response.read1(READ):
        first = first or time.monotonic() - began
        size += len(piece)
    return Read(size, time.monotonic() - began, first, max(0, memory_of(pid, "VmHWM") - before))
