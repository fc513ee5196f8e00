"""What really went to the engine: our own words only, and what people wrote only as text."""

import pytest

from tests.abuse.engine_words import broken_texts, faults_of
from tests.abuse.test_host_escape import NASTY
from tests.e2e.portal import Portal
from tests.faults.behind_proxy.rows import engine_name
from tests.faults.caller import SHOP, Caller, spec
from tests.faults.proxy import FaultProxy

pytestmark = pytest.mark.live
PATHS = {"services", "networks", "tasks", "nodes", "info", "events", "images", "distribution", "configs", "secrets"}
PATHS |= {"containers", "exec", "version", "_ping"}


def test_texts_of_people_stay_texts_on_the_wire(portal: Portal, caller: Caller, proxy: FaultProxy) -> None:
    texts = {text.replace("$", "$$"): text for text in NASTY}
    environment = {f"A{number}": text for number, text in enumerate(texts)}
    labels = {f"a.b{number}": text for number, text in enumerate(texts)}
    begun = len(proxy.requests)
    sent = spec(environment=environment, labels=labels)
    assert caller.ended(caller.deploy("nasty", spec=sent))["state"] == "succeeded"
    place = f"{SHOP}/apps/nasty/environments/dev"
    assert caller.ended(caller.post(f"{place}/scale", {"service": "web", "instances": 2}).json)["state"] == "succeeded"
    assert caller.ended(caller.deploy("nasty", image="berth/hello:2"))["state"] == "succeeded"
    assert caller.ended(caller.post(f"{place}/rollback", {"release": 1}).json)["state"] == "succeeded"
    asked = proxy.requests[begun:]
    bodies = [one.json for one in asked if one.method == "POST" and one.path.startswith("/services/")]
    assert [fault for body in bodies for fault in faults_of(body)] == []
    own = [body for body in bodies if body["Labels"]["berth.app"] == engine_name(portal, "nasty")]
    assert len(own) >= 4
    assert [text for body in own for text in broken_texts(body, NASTY)] == []
    for one in asked:
        assert one.path.split("/")[1] in PATHS | {"v1.41"}, one.path
        assert not any(text in one.path for text in NASTY)
