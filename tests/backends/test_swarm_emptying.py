"""A host is emptied on a Swarm of two of the test's own: what moves, and what is left alone."""

from collections.abc import Callable, Iterator

import pytest

from backends.contract import InstanceState, Phase, ServiceSpec
from backends.swarm.driver import SwarmDriver
from launcher.engine_api import EngineClient
from launcher.processes import until
from tests.backends.two_hosts import two_hosts
from tests.backends.world import World, new_world

pytestmark = pytest.mark.live

SECONDS = 90


@pytest.fixture(scope="module")
def manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with two_hosts(tmp_path_factory.mktemp("two")) as url:
        yield url


@pytest.fixture
def world(manager: str) -> Iterator[World]:
    made = new_world(SwarmDriver(manager))
    yield made
    for host in made.driver.hosts():
        made.driver.set_schedulable(host.id, True)
    made.leave()
    made.clear()


def hosts(world: World) -> tuple[str, str]:
    """The worker, which is emptied here, and the manager."""
    found = sorted(world.driver.hosts(), key=lambda host: host.manager)
    assert [host.manager for host in found] == [False, True]
    return found[0].id, found[1].id


def on(world: World, spec: ServiceSpec) -> set[str | None]:
    return {one.host for one in world.driver.instances(spec.ref) if one.state == InstanceState.RUNNING}


def only_open(world: World, host: str) -> None:
    for one in hosts(world):
        world.driver.set_schedulable(one, one == host)


def emptied(world: World, host: str, *, while_so: Callable[[], bool]) -> None:
    def empty() -> bool:
        assert while_so()
        return world.driver.empty(host).left == 0

    assert until(empty, seconds=SECONDS, every=0.2), world.driver.empty(host)


def availability(manager: str, host: str) -> str:
    return str(EngineClient(manager).call("GET", f"/nodes/{host}")["Spec"]["Availability"])


def test_instances_come_up_elsewhere_before_they_end_here(world: World, manager: str) -> None:
    worker, other = hosts(world)
    only_open(world, worker)
    specs = [world.spec("alone", instances=1), world.spec("two", instances=2)]
    for spec in specs:
        world.run(spec)
        assert on(world, spec) == {worker}
    only_open(world, other)
    emptied(world, worker, while_so=lambda: all(world.driver.status(spec).running >= spec.instances for spec in specs))
    for spec in specs:
        status = world.reach(spec, Phase.CONVERGED)
        assert (status.revision, on(world, spec)) == (spec.revision, {other})
        assert world.driver.apply(spec) is None
        assert on(world, spec) == {other}
    assert availability(manager, worker) == "drain"
    world.driver.set_schedulable(worker, False)
    assert availability(manager, worker) == "drain"
    world.driver.set_schedulable(worker, True)
    assert availability(manager, worker) == "active"


def test_what_is_not_ours_is_left_alone(world: World, manager: str) -> None:
    worker, other = hosts(world)
    client = EngineClient(manager)
    image = world.driver.resolve_image("berth/hello:1", local=True).pinned
    stranger = {
        "Name": "stranger",
        "TaskTemplate": {
            "ContainerSpec": {"Image": image},
            "Placement": {"Constraints": [f"node.id=={worker}"]},
        },
    }
    made = client.call("POST", "/services/create", body=stranger)["ID"]
    try:
        assert until(lambda: running(client, made) == [worker], seconds=SECONDS, every=0.2)
        only_open(world, worker)
        spec = world.spec(instances=1)
        world.run(spec)
        only_open(world, other)
        emptied(world, worker, while_so=lambda: world.driver.status(spec).running >= 1)
        assert world.driver.empty(worker).left == 0
        assert (availability(manager, worker), running(client, made)) == ("pause", [worker])
    finally:
        client.call("DELETE", f"/services/{made}")


def running(client: EngineClient, service: str) -> list[str]:
    found = client.call("GET", "/tasks")
    return [one["NodeID"] for one in found if one["ServiceID"] == service and one["Status"]["State"] == "running"]
