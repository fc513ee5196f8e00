"""A real portal in one process that reaches a real engine only through a proxy that can make trouble."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.e2e.portal import Portal
from tests.engine import LiveEngine
from tests.faults.caller import Caller
from tests.faults.leftovers import clear
from tests.faults.proxy import FaultProxy


@pytest.fixture(autouse=True)
def _fast_passwords() -> None:
    """These tests meet the portal as it is: no settings are changed for them."""


@pytest.fixture(autouse=True)
def wakeups() -> None:
    """Messages go through the portal's own broker."""


@pytest.fixture(scope="package")
def through(tmp_path_factory: pytest.TempPathFactory, engine: LiveEngine) -> Iterator[FaultProxy]:
    """The proxy, well."""
    made = FaultProxy(tmp_path_factory.mktemp("p") / "s", engine.url)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="package")
def portal(tmp_path_factory: pytest.TempPathFactory, engine: LiveEngine, through: FaultProxy) -> Iterator[Portal]:
    made = Portal.prepared(tmp_path_factory.mktemp("portal"), LiveEngine(through.url, engine.address))
    made.start()
    yield made
    made.stop()
    clear(engine, engine_names(made))


@pytest.fixture
def proxy(through: FaultProxy) -> Iterator[FaultProxy]:
    """The same, which is well again after each test."""
    yield through
    through.well()


@pytest.fixture(scope="package")
def caller(portal: Portal) -> Caller:
    return Caller(portal.url, portal.token())


def engine_names(portal: Portal) -> list[str]:
    with closing(sqlite3.connect(portal.state / "berth.sqlite3")) as rows:
        return [name for (name,) in rows.execute("SELECT engine_name FROM apps_appenvironment")]
