"""The log page as a person uses it: three instances that talk, one that crashes, one with 100 000 lines, an engine
that goes away and comes back, and lines that nobody should have to see raw."""

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import sign_in
from tests.e2e.grounds import Ground, OnSwarm
from tests.e2e.portal import Portal, until
from tests.engine import LiveEngine
from tests.faults.caller import SHOP, Caller
from tests.faults.proxy import FaultProxy

pytestmark = pytest.mark.e2e
SLOW = 90_000
LINES = 100_000
HUGE = r"head -c 10000000 /dev/zero | tr '\000' x; echo"
TALK = r"""
printf '<b>bold</b> <script>alert(1)</script> \033]52;c;aGk=\007\033]0;title\007\033[31mred\033[0m \342\200\256rtl\n'
printf 'nul \000 here\n'; printf 'broken \377\376 utf\n'
head -c 10000000 /dev/zero | tr '\000' x; echo
echo '{"level":50,"msg":"payment refused","order":440218}'
echo 'Traceback (most recent call last):'; echo '  File "app.py", line 3'; echo 'ValueError: no such order'
n=0; while true; do n=$((n+1)); echo "tick $n"; sleep 2; done
"""
CRASH = "echo starting; sleep 25; echo 'fatal: no luck today'; exit 3"  # after the deployment is done
FLOOD = f'n=0; while [ $n -lt {LINES} ]; do n=$((n+1)); echo "line $n GET /cart 200 in 31 ms"; done; exec sleep 100000'
STORE = "document.querySelector('[data-logs]').logPage"


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory, engine: LiveEngine) -> Iterator[FaultProxy]:
    made = FaultProxy(tmp_path_factory.mktemp("p") / "s", engine.url)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def portal(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, ground: Ground
) -> Iterator[Portal]:
    """The Swarm's stands behind a proxy that can cut it off."""
    folder = tmp_path_factory.mktemp("portal")
    if isinstance(ground, OnSwarm):
        proxy: FaultProxy = request.getfixturevalue("proxy")
        made = Portal.prepared(folder, LiveEngine(proxy.url, ground.engine.address))
    else:
        made = ground.portal(folder)
    made.start()
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def caller(portal: Portal) -> Caller:
    return Caller(portal.url, portal.token())


def service(script: str, instances: int = 1) -> dict[str, Any]:
    command = ["sh", "-c", script.replace("$", "$$")]
    return {
        "image": "berth/hello:1", "command": command, "healthcheck": {"disable": True},
        "deploy": {"replicas": instances},
    }  # fmt: skip


@pytest.fixture(scope="module")
def talk(caller: Caller, ground: Ground) -> Iterator[str]:
    said = TALK if ground.keeps_rotated_logs else TALK.replace(HUGE, "")  # it would turn the log over
    yield from running(caller, "talk", {"web": service(said, 3), "worker": service(CRASH)})


@pytest.fixture(scope="module")
def flood(caller: Caller) -> Iterator[str]:
    yield from running(caller, "flood", {"web": service(FLOOD)})


def running(caller: Caller, name: str, services: dict[str, Any]) -> Iterator[str]:
    assert caller.post(f"{SHOP}/apps", {"name": name}).status == 201
    sent = {"environment": "dev", "spec": {"services": services}}
    assert caller.post(f"{SHOP}/apps/{name}/deployments", sent).status == 202
    place = f"{SHOP}/apps/{name}/environments/dev"
    until(lambda: caller.read(place)["release_number"] == 1, seconds=120, said=lambda: str(caller.read(place)))
    yield f"/t/demo/p/shop/apps/{name}/logs/?environment=dev"
    caller.send("DELETE", f"{SHOP}/apps/{name}")


def ticks(page: Page, source: str) -> list[int]:
    """The numbers that an instance counted, as the page has them."""
    texts = page.evaluate(f"s => {STORE}.store.lines.filter(l => l.source === s).map(l => l.text)", source)
    return [int(text.split()[1]) for text in texts if text.startswith("tick ")]


def whole(page: Page, source: str) -> bool:
    """Nothing is missing, nothing there twice."""
    found = ticks(page, source)
    return bool(found) and all(after == before + 1 for before, after in pairwise(found))


def newest(page: Page, source: str = "web 1") -> int:
    return max(ticks(page, source), default=0)


def opened(page: Page, portal: Portal, address: str) -> None:
    sign_in(page, portal)
    page.goto(address)
    expect(page.locator(".log-legend .fresh")).to_have_text("live", timeout=SLOW)
    until(lambda: page.evaluate(f"{STORE}.store.lines.length") > 0, seconds=60)


@pytest.mark.both
def test_three_instances_are_followed_and_a_pause_loses_nothing(page: Page, portal: Portal, talk: str) -> None:
    opened(page, portal, talk)
    for number in (1, 2, 3):
        expect(page.get_by_role("button", name=f"web {number}", exact=True)).to_be_visible(timeout=SLOW)
    expect(page.locator("[data-logs] .log-line", has_text="tick").last).to_be_visible()

    page.get_by_role("button", name="Pause").click()
    before = newest(page)
    expect(page.locator(".log-legend .fresh")).to_have_text(re.compile(r"paused, [1-9]\d* new lines?"))
    assert newest(page) == before
    page.evaluate(f"{STORE}.overfull()")  # more was written than a page may hold: the rest is read again later
    expect(page.locator(".log-legend .fresh")).to_have_text(re.compile("paused"))
    page.get_by_role("button", name="Follow").click()
    until(lambda: newest(page) > before + 3, seconds=60)
    assert all(whole(page, f"web {number}") for number in (1, 2, 3))

    for _cut in range(3):
        seen = newest(page)
        page.evaluate(f"{STORE}.stream.socket && {STORE}.stream.socket.close()")
        until(lambda seen=seen: newest(page) > seen + 1, seconds=60)
    assert all(whole(page, f"web {number}") for number in (1, 2, 3))


def test_an_engine_that_goes_away_in_the_middle(page: Page, portal: Portal, talk: str, proxy: FaultProxy) -> None:
    opened(page, portal, talk)
    proxy.refusing = True
    proxy.cut()
    try:
        expect(page.locator(".log-legend .fresh")).to_have_text(re.compile("trying again"), timeout=SLOW)
    finally:
        proxy.well()
    seen = newest(page)
    expect(page.locator(".log-legend .fresh")).to_have_text("live", timeout=SLOW)
    until(lambda: newest(page) > seen, seconds=60)
    assert all(whole(page, f"web {number}") for number in (1, 2, 3))


def test_searching_and_filtering(page: Page, portal: Portal, talk: str) -> None:
    opened(page, portal, talk)
    page.keyboard.press("/")
    page.keyboard.type("PAYMENT refused")
    found = page.locator('[data-log-part="found"]')
    expect(found).to_have_text("3 found")
    page.keyboard.press("Enter")  # the newest first
    expect(found).to_have_text("3 of 3 found")
    expect(page.locator(".log-line.is-current mark")).to_have_text("payment refused")
    page.locator("[data-logs]").focus()
    page.keyboard.press("N")
    expect(found).to_have_text("2 of 3 found")
    page.keyboard.press("n")
    expect(found).to_have_text("3 of 3 found")
    assert "search=PAYMENT" in page.url

    page.get_by_role("button", name="Only these").click()
    expect(page.locator("[data-logs] .log-line:not(.is-more)")).to_have_count(3)
    # made anew, it is still the one that was gone to
    expect(page.locator(".log-line.is-current mark")).to_have_text("payment refused")
    # to look whether a line is one of them is no reason to mark from its end on
    page.evaluate(f"{STORE}.store.found({STORE}.store.matches()[0]); {STORE}.screen.redrawRows()")
    expect(page.locator("[data-logs] .log-line mark")).to_have_count(3)
    page.get_by_role("button", name="Show them").first.click()
    until(lambda: page.locator("[data-logs] .log-line").count() > 10, seconds=60)

    page.get_by_label("Search in the log").fill("")
    page.get_by_label("Level", exact=True).select_option("error")
    until(lambda: {"tick", "nul"}.isdisjoint(words(page)), seconds=60)
    # what belongs to an error stays with it
    expect(page.locator("[data-logs]")).to_contain_text("ValueError: no such order")
    page.get_by_role("button", name="web 2", exact=True).click()
    until(lambda: sources(page) == {"web 2"}, seconds=60)
    page.reload()
    until(lambda: sources(page) == {"web 2"}, seconds=60)
    expect(page.get_by_label("Level", exact=True)).to_have_value("error")


def words(page: Page) -> set[str]:
    return {text.split(" ")[0] for text in page.locator("[data-logs] .log-line .line").all_inner_texts() if text}


def sources(page: Page) -> set[str]:
    return {text for text in page.locator("[data-logs] [data-part=lines] .from").all_inner_texts() if text}


def test_hostile_lines_are_text(page: Page, portal: Portal, talk: str) -> None:
    opened(page, portal, f"{talk}&service=web")
    title = page.title()
    page.get_by_label("Search in the log").fill("<b>bold</b>")
    page.keyboard.press("Enter")
    line = page.locator(".log-line.is-current")
    expect(line).to_contain_text("<b>bold</b> <script>alert(1)</script> red \u2039U+202E\u203artl")
    expect(line.locator(".ansi-red-fg")).to_have_text("red")
    assert page.locator("[data-logs] script, [data-logs] b").count() == 0
    assert page.title() == title
    expect(page.locator("[data-logs]")).to_contain_text("nul \ufffd here")
    expect(page.locator("[data-logs]")).to_contain_text("broken \ufffd\ufffd utf")
    assert page.evaluate(f"Math.max(...{STORE}.store.lines.map(l => l.text.length))") == 16384
    page.get_by_label("Search in the log").fill("xxxxxxxxxxxxxxxxxxxx")
    page.keyboard.press("Enter")
    expect(page.locator(".log-line.is-current .log-cut")).to_contain_text("cut here")


def test_a_line_is_opened_and_what_stands_around_it(page: Page, portal: Portal, talk: str) -> None:
    opened(page, portal, f"{talk}&level=error&service=web")
    page.get_by_role("button", name="Pause").click()
    row = page.locator("[data-logs] .log-line", has_text="payment refused").first
    row.locator(".line").click()
    expect(page.locator(".log-detail pre")).to_contain_text('"order": 440218')
    before = page.locator("[data-logs] .log-line").count()
    page.get_by_role("button", name="Lines around it").click()
    until(lambda: page.locator("[data-logs] .log-line").count() > before, seconds=60)


@pytest.mark.both
def test_the_last_lines_of_what_crashed_stand_on_top(page: Page, portal: Portal, talk: str) -> None:
    sign_in(page, portal)
    until(lambda: page.goto(talk) and page.locator(".log-crash").count() == 1, seconds=60, every=1.0)
    crash = page.locator(".log-crash")
    expect(crash).to_contain_text("worker 1 crashed with exit code 3")
    expect(crash).to_contain_text("fatal: no luck today")


def test_jumping_to_a_time_and_a_stretch_of_the_past(page: Page, portal: Portal, talk: str) -> None:
    opened(page, portal, talk)
    at = page.evaluate(f"{STORE}.store.lines[Math.floor({STORE}.store.lines.length / 2)].written_at")[:19]
    page.get_by_text("Jump to time", exact=True).click()
    page.get_by_label("Time", exact=True).fill(at)
    page.get_by_role("button", name="Jump", exact=True).click()
    current = page.locator(".log-line.is-current time")
    expect(current).to_have_attribute("datetime", re.compile(f"^{at}"), timeout=SLOW)
    assert "at=" in page.url
    page.goto(f"{talk}&from={at}&to={at}.999999")
    expect(page.locator(".log-legend .fresh")).to_have_text("complete", timeout=SLOW)
    times = page.evaluate(f"{STORE}.store.lines.map(l => l.written_at.slice(0, 19))")
    assert set(times) == {at}


def test_downloading_exactly_this(page: Page, portal: Portal, talk: str) -> None:
    opened(page, portal, f"{talk}&service=web")
    page.get_by_label("Level", exact=True).select_option("error")
    page.locator("summary", has_text="Download").click()
    with page.expect_download() as text:
        page.get_by_role("link", name="These lines as text").click()
    lines = text.value.path().read_bytes().splitlines()
    assert {line.split(b" ", 2)[2] for line in lines} == {
        b'{"level":50,"msg":"payment refused","order":440218}',
        b"Traceback (most recent call last):",
        b'  File "app.py", line 3',
        b"ValueError: no such order",
    }
    with page.expect_download() as packed:
        page.get_by_role("link", name="These lines, a file for each instance (zip)").click()
    with zipfile.ZipFile(io.BytesIO(packed.value.path().read_bytes())) as archive:
        assert sorted(name.split("-")[0] for name in archive.namelist()) == ["web/1", "web/2", "web/3"]


@pytest.mark.parametrize("width", [390, 1024])
def test_no_width_scrolls_sideways(page: Page, portal: Portal, talk: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 850})
    opened(page, portal, talk)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


MOVE = """async () => {
  const log = document.querySelector('[data-logs]'), times = [];
  let last = performance.now();
  for (let turn = 0; turn < 120; turn += 1) {
    log.scrollTop -= 900;
    await new Promise(requestAnimationFrame);
    times.push(performance.now() - last);
    last = performance.now();
  }
  return times.sort((a, b) => a - b);
}"""


def test_a_hundred_thousand_lines(
    page: Page, portal: Portal, flood: str, record_property: Callable[[str, object], None]
) -> None:
    opened(page, portal, flood)
    until(lambda: page.evaluate(f"{STORE}.store.lines.at(-1).text").startswith(f"line {LINES} "), seconds=120)
    until(lambda: not page.evaluate(f"{STORE}.loadOlder()"), seconds=120)
    numbers = page.evaluate(f"{STORE}.store.lines.map(l => Number(l.text.split(' ')[1]))")
    assert numbers == list(range(LINES - len(numbers) + 1, LINES + 1))
    assert len(numbers) >= LINES - 1
    frames = page.evaluate(MOVE)
    heap = page.evaluate("performance.memory ? performance.memory.usedJSHeapSize / 1048576 : 0")
    record_property("measured", f"frames p50 {frames[60]:.0f} ms, longest {frames[-1]:.0f} ms; heap {heap:.0f} MiB")
    assert frames[60] < 60
    assert heap < 400
    page.get_by_label("Search in the log").fill("line 77777 ")
    page.keyboard.press("Enter")
    expect(page.locator(".log-line.is-current mark")).to_have_text("line 77777", timeout=SLOW)
