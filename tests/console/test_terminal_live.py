"""Consoles on a real portal and a real engine: nothing is left behind, memory stays flat, faults are told."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from launcher.processes import until
from tests.console.programs import Line, Program
from tests.e2e.portal import Portal
from tests.engine import LiveEngine, engine
from tests.faults.caller import Caller, spec
from tests.faults.proxy import FaultProxy

__all__ = ["engine"]

pytestmark = pytest.mark.live
MEBIBYTE = 1 << 20
CONSOLES = 100
STARTED_HERE = re.compile(r"sh$|sleep \d{4}$|yes$|cat /dev|od -x$")
AT_ONCE = 4


@pytest.fixture(autouse=True)
def _fast_passwords() -> None:
    """The portal as it is: no settings are changed for it."""


@pytest.fixture(autouse=True)
def wakeups() -> None:
    """Messages go through the portal's own broker."""


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory, engine: LiveEngine) -> Iterator[FaultProxy]:
    made = FaultProxy(tmp_path_factory.mktemp("proxy") / "engine.sock", engine.url)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory, engine: LiveEngine, proxy: FaultProxy) -> Iterator[Portal]:
    made = Portal.prepared(tmp_path_factory.mktemp("portal"), LiveEngine(proxy.url, engine.address))
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def program(portal: Portal) -> Program:
    caller = Caller(portal.url, portal.token())
    assert caller.ended(caller.deploy("looked-into", spec=spec(instances=2)))["state"] == "succeeded"
    found = Program(caller, "looked-into")
    assert until(lambda: caller.read(found.place)["running"] == 2, seconds=60)
    return found


@pytest.fixture(scope="module")
def processes(engine: LiveEngine, program: Program) -> Callable[[], list[str]]:
    """What consoles of these tests started and still runs, in all instances, as the engine's host sees it."""

    def look() -> list[str]:
        containers = engine.call().call("GET", "/containers/json")
        tops = [engine.call().call("GET", f"/containers/{one['Id']}/top?ps_args=-eo%20pid,args") for one in containers]
        return sorted(row[-1] for top in tops for row in top["Processes"] if STARTED_HERE.match(row[-1]))

    return look


def settled(processes: Callable[[], list[str]], *, seconds: float) -> None:
    assert until(lambda: processes() == [], seconds=seconds, every=0.5), processes()


def test_it_is_a_terminal(program: Program) -> None:
    line = program.open()
    line.say(resize=[100, 31])
    line.type(b"stty size; echo $TERM; tty\n")
    line.until(b"31 100").until(b"xterm-256color").until(b"/dev/pts/")
    line.type(b"exit 7\n")
    assert line.until_told("exit") == 7
    assert line.until_closed() == 1000


def test_unread_floods_take_no_memory_and_hold_up_nobody(portal: Portal, program: Program) -> None:
    assert portal.process is not None
    memory = psutil.Process(portal.process.pid).memory_info
    quiet = program.open()
    quiet.until(b"$ ")
    warm = program.open(acks=False)
    warm.type(b"yes\n")
    warm.until(b"y\r\ny\r\n")
    before = memory().rss
    floods = [program.open(acks=False) for _turn in range(6)]
    for flood in floods:
        flood.type(b"cat /dev/urandom | od -x & yes\n")
        flood.until_pouring()
    for turn in range(20):
        quiet.type(b"echo still-%d-here\n" % turn)
        quiet.until(b"still-%d-here\r\n" % turn, seconds=20)
    assert memory().rss - before < len(floods) * MEBIBYTE
    for line in [*floods, warm, quiet]:
        program.end(line)


def test_a_hundred_consoles_leave_nothing(program: Program, processes: Callable[[], list[str]]) -> None:
    instances = [program.instance(1), program.instance(2)]
    for turn in range(CONSOLES // AT_ONCE):
        lines = [program.open(instance=instances[number % 2]) for number in range(AT_ONCE)]
        for line in lines:
            line.type(b"sleep 4000 & setsid sleep 5000 & (sleep 6000; true) & echo DO''NE\n")
            line.until(b"DONE\r\n")
        for line in lines:
            leave(program, line, turn)
    settled(processes, seconds=90)


def leave(program: Program, line: Line, turn: int) -> None:
    """By exit, by command, and once by a browser that is killed."""
    if turn % 3 == 0:
        line.type(b"exit 0\n")
        line.until_told("exit")
    else:
        program.end(line)


def test_a_killed_browser_leaves_nothing_after_a_minute(program: Program, processes: Callable[[], list[str]]) -> None:
    lines = [program.open() for _turn in range(3)]
    for line in lines:
        line.type(b"sleep 4711\n")
    assert until(lambda: sum("sleep 4711" in one for one in processes()) == 3, seconds=60, every=0.5)
    for line in lines:
        line.kill()
    settled(processes, seconds=60)


def test_an_engine_that_goes_in_the_middle_is_told_and_nothing_stays(
    program: Program, proxy: FaultProxy, processes: Callable[[], list[str]]
) -> None:
    line = program.open()
    line.type(b"sleep 4712\n")
    assert until(lambda: any("sleep 4712" in one for one in processes()), seconds=60, every=0.5)
    proxy.refusing = True
    assert proxy.cut("POST /exec") >= 1
    ending = line.until_told("ended", seconds=60)
    assert "does not answer" in ending["said"]
    assert ending["hint"]
    assert line.until_closed() == 4503
    away = program.caller.post(f"{program.place}/consoles", {"instance": instance_of(program, line)})
    assert away.status == 201
    late = program.join(away.json)
    assert "does not answer" in late.until_told("ended", seconds=60)["said"]
    proxy.well()
    settled(processes, seconds=60)
    again = program.open()
    again.type(b"echo back\n")
    again.until(b"back\r\n")
    program.end(again)


def instance_of(program: Program, line: Line) -> str:
    return str(program.caller.read(f"{program.place}/consoles/{line.id}")["instance"])


def test_the_log_of_the_portal_holds_no_ticket(portal: Portal, program: Program) -> None:
    asked = program.ask(instance=program.instance())
    line = program.join(asked)
    line.until(b"$ ")
    program.end(line)
    log = Path(portal.state / "serve.log").read_text()
    assert asked["ticket"] not in log
    assert "Traceback" not in log
