"""Real portals on one real engine, on which no module leaves anything that runs."""

from collections.abc import Iterator

import pytest

from tests.e2e.browser import chromium, page
from tests.e2e.portal import Portal
from tests.engine import LiveEngine, engine
from tests.faults import leftovers

__all__ = ["chromium", "engine", "page", "portal"]


@pytest.fixture(scope="module", autouse=True)
def _left_empty(engine: LiveEngine) -> Iterator[None]:
    """What a module deployed would be asked for its health while the next ones run."""
    yield
    leftovers.clear_all(engine)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory, engine: LiveEngine) -> Iterator[Portal]:
    made = Portal.prepared(tmp_path_factory.mktemp("portal"), engine)
    made.start()
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture(autouse=True)
def _fast_passwords() -> None:
    """These tests meet the portal as it is: no settings are changed for them."""


@pytest.fixture(autouse=True)
def wakeups() -> None:
    """Messages go through the portal's own broker."""
