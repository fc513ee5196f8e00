"""Consoles, logs and usage of a real portal on a real Kubernetes, as a program with a token sees them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from launcher.processes import until
from tests.cluster import LiveCluster, kubernetes
from tests.console.programs import Program
from tests.e2e.portal import Portal
from tests.faults.caller import SHOP, Caller, spec

__all__ = ["kubernetes"]

pytestmark = pytest.mark.kubernetes
SECONDS = 60.0


@dataclass
class Far(Program):
    """In an environment on the other cluster."""

    @property
    def place(self) -> str:
        return f"{SHOP}/apps/{self.app}/environments/far"

    def instances(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.caller.read(f"{self.place}/instances")["results"]
        return found


@pytest.fixture(autouse=True)
def _fast_passwords() -> None:
    """The portal as it is: no settings are changed for it."""


@pytest.fixture(autouse=True)
def wakeups() -> None:
    """Messages go through the portal's own broker."""


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory, kubernetes: LiveCluster) -> Iterator[Portal]:
    """Without an engine of its own, but with a cluster that was made known by its kubeconfig."""
    state: Path = tmp_path_factory.mktemp("portal")
    made = Portal.prepared(state, None)
    file = state / "kubeconfig"
    file.write_text(kubernetes.kubeconfig)
    samples = ["berth/hello:1", "berth/hello:crash"]
    made.manage("add_cluster", "east", "--kubeconfig", str(file), "--everyone", "--samples", *samples)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def program(portal: Portal) -> Iterator[Far]:
    caller = Caller(portal.url, portal.token())
    made = caller.post(f"{SHOP}/environments", {"name": "far", "stage": "dev", "cluster": "east"})
    assert made.status == 201, made.body
    operation = caller.deploy("looked-into", environment="far", spec=spec(instances=2))
    assert caller.ended(operation)["state"] == "succeeded"
    found = Far(caller, "looked-into")
    assert until(lambda: caller.read(found.place)["running"] == 2, seconds=SECONDS)
    yield found
    stopped = caller.post(f"{found.place}/stop")
    assert stopped.status == 202, stopped.body
    assert caller.ended(stopped.json)["state"] == "succeeded"


def test_it_is_a_terminal(program: Far) -> None:
    line = program.open()
    line.say(resize=[100, 31])
    line.type(b"echo $TERM; tty\n")
    line.until(b"xterm-256color").until(b"/dev/pts/")
    line.type(b"stty size\n")
    line.until(b"31 100")
    line.type(b"exit 7\n")
    assert line.until_told("exit") == 7
    assert line.until_closed() == 1000


def test_a_console_that_is_ended_leaves_nothing_behind(program: Far) -> None:
    line = program.open()
    line.type(b"sleep 4000 & setsid sleep 5000 & echo DO''NE\n")
    line.until(b"DONE")
    assert until(lambda: left(program) == {"4000", "5000"}, seconds=SECONDS)
    program.end(line)
    assert until(lambda: left(program) == set(), seconds=SECONDS)


def left(program: Far) -> set[str]:
    """Which of the sleeps above are there."""
    line = program.open()
    line.type(b"ps -o args; echo EN''D\n")
    line.until(b"END")
    program.end(line)
    rows = [row.split() for row in line.text.decode(errors="replace").splitlines()]
    return {row[-1] for row in rows if row[-2:-1] == ["sleep"]} & {"4000", "5000"}


def test_its_lines_are_read_and_downloaded(program: Far) -> None:
    def written() -> list[str]:
        answer = program.caller.get(f"{program.place}/logs")
        assert answer.status == 200, answer.body
        return [line for line in answer.body.decode().splitlines() if "listening on port 8080" in line]

    assert until(lambda: len(written()) == 2, seconds=SECONDS)
    instance = program.instance()
    answer = program.caller.get(f"{program.place}/logs/download?instance={instance}&timestamps=false")
    assert answer.status == 200
    assert answer.body.startswith(b"hello 1 on ")


def test_what_it_uses_is_measured(program: Far) -> None:
    def used() -> bool:
        series = program.caller.read(f"{program.place}/metrics")["series"]
        return sum(any(number for number in one["memory_bytes"] if number) for one in series) == 2

    assert until(used, seconds=SECONDS, every=0.5)


def test_what_cannot_run_says_why_in_the_same_words(program: Far) -> None:
    operation = program.caller.deploy(
        "never", environment="far", spec=spec("berth/hello:crash", healthcheck={"disable": True})
    )
    ended = program.caller.ended(operation)
    assert ended["state"] == "failed"
    assert "exit code 1" in json.dumps(ended)
