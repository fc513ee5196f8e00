"""Turns of projects, which workers carry out without an engine."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from launcher.processes import until
from tests.installation import Installation

PROJECTS = "/api/v1/tenants/demo/projects"
QUEUE = "berth:celery"
PATIENCE_SECONDS = 90.0


@contextmanager
def without(berth: Installation, *names: str) -> Iterator[None]:
    """While these processes are stopped; others take their place, and they come back afterwards."""
    for name in names:
        berth.processes[name].end(grace_seconds=20)
    try:
        yield
    finally:
        for name in names:
            berth.start(name)


def suspended(berth: Installation, name: str) -> str:
    """A project that is to be suspended; the id of the operation."""
    berth.post(PROJECTS, {"name": name})
    return str(berth.post(f"{PROJECTS}/{name}/suspend", {"reason": "a test"})["id"])


def comes_to_an_end(berth: Installation, database: psycopg.Connection, operation: str, *, by: str) -> None:
    """Wait until it has succeeded. `by`: the worker whose log says more where it does not."""

    def state() -> str:
        asked = "SELECT state FROM operations_operation WHERE id = %s"
        (found,) = database.execute(asked, [operation]).fetchone() or ("",)
        return str(found)

    assert until(lambda: state() == "succeeded", seconds=PATIENCE_SECONDS, every=0.2), f"{state()} {berth.said(by)}"
