"""A real cluster whose API is slow, answers by halves, answers with nothing, or is something else just now."""

import json
import ssl
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest

from apps import observing, reconciling
from apps.models import AppEnvironment, ClusterOffer, ObservedInstance, ObservedService
from apps.operations import FAILURES_OPEN_BREAKER
from apps.selectors.state import PlaceState, place_state
from apps.services import create_app, create_environment, deploy
from apps.specification import from_image
from backends import registry
from backends.kubernetes import client
from backends.kubernetes.client import ApiServer
from backends.kubernetes.kinds import WORKLOADS, path
from backends.models import Cluster
from core.status import Status
from operations import tasks
from operations.models import Operation
from portal import seed
from tests.apps.far import Deployed, deployed, ended, pods, workload
from tests.cluster import LiveCluster
from tests.conftest import Cast, Wakeups
from tests.faults.proxy import FaultProxy

__all__ = ["deployed"]

pytestmark = [pytest.mark.kubernetes, pytest.mark.django_db(transaction=True)]

LISTS = [f"GET {path(kind)}" for kind in ("Pod", "Node", "Service", *WORKLOADS)]
EMPTY = json.dumps({"kind": "List", "metadata": {"resourceVersion": "1"}, "items": []}).encode()


@pytest.fixture(scope="module")
def through(kubernetes: LiveCluster) -> Iterator[FaultProxy]:
    """It asks as the administrator, whoever asks it."""
    access = kubernetes.access
    identity = ssl.create_default_context(cadata=access.authority)
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(access.certificate + "\n" + access.key)
        file.flush()
        identity.load_cert_chain(file.name)
    made = FaultProxy(None, access.server, identity=identity)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def proxy(through: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    """Well again after each test. Whoever waits for it waits for a second."""
    monkeypatch.setattr(client, "READ_SECONDS", 1.0)
    yield through
    through.well()
    through.cut()


@pytest.fixture
def east(cast: Cast, proxy: FaultProxy) -> Iterator[Cluster]:
    made = Cluster.objects.create(name="east", kind=Cluster.Kind.KUBERNETES, address=proxy.url)
    ClusterOffer.objects.create(cluster=made)
    seed.offer(made, ["berth/hello:1"])
    yield made
    registry.close_all()


@pytest.fixture
def place(cast: Cast, east: Cluster, kubernetes: LiveCluster) -> Iterator[AppEnvironment]:
    environment = create_environment(cast.actor("owner"), cast.shop, name="far", stage="dev", cluster=east)
    app = create_app(cast.actor("developer"), cast.shop, name="hello")
    yield app.places.select_related("app", "environment__cluster", "project", "release").get(environment=environment)
    ApiServer(kubernetes.access).delete(path("Namespace", "", environment.engine_name))


def shown(place: AppEnvironment) -> PlaceState:
    row = AppEnvironment.objects.select_related("release", "environment__cluster").get(pk=place.pk)
    return place_state(row, row.services.all(), row.observed_instances.all(), None)


def rows() -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in (ObservedService, ObservedInstance)]


def test_a_slow_api_is_said_and_takes_no_worker_from_other_clusters(
    cast: Cast, deployed: Deployed, place: AppEnvironment, east: Cluster, proxy: FaultProxy, wakeups: Wakeups
) -> None:
    assert deployed("berth/hello:1").state == Operation.State.SUCCEEDED
    assert observing.observe(east)
    before = rows()
    proxy.hold()
    assert not observing.observe(east)
    east.refresh_from_db()
    assert (east.state, east.reason and east.reason["code"]) == ("away", "engine_slow")
    assert rows() == before
    assert shown(place).status is Status.UNKNOWN
    assert "2 of 2 ran when last seen" in shown(place).sentence

    operation = deploy(cast.actor("developer"), place, spec=from_image("berth/hello:1", name="web", ports=[8080]))
    for _worker in range(FAILURES_OPEN_BREAKER):
        Operation.objects.update(not_before=None)
        tasks.run_operation(str(operation.pk))
    asked = len(proxy.requests)
    near = cast.shop.apps.get(name="hello").places.get(environment__name="dev")
    for _worker in range(5):
        Operation.objects.update(not_before=None)
        tasks.run_operation(str(operation.pk))
    wakeups.ids.clear()
    other = ended(deploy(cast.actor("developer"), near, spec=from_image("shop/web:1")), wakeups)
    assert other.state == Operation.State.SUCCEEDED
    assert len(proxy.requests) == asked, "nobody waits for what is known to be deaf"

    proxy.well()
    proxy.cut()
    assert observing.observe(east)
    assert ended(operation, wakeups).state == Operation.State.SUCCEEDED


def test_answers_that_break_off_in_the_middle_are_no_answers(
    deployed: Deployed, place: AppEnvironment, east: Cluster, proxy: FaultProxy, kubernetes: LiveCluster
) -> None:
    """Those to changes too: the engine has done it, and it is done once."""
    proxy.halving = ("PATCH ",)
    assert deployed("berth/hello:1").state == Operation.State.SUCCEEDED
    assert len(proxy.halved) > 8, "each of its parts was lost once"
    api = ApiServer(kubernetes.access)
    assert workload(api, place)["metadata"]["generation"] == 1
    assert len(pods(api, place)) == 2
    assert observing.observe(east)
    before = rows()
    proxy.halving = (LISTS[0],)
    assert not observing.observe(east)
    east.refresh_from_db()
    assert (east.state, east.reason and east.reason["code"]) == ("away", "engine_away")
    assert rows() == before


@pytest.mark.parametrize("said", [b"<html>Sign in to go on</html>", b'{"hello": "world"}', b"[]", b'{"items": null}'])
def test_something_else_at_its_address_is_no_engine(said: bytes, east: Cluster, proxy: FaultProxy) -> None:
    assert observing.observe(east)
    proxy.saying = dict.fromkeys(LISTS[:1], said)
    assert not observing.observe(east)
    east.refresh_from_db()
    assert east.reason == {"code": "engine_away", "params": {"said": client.NO_ENGINE}}
    assert east.hosts.count() == 1


def test_an_empty_answer_deletes_and_greys_nothing(
    deployed: Deployed, place: AppEnvironment, east: Cluster, proxy: FaultProxy
) -> None:
    assert deployed("berth/hello:1").state == Operation.State.SUCCEEDED
    assert observing.observe(east)
    before = rows()
    proxy.saying = dict.fromkeys(LISTS, EMPTY)
    assert observing.observe(east)
    assert rows() == before
    assert shown(place).status is Status.RUNNING
    assert east.hosts.count() == 1
    assert reconciling.reconcile_cluster(east) == 0
