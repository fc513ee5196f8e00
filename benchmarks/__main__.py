"""`python -m benchmarks`: measures and writes docs/benchmarks.md. Starts what it needs, and takes it away again."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping

from playwright.sync_api import Error as BrowserError

from benchmarks import (
    consoles,
    deploys,
    images,
    keystones,
    kubernetes,
    lighthouse,
    lists,
    logs,
    metrics,
    pages,
    registry,
    rights,
    scans,
    sign_ins,
    sockets,
    starts,
    uploads,
)
from benchmarks.client import Wrong
from benchmarks.machine import description
from benchmarks.note import note, with_anew
from benchmarks.portal import Portal, portal
from benchmarks.result import Line, Section
from launcher.paths import ROOT
from launcher.problems import Problem

NOTE = ROOT / "docs" / "benchmarks.md"
Parts = Mapping[str, Callable[[Portal, argparse.Namespace], Section]]
# Starts first, since they want an empty database; lists and rights last, since they fill it.
PARTS: Parts = {
    "start": lambda one, _asked: starts.measure(one),
    "deploy": lambda one, asked: deploys.measure(one, runs=asked.deploys),
    "consoles": lambda one, _asked: consoles.measure(one),
    "logs": lambda one, asked: logs.measure(one, mebibytes=asked.log_mib),
    "streams": lambda one, asked: logs.measure_streams(one, mebibytes=asked.stream_mib),
    "metrics": lambda one, _asked: metrics.measure(one, app=logs.APP),
    "pages": lambda one, _asked: pages.measure(one, app=logs.APP),
    "lighthouse": lambda one, _asked: lighthouse.measure(one, app=logs.APP),
    "sockets": lambda one, asked: sockets.measure(one, sockets=asked.sockets, runs=asked.runs),
    "sign_in": lambda one, asked: sign_ins.measure(one, runs=asked.runs),
    "registry": lambda one, asked: registry.measure(one, mebibytes=asked.layer_mib, runs=asked.runs),
    "upload": lambda one, asked: uploads.measure(one, mebibytes=asked.archive_mib),
    "scan": lambda one, asked: scans.measure(one, advisories=asked.advisories),
    "lists": lambda one, asked: lists.measure(one, apps=asked.apps, runs=asked.runs, deployed=logs.APP),
    "images": lambda one, asked: images.measure(one, runs=asked.runs),
    "rights": lambda one, asked: rights.measure(one, apps=asked.apps, projects=asked.projects, runs=asked.runs),
}
KEYSTONE, KUBERNETES = "keystone", "kubernetes"  # each with a portal of its own
AFTER_LOGS = {"streams", "metrics", "pages", "lighthouse", "lists"}  # they look at the app that `logs` deploys


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--log-mib", type=int, default=1024, help="size of the log to download (default: 1024)")
    parser.add_argument("--stream-mib", type=int, default=64, help="size of each log to stream (default: 64)")
    parser.add_argument("--layer-mib", type=int, default=1024, help="size of the layer to push (default: 1024)")
    parser.add_argument("--archive-mib", type=int, default=1024, help="size of the archive to upload (default: 1024)")
    parser.add_argument("--apps", type=int, default=100_000, help="apps in the database (default: 100000)")
    parser.add_argument("--projects", type=int, default=3000, help="projects in the database (default: 3000)")
    parser.add_argument("--people", type=int, default=1000, help="people in Keystone (default: 1000)")
    parser.add_argument("--tenants", type=int, default=200, help="projects in Keystone (default: 200)")
    parser.add_argument("--assignments", type=int, default=5000, help="assignments in Keystone (default: 5000)")
    parser.add_argument("--deploys", type=int, default=10, help="deployments each (default: 10)")
    parser.add_argument("--advisories", type=int, default=30_000, help="advisories to compare with (default: 30000)")
    parser.add_argument("--runs", type=int, default=50, help="answers for each page and list (default: 50)")
    parser.add_argument("--sockets", type=int, default=5000, help="pages that wait (default: 5000)")
    parser.add_argument("--engine", default=os.environ.get("BERTH_TEST_ENGINE", ""), help="URL of an engine, or none")
    parts = [*PARTS, KEYSTONE, KUBERNETES]
    parser.add_argument("--only", nargs="+", choices=parts, help="measure these parts anew, keep the others' figures")
    parser.add_argument("--print", action="store_true", help="only print; leave docs/benchmarks.md alone")
    asked = parser.parse_args()
    if asked.only and AFTER_LOGS & set(asked.only) and "logs" not in asked.only:
        parser.error(f"name logs, too: its app is what {', '.join(sorted(AFTER_LOGS))} look at")
    return asked


def main() -> None:
    asked = arguments()
    machine, load, began = description(), " ".join(f"{one:.1f}" for one in os.getloadavg()), time.monotonic()
    sections = []
    for section in measure(asked):
        print(section.markdown(), file=sys.stderr)
        sections.append(section)
    minutes = (time.monotonic() - began) / 60
    if asked.only:
        text = with_anew(NOTE.read_text(), sections, load=load, minutes=minutes)
    else:
        text = note(sections, machine, minutes=minutes)
    print(text)
    if not asked.print:
        NOTE.write_text(text)


def measure(asked: argparse.Namespace) -> Iterator[Section]:
    wanted = asked.only or [*PARTS, KEYSTONE, KUBERNETES]
    if set(wanted) & set(PARTS):
        with portal(engine=asked.engine, twice="start" in wanted) as measured:
            for name in PARTS:
                if name in wanted:
                    yield seen(name, lambda: PARTS[name](measured, asked))  # noqa: B023  called at once
    if KEYSTONE in wanted:
        size = keystones.Size(asked.people, asked.tenants, asked.assignments)
        yield seen(KEYSTONE, lambda: keystones.measure(size, runs=asked.runs))
    if KUBERNETES in wanted:
        yield seen(KUBERNETES, lambda: kubernetes.measure(runs=asked.deploys, shown=asked.runs))


def seen(name: str, measure_it: Callable[[], Section]) -> Section:
    """The section; where it cannot be measured it says why, and the others go on."""
    try:
        return measure_it()
    except (Wrong, Problem, BrowserError) as error:
        why = str(error).splitlines()[0]
        return Section(name, "It could not be measured.", [Line(name, "not measured", kept=False, cause=why)])


if __name__ == "__main__":
    main()
