"""Hosts that go and come back, on a cluster of three of the test's own."""

from collections.abc import Callable, Iterator

import pytest

from backends.contract import InstanceState, Phase, ReasonCode, ServiceStatus
from backends.kubernetes.access import from_kubeconfig
from backends.kubernetes.driver import KubernetesDriver
from launcher.kubernetes import binaries
from launcher.kubernetes.cluster import PrivateCluster
from launcher.processes import until
from tests.backends.world import World, new_world
from tests.cluster import leave_out

pytestmark = pytest.mark.live

SECONDS = 90  # a host counts as away after ten seconds, and its instances are given up thirty seconds later


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateCluster]:
    if reason := binaries.why_not():
        leave_out(reason)
    cluster = PrivateCluster(tmp_path_factory.mktemp("three"))
    try:
        cluster.start(3)
        yield cluster
    finally:
        cluster.destroy()


@pytest.fixture(scope="module")
def world(own: PrivateCluster) -> World:
    return new_world(KubernetesDriver(from_kubeconfig(own.kubeconfig.read_text())))


def ready(world: World) -> set[str]:
    return {host.name for host in world.driver.hosts() if host.ready}


def test_instances_are_spread_and_those_of_a_lost_host_come_up_elsewhere(world: World, own: PrivateCluster) -> None:
    spec = world.spec(instances=3)
    status = world.run(spec)
    assert {one.host for one in status.instances} == {"n1", "n2", "n3"}

    own.kill_node(3)
    lost = reached(lambda: world.driver.status(spec), lambda seen: reason_of(seen) == ReasonCode.HOST_LOST)
    (gone,) = [one for one in lost.instances if one.host == "n3"]
    assert gone.state == InstanceState.FAILED
    assert ready(world) == {"n1", "n2"}
    assert world.driver.health().hosts_ready == 2

    there = reached(lambda: world.driver.status(spec), lambda seen: seen.phase == Phase.CONVERGED)
    running = [one for one in there.instances if one.state == InstanceState.RUNNING]
    assert {one.host for one in running} == {"n1", "n2"}

    own.start_again(3)
    assert until(lambda: ready(world) == {"n1", "n2", "n3"}, seconds=SECONDS, every=0.2)
    reached(lambda: world.driver.status(spec), lambda seen: not [one for one in seen.instances if one.host == "n3"])


def reason_of(status: ServiceStatus) -> ReasonCode | None:
    return next((one.reason.code for one in status.instances if one.reason), None)


def reached(look: Callable[[], ServiceStatus], true: Callable[[ServiceStatus], bool]) -> ServiceStatus:
    seen = [look()]

    def there() -> bool:
        seen[0] = look()
        return true(seen[0])

    assert until(there, seconds=SECONDS, every=0.2), seen[0]
    return seen[0]
