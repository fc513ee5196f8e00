"""A real portal in one process that reaches a real engine only through a proxy that can make trouble."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from launcher.engine_api import EngineClient, EngineError
from tests.e2e.portal import Portal
from tests.engine import LiveEngine
from tests.faults.caller import Caller
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
    clear(engine, made)


@pytest.fixture
def proxy(through: FaultProxy) -> Iterator[FaultProxy]:
    """The same, which is well again after each test."""
    yield through
    through.well()


@pytest.fixture(scope="package")
def caller(portal: Portal) -> Caller:
    return Caller(portal.url, portal.token())


def clear(engine: LiveEngine, portal: Portal) -> None:
    """Take away what this portal's apps left on the engine."""
    client = EngineClient(engine.url, timeout_seconds=30)
    for name in engine_names(portal):
        for service in services_on(client, name):
            client.call("DELETE", f"/services/{service}")


def engine_names(portal: Portal) -> list[str]:
    with closing(sqlite3.connect(portal.state / "berth.sqlite3")) as rows:
        return [name for (name,) in rows.execute("SELECT engine_name FROM apps_appenvironment")]


def services_on(client: EngineClient, app: str) -> list[str]:
    """Ids of the services that carry an app's label."""
    try:
        found = client.call("GET", f"/services?filters=%7B%22label%22%3A%5B%22berth.app%3D{app}%22%5D%7D")
    except EngineError:
        return []
    return [one["ID"] for one in found]
