"""Pages as a browser sees them for the first time: when the largest part is painted, and how much was loaded for it."""

from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Browser, Page, StorageState

from benchmarks.browser import browser, program, signed_in, without
from benchmarks.client import Client
from benchmarks.portal import Portal
from benchmarks.result import Line, Section, milliseconds, percentile

PAINT_SECONDS = 1.0
LARGEST_KB = 150.0
ANSWER_SECONDS = 0.120
RUNS = 5
SHOP = "/t/demo/p/shop/"
PAINTED = """() => new Promise((done) => {
  let last = 0;
  new PerformanceObserver((list) => list.getEntries().forEach((one) => (last = Math.max(last, one.startTime))))
    .observe({ type: "largest-contentful-paint", buffered: true });
  requestAnimationFrame(() => setTimeout(() => done(last / 1000), 250));
})"""


def addresses(app: str) -> dict[str, str]:
    at = f"{SHOP}apps/{app}/"
    return {
        "home": "/",
        "project": SHOP,
        "app": f"{at}?environment=dev",
        "deploy": f"{SHOP}deploy/?app={app}&environment=dev",
        "logs": f"{at}logs/?environment=dev",
    }


def measure(portal: Portal, *, app: str, runs: int = RUNS) -> Section:
    """`app`: one of demo/shop that runs in dev."""
    section = Section(
        "Pages in a browser",
        f"Chromium at 1440 × 900, each page {runs} times with an empty cache, signed in: the largest contentful paint "
        "as the browser reports it, and the bytes of all its files as they came over the wire. The server's part: 30 "
        "answers in a row over one connection.",
    )
    path = program()
    if path is None:
        section.lines = without("pages")
        return section
    person = portal.person()
    base = f"http://127.0.0.1:{portal.port}"
    with browser(path) as opened:
        cookies = signed_in(opened, base, password=portal.password)
        for name, address in addresses(app).items():
            seen = [first_look(opened, base, cookies, address) for _run in range(runs)]
            section.lines += lines(name, seen, person, address)
    return section


def lines(name: str, seen: list[tuple[float, float]], person: Client, address: str) -> Iterator[Line]:
    painted, kilobytes = [one[0] for one in seen], max(one[1] for one in seen)
    slowest = percentile(painted, 0.95)
    yield Line(
        f"{name}: largest contentful paint",
        milliseconds(painted),
        beside=f"{kilobytes:.0f} KB compressed",
        budget=f"p95 ≤ {PAINT_SECONDS:.1f} s and ≤ {LARGEST_KB:.0f} KB",
        kept=slowest <= PAINT_SECONDS and kilobytes <= LARGEST_KB,
        cause="the page carries too much" if kilobytes > LARGEST_KB else "browser and portal share two processors",
    )
    answers = person.times(address, runs=30)
    yield Line(
        f"{name}: the server's part",
        milliseconds(answers),
        budget=f"p95 ≤ {ANSWER_SECONDS * 1000:.0f} ms",
        kept=percentile(answers, 0.95) <= ANSWER_SECONDS,
        cause="waiting for the engine's lines" if name == "logs" else "it is the portal's own work",
    )


def first_look(opened: Browser, base: str, cookies: StorageState, address: str) -> tuple[float, float]:
    """(seconds to the largest contentful paint, kilobytes over the wire) with nothing in the cache."""
    context = opened.new_context(base_url=base, storage_state=cookies, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    loaded = counted(page)
    page.goto(address, wait_until="load")
    painted = float(page.evaluate(PAINTED))
    context.close()
    return painted, sum(loaded) / 1000


def counted(page: Page) -> list[float]:
    """Bytes of each file as it came, compression and heads included; grows while the page loads."""
    sizes: list[float] = []
    session: Any = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda file: sizes.append(file["encodedDataLength"]))
    return sizes
