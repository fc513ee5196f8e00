"""Coming in with a local account: what it costs, and what a flood of wrong passwords leaves of the portal."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.client import Client
from benchmarks.machine import processor_seconds
from benchmarks.portal import Portal
from benchmarks.result import Line, Section, milliseconds, percentile

SIGN_IN_SECONDS = 0.120  # of the portal's processor
FLOODED_PAGE_SECONDS = 1.0
PAGE = "/t/demo/p/shop/"
RISING_SECONDS = 2.0


def measure(portal: Portal, *, runs: int) -> Section:
    section = Section(
        "Sign-in",
        f"{runs} sign-ins of a local account, each in a browser session of its own: the door's form is sent and "
        "answered; its processor time is all that the portal used meanwhile. The flood: eight connections that send "
        "one wrong password after the other, each with another name and from so many addresses that none is refused "
        f"unheard, while one person reads a page {runs} times.",
    )
    section.lines = [local(portal, runs), *flooded(portal, runs)]
    return section


def local(portal: Portal, runs: int) -> Line:
    walls, spent = entered(portal, portal.pid, "owner", portal.password, runs=runs)
    return Line(
        "sign-in with a password of Berth's own",
        f"{spent * 1000:.0f} ms of processor",
        milliseconds(walls),
        f"≤ {SIGN_IN_SECONDS * 1000:.0f} ms of processor",
        spent <= SIGN_IN_SECONDS,
        "the password's hash is the largest part; it is tuned to less than 100 ms on a quiet machine",
    )


def entered(
    portal: Portal, pid: int, name: str, password: str, *, runs: int, organization: str = ""
) -> tuple[list[float], float]:
    """Seconds of each sign-in, and seconds of a process's processor for one of them."""
    walls, spent = list[float](), 0.0
    for _run in range(runs):
        client = Client(portal.port)
        token = client.door()
        before = processor_seconds(pid)
        walls.append(client.enter(token, name, password, organization=organization).seconds)
        spent += processor_seconds(pid) - before
    return walls, spent / runs


def flooded(portal: Portal, runs: int) -> Iterator[Line]:
    person = portal.person()
    calm = person.times(PAGE, runs=runs)
    told: list[str] = []
    began = time.monotonic()
    with flood(portal, told):
        time.sleep(RISING_SECONDS)
        seconds = person.times(PAGE, runs=runs, warm=0)
    wrong, others = (int(word) for word in told[0].split())
    yield Line(
        "a page while wrong passwords pour in",
        milliseconds(seconds),
        f"{milliseconds(calm)} without",
        f"p95 ≤ {FLOODED_PAGE_SECONDS * 1000:.0f} ms",
        percentile(seconds, 0.95) <= FLOODED_PAGE_SECONDS,
        "the flood, its senders and the reader share the machine's processors",
    )
    yield Line(
        "of them looked at",
        f"{wrong / (time.monotonic() - began):.1f} a second, {others} answered otherwise",
    )


@contextmanager
def flood(portal: Portal, told: list[str]) -> Iterator[None]:
    """`told` gets what the flood says at its end."""
    words = [sys.executable, "-m", "benchmarks.flood", str(portal.port)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield
        finally:
            told.append(process.communicate("\n")[0])
