"""How long it takes to look into an image and compare it."""

import json

from benchmarks.lists import inside
from benchmarks.portal import Portal
from benchmarks.result import Line, Section

PACKAGES = 750
SECONDS = 5.0


def measure(portal: Portal, *, advisories: int, runs: int = 5) -> Section:
    words = ("--packages", str(PACKAGES), "--advisories", str(advisories), "--runs", str(runs))
    found = json.loads(inside(portal, "benchmarks.scanned", *words))
    section = Section(
        "Scan",
        f"An image like Debian's: {PACKAGES} packages (those of the machine itself first) with their licences, "
        f"{found['files']:,} files and "
        f"{found['mebibytes']} MiB in two gzipped layers, from `docker save`. Compared with {advisories:,} advisories "
        f"on the portal's database; {runs} times, the slowest counts. With the start of the child process, unpacking "
        "and hashing.",
    )
    section.lines = [
        Line(
            f"look through and compare, {found['packages']} packages, {found['findings']} findings",
            f"{found['scan']:.1f} s",
            f"unpacking alone, by tarfile, {found['unpack']:.1f} s",
            f"≤ {SECONDS:.0f} s after unpacking",
            found["scan"] - found["unpack"] <= SECONDS,
            "it reads every small file for secrets and compares package by package",
        ),
        Line("of it comparing", f"{found['compare']:.2f} s"),
        Line("import of the advisories", f"{found['import'] / advisories * 10_000:.1f} s for 10,000"),
    ]
    return section
