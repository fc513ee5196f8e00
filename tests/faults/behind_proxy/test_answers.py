"""An engine that is slow, or whose answers or notices get lost on the way."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from backends.contract import DriverError
from backends.swarm.client import EngineClient as PatientClient
from launcher.engine_api import EngineClient
from tests.e2e.portal import Portal, until
from tests.engine import LiveEngine
from tests.faults.behind_proxy.rows import engine_name
from tests.faults.caller import SHOP, Answer, Caller, spec
from tests.faults.leftovers import services_on
from tests.faults.proxy import FaultProxy

pytestmark = pytest.mark.live
PLACE = f"{SHOP}/apps/{{}}/environments/dev"


def test_lost_answers_make_no_second_service(
    portal: Portal, caller: Caller, proxy: FaultProxy, engine: LiveEngine
) -> None:
    """The engine has done it, the portal never hears: it looks before it asks again."""
    proxy.losing = ("POST /services/create", "POST /networks/create")
    before = proxy.lost
    operation = caller.ended(caller.deploy("lost", spec=spec()))
    assert operation["state"] == "succeeded", operation
    assert proxy.lost > before, "no answer was lost: the test tried nothing"
    assert len(services_on(EngineClient(engine.url), engine_name(portal, "lost"))) == 1
    created = [one for one in proxy.requests if one.path == "/services/create"]
    assert len(created) == 1, "the creation was repeated blindly"


def test_lost_answers_of_an_update_make_one_update(caller: Caller, proxy: FaultProxy) -> None:
    caller.ended(caller.deploy("lost", spec=spec()))
    proxy.losing = ("POST /services/",)
    before = proxy.lost
    operation = caller.ended(caller.deploy("lost", image="berth/hello:2"))
    assert operation["state"] == "succeeded", operation
    assert proxy.lost == before + 1
    assert caller.read(PLACE.format("lost"))["services"][0]["image"] == "berth/hello:2"


def test_a_slow_engine_holds_up_nobody_but_its_own_operations(
    portal: Portal, caller: Caller, proxy: FaultProxy
) -> None:
    browser = Caller(portal.url)
    browser.sign_in("owner", portal.password)
    proxy.hold()
    asked = len(proxy.requests)
    operations = [caller.deploy(f"slow{number}", spec=spec()) for number in range(6)]  # more than there are workers
    until(lambda: len(proxy.requests) > asked + 4, seconds=60)
    for page in ("/", "/t/demo/p/shop/", "/t/demo/p/shop/deploy/", "/t/demo/p/shop/apps/slow0/", "/clusters/"):
        assert before_the_engine(proxy, partial(browser.get, page)).status == 200, page
    sent = {"name": "afterwards", "environment": "dev", "spec": spec()}
    accepted = before_the_engine(proxy, partial(caller.post, f"{SHOP}/apps", sent))
    assert accepted.status == 202, accepted.body
    proxy.well()
    proxy.cut()  # or each worker would first wait for the answer it was promised
    for operation in [*operations, accepted.json]:
        assert caller.ended(operation)["state"] == "succeeded"


def before_the_engine(proxy: FaultProxy, ask: Callable[[], Answer]) -> Answer:
    """The portal's answer. It comes while the engine still owes one that was asked for earlier, by the same client
    with the same patience: whoever waits for the engine comes after it.
    """
    with ThreadPoolExecutor(1) as pool:
        earlier = pool.submit(PatientClient(proxy.url).get, "/earlier")
        assert until(lambda: proxy.asked("GET /earlier"), seconds=60)
        answer = ask()
        owed = not earlier.done()
        proxy.cut("GET /earlier")
        assert owed, "the engine's answer was given up before the portal's came"
        assert isinstance(earlier.exception(), DriverError)
    return answer


def test_after_the_notices_broke_off_the_rows_become_true(
    portal: Portal, caller: Caller, proxy: FaultProxy, engine: LiveEngine
) -> None:
    """Somebody takes the service away behind our back while nobody listens."""
    caller.ended(caller.deploy("watched", spec=spec(instances=2)))
    until(lambda: caller.read(PLACE.format("watched"))["running"] == 2, seconds=90)
    assert until(lambda: proxy.cut("GET /events"), seconds=60)
    client = EngineClient(engine.url)
    (service,) = services_on(client, engine_name(portal, "watched"))
    one = service["Spec"] | {"Mode": {"Replicated": {"Replicas": 1}}}
    client.call("POST", f"/services/{service['ID']}/update?version={service['Version']['Index']}", body=one)
    until(lambda: caller.read(PLACE.format("watched"))["running"] == 1, seconds=90)
