"""Lists and pages while the database holds 100 000 apps."""

import os
import subprocess

from benchmarks.client import Client
from benchmarks.machine import processor_seconds
from benchmarks.portal import Portal
from benchmarks.result import Line, Section, milliseconds, percentile
from launcher.paths import PYTHON, ROOT

LIST = "/api/v1/tenants/bench-0/projects/p0/apps"
MOST_QUERIES = 6
LIST_SECONDS = 0.040
PAGE_SECONDS = 0.120
COMPARISON_SECONDS = 60.0
WARM = 3


def measure(portal: Portal, *, apps: int, runs: int, deployed: str) -> Section:
    """`deployed`: an app of demo/shop that really runs, for the pages about one app."""
    inside(portal, "benchmarks.many", "--apps", str(apps))
    section = Section(
        "Lists and pages",
        f"{apps:,} apps in {-(-apps // 10_000)} tenants, each running three instances in dev (rows, not containers), "
        f"on the same SQLite file. {runs} answers in a row over one connection, read to their last byte; beside each "
        "the processor time of the whole portal meanwhile, by answer. Queries are counted in a second process on the "
        "same database, through the whole middleware.",
    )
    ten, hundred = queries(portal, f"{LIST}?limit=10", f"{LIST}?limit=100")
    section.lines = [
        timed(portal, "API: 100 apps of a project", portal.client(), f"{LIST}?limit=100", LIST_SECONDS, runs=runs),
        Line(
            "queries of that list",
            f"{ten} for 10 rows, {hundred} for 100",
            budget=f"≤ {MOST_QUERIES}, whatever the size",
            kept=ten == hundred <= MOST_QUERIES,
            cause="each part of the answer that lies in a table of its own is one query for all rows",
        ),
        *pages(portal, deployed, runs=runs),
        comparison(portal, apps),
    ]
    return section


def comparison(portal: Portal, apps: int) -> Line:
    """All apps of a cluster are compared once a minute; this is one such pass in a process of its own."""
    seconds, mebibytes = (float(word) for word in inside(portal, "benchmarks.compare").split())
    return Line(
        f"one comparison of declared with running, {apps:,} apps of one cluster",
        f"{seconds:.1f} s, {mebibytes:.0f} MiB of memory",
        budget=f"≤ {COMPARISON_SECONDS:.0f} s",
        kept=seconds <= COMPARISON_SECONDS,
        cause="it reads every place with its release's specification",
    )


def pages(portal: Portal, deployed: str, *, runs: int) -> list[Line]:
    person, shop = portal.person(), "/t/demo/p/shop/"
    addresses = {
        "page: project, a few apps": shop,
        "page: project, 1,000 apps": "/t/bench-0/p/p0/",
        "page: project, 1,000 apps of a silent cluster": "/t/bench-0/p/p1/",
        "page: deploy": f"{shop}deploy/",
        "page: app": f"{shop}apps/{deployed}/?environment=dev",
        "page: audit": "/t/demo/audit/",
    }
    return [timed(portal, what, person, address, PAGE_SECONDS, runs=runs) for what, address in addresses.items()]


def timed(portal: Portal, what: str, client: Client, address: str, budget: float, *, runs: int) -> Line:
    """The time of an answer, and beside it the processor time it took, which a busy machine changes less."""
    client.times(address, runs=WARM)
    before = processor_seconds(portal.pid)
    seconds = client.times(address, runs=runs, warm=0)
    spent = (processor_seconds(portal.pid) - before) / runs
    kept = percentile(seconds, 0.95) <= budget
    shown = {"beside": f"{spent * 1000:.0f} ms of processor", "budget": f"p95 ≤ {budget * 1000:.0f} ms"}
    waited = percentile(seconds, 0.95) > 2 * spent
    cause = "half and more is waiting for a processor that others used" if waited else "it is the portal's own work"
    return Line(what, milliseconds(seconds), **shown, kept=kept, cause=cause)


def queries(portal: Portal, *addresses: str, person: str = "owner") -> list[int]:
    return [int(line) for line in inside(portal, "benchmarks.queries", "--person", person, *addresses).split()]


def inside(portal: Portal, module: str, *words: str) -> str:
    """Run a module of ours beside the portal, on its database."""
    env = os.environ | {"BERTH_STATE": str(portal.state.folder)}
    asked = [str(PYTHON), "-m", "benchmarks.inside", module, *words]
    return subprocess.run(asked, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=True).stdout
