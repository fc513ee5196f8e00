"""Pages that wait: memory of an idle socket, thousands that come back at once, and how soon a change is shown."""

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Page, sync_playwright

from benchmarks.client import Client, Wrong
from benchmarks.deploys import docker, finished, wait_for
from benchmarks.machine import memory_of, processor_seconds
from benchmarks.portal import BASE, Portal
from benchmarks.result import Line, Section, milliseconds, percentile

APP = "bench-shown"
PAGE = f"/t/demo/p/shop/apps/{APP}/?environment=dev"
KIB_EACH = 30
BACK_SECONDS = 60
PAGE_SECONDS = 1.0
SHOWN_SECONDS = 0.5
OPEN_OVER_SECONDS = 30
REST_SECONDS = 5.0
SEEN = """() => {
    window.seen = [];
    const look = () => {
        const words = document.querySelector("#app-now")?.innerText.match(/\\d+ of \\d+/g)?.at(-1) ?? "";
        if (window.seen.at(-1)?.[1] !== words) window.seen.push([Date.now() / 1000, words]);
    };
    look();
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


@dataclass
class Crowd:
    """Thousands of open pages in a process of their own (benchmarks/crowd.py)."""

    process: subprocess.Popen[str]

    def do(self, command: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        told = self.process.stdout.readline()
        if not told:
            raise Wrong("the process with the open pages ended")
        found: dict[str, Any] = json.loads(told)
        return found


def measure(portal: Portal, *, sockets: int, runs: int) -> Section:
    section = Section(
        "Pages that wait",
        f"{sockets} people, each with a page open on the feed, from another process; memory is the portal's resident "
        "set with all of them less without. Then all are cut at once and come back as pages do, after 1 to 30 seconds, "
        "while one person reads pages. Shown: an instance is killed on the engine; from the time in `docker events` "
        "until Chromium shows that one of two runs, and again when the new one is well.",
    )
    section.lines = list(idle(portal, sockets))
    try:
        section.lines += shown(portal, runs)
    except (Wrong, BrowserError) as error:  # what was measured of the sockets stays
        why = str(error).splitlines()[0]
        section.lines.append(Line("from the engine's event until it is shown", "not measured", kept=False, cause=why))
    return section


def idle(portal: Portal, sockets: int) -> Iterator[Line]:
    keys = portal.run("manage", "shell", "--no-imports", "--command", invitation(sockets)).split()[-sockets:]
    person = Client(portal.port)
    person.cookies["berth_session"] = keys[0]
    person.get("/t/demo/p/shop/")
    with crowd(portal, keys) as people:
        before, used = memory_of(portal.pid), processor_seconds(portal.pid)
        came = people.do(f"open {OPEN_OVER_SECONDS}")
        all_open(came, sockets)
        used = processor_seconds(portal.pid) - used
        time.sleep(REST_SECONDS)
        each = (memory_of(portal.pid) - before) / sockets / 1024
        yield Line(
            f"memory of an idle socket, {sockets} of them",
            f"{each:.1f} KiB (a handshake: {used / sockets * 1000:.1f} ms of processor)",
            budget=f"≤ {KIB_EACH} KiB",
            kept=each <= KIB_EACH,
            cause="the server's own part is 19 KiB of it: connection, task, queue and timers",
        )
        used, began = processor_seconds(portal.pid), time.monotonic()
        time.sleep(2 * REST_SECONDS)
        share = (processor_seconds(portal.pid) - used) / (time.monotonic() - began)
        yield Line(f"processor while {sockets} wait", f"{share:.1%} of a core, worker, beat and observer included")
        yield from back(people, person, sockets)


def back(people: Crowd, person: Client, sockets: int) -> Iterator[Line]:
    """All are cut, and come back while one person reads on."""
    seconds: list[float] = []
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            seconds.append(person.get("/t/demo/p/shop/").seconds)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        came = people.do("lose")
    finally:
        over.set()
        reader.join()
    all_open(came, sockets)
    yield Line(
        f"{sockets} come back",
        f"{came['seconds']:.0f} s",
        budget=f"≤ {BACK_SECONDS} s",
        kept=came["seconds"] <= BACK_SECONDS,
        cause="they wait up to 30 s by themselves; the rest is handshakes on shared cores",
    )
    slow = percentile(seconds, 0.95)
    yield Line(
        "pages meanwhile",
        milliseconds(seconds),
        budget=f"p95 ≤ {PAGE_SECONDS:.0f} s",
        kept=slow <= PAGE_SECONDS,
        cause="handshakes and pages share one process here; `sockets` can be a process of its own",
    )


def invitation(sockets: int) -> str:
    return f"from benchmarks.guests import invite; print(*invite({sockets}), sep=chr(10))"


def all_open(told: dict[str, Any], sockets: int) -> None:
    if told["open"] < sockets:
        raise Wrong(f"only {told['open']} of {sockets} sockets are open: {told}")


@contextmanager
def crowd(portal: Portal, keys: Sequence[str]) -> Iterator[Crowd]:
    words = [sys.executable, "-m", "benchmarks.crowd", str(portal.port)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        process.stdin.write(" ".join(keys) + "\n")
        process.stdin.flush()
        try:
            yield Crowd(process)
        finally:
            process.stdin.close()


@dataclass
class Events:
    """What `docker events` tells: (seconds since 1970, action) of containers."""

    told: list[tuple[float, str]] = field(default_factory=list)

    def listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            self.told.append((event["timeNano"] / 1e9, event["Action"]))

    def await_after(self, moment: float, action: str) -> float:
        """When the engine first told of this after a moment."""

        def found() -> list[float]:
            return [at for at, name in self.told if at > moment and name.startswith(action)]

        wait_for(lambda: bool(found()), f"the engine to tell {action}")
        return found()[0]


def shown(portal: Portal, runs: int) -> Iterator[Line]:
    deploy(portal)
    words = [*portal.docker, "events", "--format", "{{json .}}", "--filter", "type=container"]
    events, down, up = Events(), list[float](), list[float]()
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process, page(portal) as open_page:
        threading.Thread(target=events.listen, args=(process,), daemon=True).start()
        try:
            for _run in range(runs):
                fell, rose = one_fall(portal, events, open_page)
                down.append(fell)
                up.append(rose)
        finally:
            process.terminate()
    for what, values in (("an instance that died", down), ("an instance that is well again", up)):
        yield Line(
            f"engine event to shown: {what}",
            milliseconds(values),
            budget=f"p95 ≤ {SHOWN_SECONDS * 1000:.0f} ms",
            kept=percentile(values, 0.95) <= SHOWN_SECONDS,
            cause="the engine's own books follow its events 100 to 200 ms later; then a look, a message, a fragment",
        )


def deploy(portal: Portal) -> None:
    client = portal.client()
    client.post(f"{BASE}/apps", {"name": APP}, wanted=201)
    sent = {"environment": "dev", "spec": {"services": {"web": {"image": portal.image, "deploy": {"replicas": 2}}}}}
    finished(client, client.post(f"{BASE}/apps/{APP}/deployments", sent, wanted=202).headers["Location"])


@contextmanager
def page(portal: Portal) -> Iterator[Page]:
    """The app's page in Chromium, live, with a note of every change of how many of its instances run."""
    cookies = portal.person().cookies
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        context = browser.new_context(base_url=f"http://127.0.0.1:{portal.port}", locale="en-GB")
        address = f"http://127.0.0.1:{portal.port}"
        context.add_cookies([{"name": name, "value": text, "url": address} for name, text in cookies.items()])
        made = context.new_page()
        made.goto(PAGE)
        made.get_by_text("2 of 2 instances").first.wait_for(timeout=60_000)
        made.evaluate(SEEN)
        yield made
        browser.close()


def one_fall(portal: Portal, events: Events, open_page: Page) -> tuple[float, float]:
    """Seconds until the page shows that an instance died, and until it shows that all are well again."""
    began = time.time()
    newest = docker(portal, "ps", "--quiet", "--filter", "ancestor=berth/hello:1", "--latest")
    docker(portal, "kill", newest)
    died = events.await_after(began, "die")
    fell = shown_at(open_page, died, well=False)
    rose = shown_at(open_page, fell, well=True)
    healthy = events.await_after(died, "health_status: healthy")
    if healthy > rose:
        raise Wrong("the page was well before the instance was")
    return fell - died, rose - healthy


def shown_at(open_page: Page, moment: float, *, well: bool) -> float:
    """When the page first said that all run, or that not all do, after a moment."""
    script = "([moment, well]) => window.seen.find(([at, all]) => at > moment && (all === '2 of 2') === well)?.[0]"
    found = open_page.wait_for_function(script, arg=[moment, well], timeout=60_000)
    return float(found.json_value())
