"""How long until the first page, and how much memory the one process takes."""

from benchmarks.machine import memory_of
from benchmarks.portal import Portal
from benchmarks.result import Line, Section

SECOND_START_SECONDS = 10.0
MEMORY_MIB = 120


def measure(portal: Portal) -> Section:
    engine = "with an engine that was there" if portal.engine else "its private engine included"
    section = Section(
        "Start and memory",
        f"`./berth up --detach` in an empty state folder until the door's page was read, {engine}; packages were "
        "installed before. Then `./berth down` and the same again. Memory is the resident set of the one process that "
        "is web, worker, beat and observer, right after that start.",
    )
    memory = memory_of(portal.pid) / 2**20
    section.lines = [
        Line("first start", f"{portal.first:.1f} s"),
        Line(
            "second start",
            f"{portal.second:.1f} s",
            budget=f"≤ {SECOND_START_SECONDS:.0f} s",
            kept=portal.second <= SECOND_START_SECONDS,
            cause="see the steps `./berth up` prints, each with its duration",
        ),
        Line(
            "memory of the one process, idle",
            f"{memory:.0f} MiB",
            budget=f"≤ {MEMORY_MIB} MiB (of a web process)",
            kept=memory <= MEMORY_MIB,
            cause="it is web, worker, beat, observer and the engine's client in one process",
        ),
    ]
    return section
