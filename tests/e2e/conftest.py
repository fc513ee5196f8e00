"""Real portals on real engines, on which no module leaves anything that runs.

A test marked `both` runs on each kind of engine; the others on the Swarm alone.
"""

from collections.abc import Generator, Iterator

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page

from tests.cluster import kubernetes
from tests.e2e.browser import chromium, page
from tests.e2e.grounds import Ground, OnKubernetes, OnSwarm
from tests.e2e.portal import Portal
from tests.engine import LiveEngine, engine
from tests.faults import leftovers

__all__ = ["chromium", "engine", "kubernetes", "page", "portal"]
SWARM, KUBERNETES = "swarm", "kubernetes"
MOST_SHOWN = 5000  # characters


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "ground" in metafunc.fixturenames:
        both = metafunc.definition.get_closest_marker("both") is not None
        other = [pytest.param(KUBERNETES, marks=pytest.mark.kubernetes)] if both else []
        metafunc.parametrize("ground", [SWARM, *other], indirect=True, scope="module")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With what failed comes what its page showed by then: a lost click and a refused form look alike otherwise."""
    report = yield
    shown: Page | None = getattr(item, "funcargs", {}).get("page")
    if report.when == "call" and report.failed and shown is not None:
        try:
            words = shown.locator("body").inner_text(timeout=5_000)
        except PlaywrightError as error:
            words = str(error)
        report.sections.append(("what the page showed", f"{shown.url}\n{words[:MOST_SHOWN]}"))
    return report


@pytest.fixture(scope="module", autouse=True)
def _left_empty(engine: LiveEngine) -> Iterator[None]:
    """What a module deployed would be asked for its health while the next ones run."""
    yield
    leftovers.clear_all(engine)


@pytest.fixture(scope="module")
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    """What the module's portal deploys to. Only what is asked for is started."""
    if request.param == SWARM:
        yield OnSwarm(request.getfixturevalue("engine"))
        return
    made = OnKubernetes(request.getfixturevalue("kubernetes"))
    yield made
    made.clear()


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory, ground: Ground) -> Iterator[Portal]:
    made = ground.portal(tmp_path_factory.mktemp("portal"))
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
