"""Releases that cannot run, on a real engine: they fail in words, and the old version answers the whole time."""

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from launcher.engine_api import EngineClient
from tests.e2e.portal import Portal, until
from tests.engine import LiveEngine
from tests.faults.caller import SHOP, Caller, spec

pytestmark = pytest.mark.live
GONE = "berth/gone:1"
BAD = {  # app: (image, codes that may be its reason, a word the reader finds)
    "sick": ("berth/hello:unhealthy", {"unhealthy"}, "health"),
    "crashing": ("berth/hello:crash", {"exited", "crashing"}, "exit"),
    "absent": (GONE, {"image_not_found"}, GONE),
}


@pytest.fixture(scope="module")
def vanished(portal: Portal, engine: LiveEngine) -> None:
    """An image in the portal's list that is on no engine and in no registry any more."""
    client = EngineClient(engine.url, timeout_seconds=60)
    made = client.call("POST", "/containers/create", body={"Image": "berth/hello:1", "Labels": {"gone": "1"}})["Id"]
    client.call("POST", f"/commit?container={made}&repo=berth/gone&tag=1")
    client.call("DELETE", f"/containers/{made}")
    address = ("--engine-url", portal.engine_url, "--engine-address", portal.engine_address)
    portal.manage("prepare", *address, "--samples", GONE)
    client.call("DELETE", f"/images/{GONE}")


class Visitor:
    """Asks every address (of which app) again and again, and notes each time it got no good answer."""

    def __init__(self, addresses: dict[str, str]) -> None:
        self.addresses = addresses
        self.visits = 0
        self.faults: list[str] = []
        self.enough = threading.Event()

    def run(self) -> None:
        while not self.enough.wait(0.1):
            for address in self.addresses:
                self.visit(address)

    def visit(self, address: str) -> None:
        self.visits += 1
        try:
            said = urllib.request.urlopen(f"http://{address}/whoami", timeout=10).read().decode()
        except (urllib.error.URLError, OSError) as error:
            self.faults.append(f"{self.addresses[address]} at {address}: {error}")
        else:
            if not said.startswith("hello 1"):
                self.faults.append(f"{self.addresses[address]} at {address}: {said}")


@contextmanager
def visiting(addresses: dict[str, str]) -> Iterator[Visitor]:
    visitor = Visitor(addresses)
    thread = threading.Thread(target=visitor.run, daemon=True)
    thread.start()
    try:
        yield visitor
    finally:
        visitor.enough.set()
        thread.join(timeout=60)


def addresses_of(caller: Caller, app: str) -> list[str]:
    """Where the instances that run answer from outside: host:port."""
    rows = caller.read(f"{SHOP}/apps/{app}/environments/dev/instances")["results"]
    return [one["address"] for row in rows if row["state"] == "running" for one in row["addresses"]]


def tasks_of(engine: LiveEngine) -> str:
    """What the engine did with each instance, in its own words."""
    found = [
        (one["CreatedAt"], one["Slot"], one["DesiredState"], one["Status"], one["Spec"]["ContainerSpec"]["Image"])
        for one in engine.call().call("GET", "/tasks")
    ]
    return "\n".join(map(str, sorted(found, key=lambda one: one[0])))


def test_the_old_version_serves_on(caller: Caller, portal: Portal, engine: LiveEngine, vanished: None) -> None:
    for operation in [caller.deploy(app, spec=spec(instances=2)) for app in BAD]:
        assert caller.ended(operation)["state"] == "succeeded", operation
    for app in BAD:
        until(lambda app=app: len(addresses_of(caller, app)) == 2, seconds=90)
    with visiting({address: app for app in BAD for address in addresses_of(caller, app)}) as visitor:
        begun = {app: caller.deploy(app, image=image) for app, (image, _codes, _word) in BAD.items()}
        ends = {app: caller.ended(operation) for app, operation in begun.items()}
        seen = visitor.visits
        until(lambda: visitor.visits > seen + 12, seconds=90)  # and some time after the end
    assert visitor.faults == [], tasks_of(engine)
    for app, (_image, codes, word) in BAD.items():
        failure = ends[app]["failure"]
        assert (ends[app]["state"], failure["code"] in codes) == ("failed", True), (app, ends[app])
        assert word in failure["message"], failure
        assert failure["hint"], failure
        place = caller.read(f"{SHOP}/apps/{app}/environments/dev")
        assert (place["release_number"], place["running"]) == (1, 2), (app, place)


def test_the_last_lines_stand_on_the_page(caller: Caller, portal: Portal) -> None:
    browser = Caller(portal.url)
    browser.sign_in("owner", portal.password)
    page = browser.get("/t/demo/p/shop/apps/crashing/deployments/2/").body.decode()
    assert "fatal: giving up" in page
    assert "not ready, so /healthz answers 404" in browser.get("/t/demo/p/shop/apps/sick/deployments/2/").body.decode()
