"""Live numbers to many viewers against a Channels group, and what collecting them costs."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from benchmarks.client import Wrong
from benchmarks.deploys import wait_for
from benchmarks.lists import inside
from benchmarks.machine import processor_seconds
from benchmarks.portal import Portal
from benchmarks.result import Line, Section
from launcher.paths import ROOT
from launcher.services import free_port

VIEWERS = 500
SECONDS = 20.0
SHARE = 0.03
FIELD_KEY = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="  # encrypts nothing
INSTANCES = 1000
KEEPING_SHARE = 0.05


def measure(portal: Portal, *, app: str) -> Section:
    keys = guests(portal, VIEWERS)
    address = f"ws://127.0.0.1:{portal.port}/ws/v1/metrics?tenant=demo&project=shop&app={app}&environment=dev"
    ours, got = beyond_one(address, portal.pid, keys)
    with grouped() as (pid, theirs_address):
        theirs, theirs_got = beyond_one(theirs_address, pid, [""] * VIEWERS)
    kept = collecting(portal)
    keeping = (kept["cpu"] + kept["call"] * INSTANCES) / 10
    return Section(
        "Metrics",
        f"{VIEWERS} people, each with a session, watch one instance for {SECONDS:.0f} s; the portal's processor time "
        "less the same with one of them, who already costs the engine's stream. Beside it a Channels consumer each, in "
        "one group of the in-memory layer, told the same message. Both check nothing they need not: ours looks at the "
        f"rights of all every 1.2 s. Collecting: {INSTANCES} instances in the portal's database with made-up readings, "
        "and 100 real readings from the engine.",
        [
            Line(
                f"{VIEWERS} viewers at 1 Hz",
                f"{ours:.1%} of a core ({ours / VIEWERS * 1e6:.0f} µs a message, {got:.2f} a second each)",
                f"{theirs:.1%} of a core ({theirs / VIEWERS * 1e6:.0f} µs a message, {theirs_got:.2f} a second each)",
                f"≤ {SHARE:.0%} of a core",
                ours <= SHARE,
                "each message is one write to one socket, and rights are read again",
            ),
            Line(
                f"{INSTANCES} instances every 10 s",
                f"{keeping:.1%} of a core ({kept['cpu'] / INSTANCES * 1e6:.0f} µs kept and {kept['call'] * 1e6:.0f} µs "
                "read for each)",
                budget=f"≤ {KEEPING_SHARE:.0%} of a core",
                kept=keeping <= KEEPING_SHARE,
                cause="every reading is a connection of its own to the engine",
            ),
        ],
    )


def beyond_one(address: str, pid: int, keys: Sequence[str]) -> tuple[float, float]:
    """Share of a core that the viewers beyond the first cost at one message a second, and how many each of them got.

    Taken from the cost of a message, for a server that shares its cores with others may not come to tell every second.
    """
    with watched(address, keys[:1]) as first:
        first.told()
        one, heard = spent(pid), first.told()
    with watched(address, keys) as viewers:
        viewers.told()
        began = time.monotonic()
        all_of_them, told = spent(pid), viewers.told()
        seconds = time.monotonic() - began
    if told < 2 * len(keys):
        raise Wrong(f"{len(keys)} viewers got {told} messages in {seconds:.0f} s")
    return (all_of_them - one) / (told - heard) * len(keys), told / len(keys) / seconds


def spent(pid: int) -> float:
    """Processor seconds of a process during the next so many seconds."""
    before = processor_seconds(pid)
    time.sleep(SECONDS)
    return processor_seconds(pid) - before


class Viewers:
    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def told(self) -> int:
        """Messages since the last time."""
        return int(self.ask("told\n"))

    def ask(self, text: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(text)
        self._process.stdin.flush()
        said = self._process.stdout.readline()
        if not said:
            raise Wrong("the viewers could not stay")
        return said


@contextmanager
def watched(address: str, keys: Sequence[str]) -> Iterator[Viewers]:
    words = [sys.executable, "-m", "benchmarks.viewers", address]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(words, cwd=ROOT, text=True, **pipes) as process:  # type: ignore[call-overload]  # pipes alone
        try:
            viewers = Viewers(process)
            viewers.ask(",".join(keys) + "\n")
            yield viewers
        finally:
            process.kill()


@contextmanager
def grouped() -> Iterator[tuple[int, str]]:
    port = free_port()
    words = [sys.executable, "-m", "benchmarks.inside", "benchmarks.grouped", str(port)]
    environment = os.environ | {"SECRET_KEY": "k" * 50, "FIELD_KEYS": FIELD_KEY, "REDIS_URL": ""}
    with subprocess.Popen(words, cwd=ROOT, env=environment) as process:
        try:
            wait_for(lambda: _listens(port), "the group's server")
            yield process.pid, f"ws://127.0.0.1:{port}/"
        finally:
            process.kill()


def _listens(port: int) -> bool:
    hexadecimal = f":{port:04X} "
    with open("/proc/net/tcp") as file:
        return any(hexadecimal in line and " 0A " in line for line in file)


def guests(portal: Portal, number: int) -> list[str]:
    return inside(portal, "benchmarks.guests", "--number", str(number), "--name", "viewer").split()


def collecting(portal: Portal) -> dict[str, float]:
    told: dict[str, float] = json.loads(
        inside(portal, "benchmarks.collecting", "--instances", str(INSTANCES)).splitlines()[-1]
    )
    return told
