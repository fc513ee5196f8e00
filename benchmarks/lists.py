"""Lists and pages while the database holds 100 000 apps."""

import os
import subprocess

from benchmarks.client import Client
from benchmarks.portal import Portal
from benchmarks.result import Line, Section, milliseconds, percentile
from launcher.paths import PYTHON, ROOT

LIST = "/api/v1/tenants/bench-0/projects/p0/apps"
MOST_QUERIES = 6
LIST_SECONDS = 0.040
PAGE_SECONDS = 0.120


def measure(portal: Portal, *, apps: int, runs: int, deployed: str) -> Section:
    """`deployed`: an app of demo/shop that really runs, for the pages about one app."""
    inside(portal, "benchmarks.many", "--apps", str(apps))
    section = Section(
        "Lists and pages",
        f"{apps:,} apps in {-(-apps // 10_000)} tenants, each running three instances in dev (rows, not containers), "
        f"on the same SQLite file. {runs} answers in a row over one connection, read to their last byte; queries are "
        "counted in a second process on the same database, through the whole middleware.",
    )
    ten, hundred = queries(portal, f"{LIST}?limit=10", f"{LIST}?limit=100")
    section.lines = [
        timed("API: 100 apps of a project", portal.client(), f"{LIST}?limit=100", runs, LIST_SECONDS),
        Line(
            "queries of that list",
            f"{ten} for 10 rows, {hundred} for 100",
            budget=f"≤ {MOST_QUERIES}, whatever the size",
            kept=ten == hundred <= MOST_QUERIES,
            cause="each part of the answer that lies in a table of its own is one query for all rows",
        ),
        *pages(portal.person(), runs, deployed),
    ]
    return section


def pages(person: Client, runs: int, deployed: str) -> list[Line]:
    shop = "/t/demo/p/shop/"
    addresses = {
        "page: project, a few apps": shop,
        "page: project, 1,000 apps": "/t/bench-0/p/p0/",
        "page: deploy": f"{shop}deploy/",
        "page: app": f"{shop}apps/{deployed}/?environment=dev",
        "page: audit": "/t/demo/audit/",
    }
    return [timed(what, person, address, runs, PAGE_SECONDS) for what, address in addresses.items()]


def timed(what: str, client: Client, address: str, runs: int, budget: float) -> Line:
    seconds = client.times(address, runs=runs)
    kept = percentile(seconds, 0.95) <= budget
    cause = "rendering and queries of one process that also observes the cluster; see the queries above"
    return Line(what, milliseconds(seconds), budget=f"p95 ≤ {budget * 1000:.0f} ms", kept=kept, cause=cause)


def queries(portal: Portal, *addresses: str) -> list[int]:
    return [int(line) for line in inside(portal, "benchmarks.queries", *addresses).split()]


def inside(portal: Portal, module: str, *words: str) -> str:
    """Run a module of ours beside the portal, on its database."""
    env = os.environ | {"BERTH_STATE": str(portal.state.folder)}
    asked = [str(PYTHON), "-m", "benchmarks.inside", module, *words]
    return subprocess.run(asked, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=True).stdout
