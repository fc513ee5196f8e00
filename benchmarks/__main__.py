"""`python -m benchmarks`: measures and writes docs/benchmarks.md. Starts what it needs, and takes it away again."""

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence

from benchmarks import consoles, deploys, lists, logs, metrics, pages, rights, sockets, starts
from benchmarks.machine import description
from benchmarks.portal import Portal, portal
from benchmarks.result import Section, over_budget
from launcher.paths import ROOT

NOTE = ROOT / "docs" / "benchmarks.md"
HEAD = """# Benchmarks

Written by `make bench`; do not edit. Each budget was set before anything was measured. The last column says whether it
was kept here; what was not stands below with its cause. Run it on your own machine: the ratios carry over, the
milliseconds do not.

"""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--log-mib", type=int, default=1024, help="size of the log to download (default: 1024)")
    parser.add_argument("--stream-mib", type=int, default=64, help="size of each log to stream (default: 64)")
    parser.add_argument("--apps", type=int, default=100_000, help="apps in the database (default: 100000)")
    parser.add_argument("--projects", type=int, default=3000, help="projects in the database (default: 3000)")
    parser.add_argument("--deploys", type=int, default=10, help="deployments each (default: 10)")
    parser.add_argument("--runs", type=int, default=50, help="answers for each page and list (default: 50)")
    parser.add_argument("--sockets", type=int, default=5000, help="pages that wait (default: 5000)")
    parser.add_argument("--print", action="store_true", help="only print; leave docs/benchmarks.md alone")
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    machine, began = description(), time.monotonic()
    with portal(engine=os.environ.get("BERTH_TEST_ENGINE", "")) as measured:
        sections = []
        for section in measure(measured, asked):
            print(section.markdown(), file=sys.stderr)
            sections.append(section)
    text = note(sections, machine, minutes=(time.monotonic() - began) / 60)
    print(text)
    if not asked.print:
        NOTE.write_text(text)


def measure(measured: Portal, asked: argparse.Namespace) -> Iterator[Section]:
    """Starts first, since they want an empty database; lists and rights last, since they fill it."""
    yield starts.measure(measured)
    yield deploys.measure(measured, runs=asked.deploys)
    yield consoles.measure(measured)
    yield logs.measure(measured, mebibytes=asked.log_mib)
    yield logs.measure_streams(measured, mebibytes=asked.stream_mib)
    yield metrics.measure(measured, app=logs.APP)
    yield pages.measure(measured, app=logs.APP)
    yield sockets.measure(measured, sockets=asked.sockets, runs=asked.runs)
    yield lists.measure(measured, apps=asked.apps, runs=asked.runs, deployed=logs.APP)
    yield rights.measure(measured, projects=asked.projects, runs=asked.runs)


def note(sections: Sequence[Section], machine: str, *, minutes: float) -> str:
    over = over_budget(sections)
    causes = [f"- {line.what}: {line.measured} (budget {line.budget}). {line.cause.capitalize()}." for line in over]
    parts = [HEAD, f"## Machine\n{machine}\n- it took {minutes:.0f} minutes\n\n"]
    parts += [section.markdown() + "\n" for section in sections]
    parts += ["## Over budget\n", "\n".join(causes) or "Nothing.", "\n"]
    return "".join(parts)


if __name__ == "__main__":
    main()
