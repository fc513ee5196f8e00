"""An engine that is stopped and started again under a portal that runs on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from launcher import sample_images
from launcher.engine import PrivateEngine
from tests.e2e.portal import Portal, until
from tests.engine import LiveEngine
from tests.faults.caller import SHOP, Caller, spec

pytestmark = pytest.mark.live
APP = f"{SHOP}/apps/{{}}"
PLACE = f"{APP}/environments/dev"


@pytest.fixture(autouse=True)
def _fast_passwords() -> None:
    """The portal as it is: no settings are changed for it."""


@pytest.fixture(autouse=True)
def wakeups() -> None:
    """Messages go through the portal's own broker."""


@pytest.fixture
def own(tmp_path: Path) -> Iterator[PrivateEngine]:
    """An engine that may be stopped: nobody else uses it."""
    made = PrivateEngine(tmp_path / "engine")
    sample_images.ensure(made.start().url)
    yield made
    made.destroy()


@pytest.fixture
def portal(tmp_path: Path, own: PrivateEngine) -> Iterator[Portal]:
    (tmp_path / "portal").mkdir()
    made = Portal.prepared(tmp_path / "portal", LiveEngine(own.url, own.address))
    made.start()
    yield made
    made.stop()


def test_pages_answer_and_what_was_accepted_is_done_when_it_is_back(portal: Portal, own: PrivateEngine) -> None:
    caller, browser = Caller(portal.url, portal.token()), Caller(portal.url)
    browser.sign_in("owner", portal.password)
    assert caller.ended(caller.deploy("before", spec=spec(instances=2)))["state"] == "succeeded"
    until(lambda: caller.read(PLACE.format("before"))["running"] == 2, seconds=90)

    own.stop()
    until(lambda: is_away(caller), seconds=90)
    the_cluster_page_says_it(browser)
    for page in ("/", "/t/demo/p/shop/", "/t/demo/p/shop/deploy/", "/t/demo/p/shop/apps/before/"):
        answer = browser.get(page)
        assert answer.status == 200, (page, answer.status)
    waiting = caller.deploy("meanwhile", spec=spec())
    address = f"/api/v1/operations/{waiting['id']}"
    until(lambda: "engine_away" in codes(caller, address), seconds=90)
    assert caller.read(address)["active"]

    own.start()
    assert caller.ended(waiting)["state"] == "succeeded"
    until(lambda: not is_away(caller), seconds=60)
    until(lambda: caller.read(PLACE.format("before"))["running"] == 2, seconds=60)
    assert codes(caller, address).count("engine_away") < 4, "it is said when its words change, not at every look"
    assert len(caller.read(f"{APP.format('before')}/deployments")["results"]) == 1, "nobody had to do anything"
    assert portal.process is not None
    assert portal.process.poll() is None


def is_away(caller: Caller) -> bool:
    return bool(caller.read("/api/v1/clusters/local")["state"] == "away")


def codes(caller: Caller, operation: str) -> list[str]:
    return [event["code"] for event in caller.read(f"{operation}/events")["results"]]


def the_cluster_page_says_it(browser: Caller) -> None:
    """In its last moments an engine may say other things than that it is away, hence the wait."""
    page = until(lambda: told(browser, "Berth tries again by itself"), seconds=90)
    assert "does not answer" in page
    assert "last seen" in page


def told(browser: Caller, text: str) -> str:
    page = browser.get("/clusters/")
    assert page.status == 200
    return page.body.decode() if text in page.body.decode() else ""
