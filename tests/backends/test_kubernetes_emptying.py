"""A host is emptied on a cluster of three of the test's own: what moves, what holds it, and what is left alone."""

import json
from collections.abc import Callable, Iterator

import pytest

from backends.contract import InstanceState, Leaving, Phase, ReasonCode, ServiceSpec
from backends.kubernetes.access import from_kubeconfig
from backends.kubernetes.driver import KubernetesDriver
from launcher.kubernetes import binaries
from launcher.kubernetes.cluster import PrivateCluster
from launcher.processes import until
from tests.backends.world import World, new_world
from tests.cluster import LiveCluster, leave_out

pytestmark = pytest.mark.kubernetes

SECONDS = 90
HOSTS = {"n1", "n2", "n3"}
BUDGETS = "poddisruptionbudgets"


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCluster]:
    if reason := binaries.why_not():
        leave_out(reason)
    cluster = PrivateCluster(tmp_path_factory.mktemp("three"))
    try:
        yield LiveCluster(cluster.start(3).read_text(), cluster, cluster.registry)
    finally:
        cluster.destroy()


@pytest.fixture
def world(three: LiveCluster) -> Iterator[World]:
    made = new_world(KubernetesDriver(from_kubeconfig(three.kubeconfig)))
    yield made
    for host in HOSTS:
        made.driver.set_schedulable(host, True)
    made.leave()
    made.clear()


def on(world: World, spec: ServiceSpec) -> set[str | None]:
    found = world.driver.instances(spec.ref)
    return {one.host for one in found if one.state == InstanceState.RUNNING}


def only_open(world: World, *names: str) -> None:
    for host in HOSTS:
        world.driver.set_schedulable(host, host in names)


def emptied(world: World, host: str, *, while_so: Callable[[], bool] = lambda: True) -> None:
    def empty() -> bool:
        assert while_so()
        return world.driver.empty(host).left == 0

    assert until(empty, seconds=SECONDS, every=0.2), world.driver.empty(host)


def held(world: World, host: str) -> Leaving:
    seen = [world.driver.empty(host)]

    def holds() -> bool:
        seen[0] = world.driver.empty(host)
        return bool(seen[0].held)

    assert until(holds, seconds=SECONDS, every=0.2), seen[0]
    return seen[0]


def test_instances_leave_a_closed_host_and_come_up_elsewhere(world: World) -> None:
    spec = world.spec(instances=3)
    world.run(spec)
    assert on(world, spec) == HOSTS
    world.driver.set_schedulable("n3", False)
    emptied(world, "n3", while_so=lambda: world.driver.status(spec).ready >= 2)
    world.reach(spec, Phase.CONVERGED)
    assert on(world, spec) == {"n1", "n2"}
    assert {host.name for host in world.driver.hosts() if not host.schedulable} == {"n3"}


def test_a_budget_holds_it_and_lets_it_go(world: World, three: LiveCluster) -> None:
    spec = world.spec(instances=2)
    only_open(world, "n1")
    world.run(spec)
    only_open(world, "n2", "n3")

    def allow(count: int) -> None:
        change = json.dumps({"spec": {"maxUnavailable": count}})
        where = ["-n", world.environment.name, "patch", BUDGETS, spec.ref.engine_name]
        three.kubectl(*where, "--type=merge", "-p", change)

    allow(0)
    before = {one.id for one in world.driver.instances(spec.ref)}
    # the engine counts a changed budget anew a moment later
    seen = held(world, "n1")
    assert {(one.ref, one.reason.code) for one in seen.held} == {(spec.ref, ReasonCode.HELD_BY_BUDGET)}
    assert {one.id for one in world.driver.instances(spec.ref)} & before
    allow(1)
    emptied(world, "n1", while_so=lambda: world.driver.status(spec).running >= 1)
    world.reach(spec, Phase.CONVERGED)
    assert on(world, spec) <= {"n2", "n3"}


def test_a_single_instance_is_there_all_the_time(world: World) -> None:
    spec = world.spec(instances=1)
    only_open(world, "n1")
    (first,) = world.run(spec).instances
    only_open(world, "n2")
    emptied(world, "n1", while_so=lambda: world.driver.status(spec).ready >= 1)
    status = world.reach(spec, Phase.CONVERGED)
    (now,) = [one for one in status.instances if one.state == InstanceState.RUNNING]
    assert (now.host, now.revision) == ("n2", first.revision)
    world.driver.apply(spec)  # what was asked for is what is there: nothing is replaced again
    assert now.id in {one.id for one in world.reach(spec, Phase.CONVERGED).instances}


def test_without_room_elsewhere_the_reason_is_told_and_it_goes_on_serving(world: World) -> None:
    spec = world.spec(instances=1)
    only_open(world, "n1")
    world.run(spec)
    only_open(world)
    seen = held(world, "n1")
    assert {one.reason.code for one in seen.held} <= {ReasonCode.NO_SUITABLE_HOST, ReasonCode.NO_CAPACITY}
    assert (seen.left, on(world, spec)) == (1, {"n1"})
    only_open(world, "n3")
    emptied(world, "n1")
    world.reach(spec, Phase.CONVERGED)
    assert on(world, spec) == {"n3"}


def test_what_is_not_ours_is_left_alone(world: World, three: LiveCluster) -> None:
    stranger = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "stranger", "namespace": "default"},
        "spec": {
            "nodeName": "n2",
            "containers": [{"name": "one", "image": "berth/hello:1", "imagePullPolicy": "Never"}],
        },
    }
    three.administer(stranger)
    spec = world.spec(instances=1)
    only_open(world, "n2")
    world.run(spec)
    only_open(world, "n1")
    emptied(world, "n2")
    told = json.loads(three.kubectl("get", "pod", "stranger", "-o", "json"))
    assert "deletionTimestamp" not in told["metadata"]
    three.kubectl("delete", "pod", "stranger", "--wait=false")
