"""Workers that stop, starve or dawdle in the middle of a step: the operation is done once, by one of them."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from psycopg import Connection

from launcher.engine_api import EngineClient
from launcher.paths import PYTHON, ROOT
from launcher.processes import Mark, spawn
from tests.e2e.portal import until
from tests.engine import LiveEngine
from tests.faults.caller import SHOP, Caller, spec
from tests.faults.leftovers import services_on
from tests.faults.many.rows import ends, engine_names, everything_about, expire, fence
from tests.installation import Installation

pytestmark = pytest.mark.live
START_SECONDS = 60.0


@dataclass(frozen=True)
class Troubled:
    folder: Path

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()[-3000:]

    @property
    def child(self) -> int:
        """The process that is in trouble."""
        return int((self.folder / "in trouble").read_text())

    def has(self, file: str, *, seconds: float = START_SECONDS) -> None:
        """Wait until it has come so far."""
        until((self.folder / file).exists, seconds=seconds, said=lambda: f"never “{file}”: {self.log}")


@contextmanager
def alone(berth: Installation, mood: str, folder: Path) -> Iterator[Troubled]:
    """A troubled worker in the place of the good one."""
    berth.processes["worker"].end(grace_seconds=30)
    troubled = Troubled(folder)
    words = [str(PYTHON), "tests/faults/many/troubled_worker.py", mood, str(folder)]
    with (folder / "log").open("ab") as log:
        mark = Mark.of(spawn(words, log=log, env=berth.environment, cwd=ROOT).pid)
    assert mark is not None
    try:
        yield troubled
    finally:
        if (folder / "in trouble").exists() and (child := Mark.of(troubled.child)):
            child.send(signal.SIGCONT)
        mark.end(grace_seconds=20)
        if not berth.processes["worker"].alive():
            berth.start("worker")


def done_once(database: Connection, engine: LiveEngine, app: str, operation: str) -> None:
    held = [one for name in engine_names(database, app=app) for one in services_on(EngineClient(engine.url), name)]
    assert (ends(database, operation), len(held)) == (["done"], 1)


def test_a_stopped_worker_that_wakes_late_writes_nothing(
    berth: Installation, caller: Caller, database: Connection, engine: LiveEngine, tmp_path: Path
) -> None:
    with alone(berth, "stopped after the engine was asked", tmp_path) as troubled:
        operation = caller.deploy("stopped", spec=spec())
        troubled.has("in trouble")
        expire(database, operation["id"])
        berth.start("worker")
        assert caller.ended(operation)["state"] == "succeeded"
        before = everything_about(database, operation["id"])
        os.kill(troubled.child, signal.SIGCONT)
        troubled.has("went on")
        troubled.has(f"over {troubled.child}")
        assert everything_about(database, operation["id"]) == before
        done_once(database, engine, "stopped", operation["id"])


def test_a_stopped_worker_that_wakes_late_brings_nothing_old_back(
    berth: Installation, caller: Caller, database: Connection, engine: LiveEngine, tmp_path: Path
) -> None:
    """It was about to ask for release 1 when it was stopped; meanwhile release 2 came to run."""
    with alone(berth, "stopped before the engine is asked", tmp_path) as troubled:
        first = caller.deploy("late", spec=spec())
        troubled.has("in trouble")
        expire(database, first["id"])
        berth.start("worker")
        assert caller.ended(first)["state"] == "succeeded"
        second = caller.deploy("late", image="berth/hello:2")
        assert caller.ended(second)["state"] == "succeeded"
        (name,) = [one for one in engine_names(database, app="late") if services_on(EngineClient(engine.url), one)]
        before = services_on(EngineClient(engine.url), name)
        os.kill(troubled.child, signal.SIGCONT)
        troubled.has(f"over {troubled.child}")
        assert services_on(EngineClient(engine.url), name) == before
        assert caller.read(f"{SHOP}/apps/late/environments/dev")["release_number"] == 2


def test_a_worker_without_memory_leaves_it_to_another(
    berth: Installation, caller: Caller, database: Connection, engine: LiveEngine, tmp_path: Path
) -> None:
    with alone(berth, "hungry", tmp_path) as troubled:
        operation = caller.deploy("hungry", spec=spec())
        troubled.has("in trouble")
        until(lambda: "MemoryError" in troubled.log, seconds=30, said=lambda: troubled.log)
        assert not (tmp_path / "went on").exists()
        berth.start("worker")
        expire(database, operation["id"])
        assert caller.ended(operation)["state"] == "succeeded"
        done_once(database, engine, "hungry", operation["id"])


def test_a_step_that_takes_longer_than_a_lease_is_not_taken_over(
    berth: Installation, caller: Caller, database: Connection, engine: LiveEngine, tmp_path: Path
) -> None:
    """A worker that lives and only waits for a slow engine keeps its lease; others look for late rows meanwhile."""
    with alone(berth, "slow", tmp_path) as troubled:
        operation = caller.deploy("dawdling", spec=spec())
        troubled.has("in trouble")
        held = fence(database, operation["id"])
        berth.start("worker")
        troubled.has("went on")
        assert fence(database, operation["id"]) == held, "another worker took it over"
        assert caller.ended(operation)["state"] == "succeeded"
        done_once(database, engine, "dawdling", operation["id"])
