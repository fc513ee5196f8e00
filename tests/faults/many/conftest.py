"""Berth as separate processes on PostgreSQL and Redis, with a real engine."""

from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest

from tests.engine import LiveEngine
from tests.faults.caller import Caller
from tests.faults.leftovers import clear
from tests.faults.many.rows import engine_names
from tests.installation import Installation


@pytest.fixture(autouse=True)
def _fast_passwords() -> None:
    """These tests meet the processes as they are: no settings are changed for them."""


@pytest.fixture(autouse=True)
def wakeups() -> None:
    """Messages go through Redis."""


@pytest.fixture(scope="package")
def berth(engine: LiveEngine) -> Iterator[Installation]:
    with ExitStack() as undo:
        made = Installation.started(engine, undo)
        yield made
        with psycopg.connect(made.environment["DATABASE_URL"]) as database:
            clear(engine, engine_names(database))


@pytest.fixture(scope="package")
def caller(berth: Installation) -> Caller:
    return Caller(berth.url(""), berth.token)


@pytest.fixture
def database(berth: Installation) -> Iterator[psycopg.Connection]:
    """The rows themselves; each statement is its own transaction."""
    with psycopg.connect(berth.environment["DATABASE_URL"], autocommit=True) as connection:
        yield connection
