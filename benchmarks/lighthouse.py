"""Lighthouse's four figures of the pages, with somebody signed in, where the tool is installed."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks.browser import arguments, enter, program, without
from benchmarks.client import Wrong
from benchmarks.pages import addresses
from benchmarks.portal import Portal
from benchmarks.result import Line, Section
from launcher.services import free_port

LEAST = 95
TRIALS = 3  # it asks itself to be run again when it missed the beginning of a page
FOUR = ("performance", "accessibility", "best-practices", "seo")
INSTALL = "Lighthouse is not installed (npm install --global lighthouse), or LIGHTHOUSE does not name it"


def measure(portal: Portal, *, app: str) -> Section:
    """`app`: one of demo/shop that runs in dev."""
    section = Section(
        "Lighthouse",
        "Its desktop setting, once for each page, in a Chromium that `owner` is signed in with but for the first page; "
        "100 is the best in each of its four categories.",
    )
    tool, chromium = os.environ.get("LIGHTHOUSE") or shutil.which("lighthouse"), program()
    if chromium is None:
        section.lines = without("Lighthouse")
    elif tool is None:
        section.lines = [Line("Lighthouse", "not measured", cause=INSTALL)]
    else:
        base = f"http://127.0.0.1:{portal.port}"
        with chromium_at_a_port(chromium) as (port, page):
            section.lines = [line("sign in", figures(tool, port, f"{base}/accounts/sign-in/"))]
            enter(page, base, password=portal.password)
            page.goto("about:blank")
            section.lines += [line(name, figures(tool, port, base + at)) for name, at in addresses(app).items()]
    return section


def line(name: str, found: Mapping[str, float]) -> Line:
    """`found`: category to 0..100."""
    low = [key for key, figure in found.items() if figure < LEAST]
    return Line(
        name,
        ", ".join(f"{key} {figure:.0f}" for key, figure in found.items()),
        budget=f"each ≥ {LEAST}",
        kept=not low,
        cause=f"Lighthouse finds fault with {' and '.join(low)}" if low else "",
    )


@contextmanager
def chromium_at_a_port(chromium: str) -> Iterator[tuple[int, Page]]:
    """A browser with a page of ours, and the port that another tool drives it by."""
    port = free_port()
    with tempfile.TemporaryDirectory() as profile, sync_playwright() as playwright:
        words = [*arguments(), f"--remote-debugging-port={port}"]
        context = playwright.chromium.launch_persistent_context(profile, executable_path=chromium, args=words)
        yield port, context.new_page()
        context.close()


def figures(tool: str, port: int, address: str) -> dict[str, float]:
    """Raises Wrong with what the tool complained of."""
    words = [tool, address, f"--port={port}", "--disable-storage-reset", "--preset=desktop", "--output=json", "--quiet"]
    for _trial in range(TRIALS):
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            found: dict[str, Any] = json.loads(done.stdout)["categories"]
            return {key: 100 * found[key]["score"] for key in FOUR}
    raise Wrong(f"lighthouse {address}: {done.stderr[-1000:]}")
