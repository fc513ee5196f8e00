"""Hosts and API servers that go and come back, on a cluster of three of the test's own."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import aclosing, suppress
from dataclasses import replace
from functools import partial

import pytest

from backends.contract import DriverError, InstanceState, Phase, ReasonCode, ServiceStatus
from backends.kubernetes.access import from_kubeconfig
from backends.kubernetes.driver import KubernetesDriver
from launcher.kubernetes import binaries
from launcher.kubernetes.cluster import PrivateCluster
from launcher.processes import until
from tests.backends.world import World, new_world
from tests.cluster import leave_out

pytestmark = pytest.mark.kubernetes

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


def test_a_server_that_dies_in_the_middle_is_said_and_everything_is_there_in_the_end(
    world: World, own: PrivateCluster
) -> None:
    specs = [world.saying("sleep 100000", service=f"part-{number}", instances=1) for number in range(12)]
    errors: list[DriverError] = []

    def bring() -> None:
        """From the start again and again, as an operation does, until all of it was taken."""
        for spec in specs:
            try:
                world.driver.apply(spec)
            except DriverError as error:
                errors.append(error)
                return

    bringing = threading.Thread(target=bring)
    bringing.start()
    assert until(lambda: len(world.driver.services(specs[0].ref.app)) >= 2, seconds=SECONDS, every=0)
    own.members.kill("n1", "apiserver")
    bringing.join(timeout=SECONDS)
    assert [error.reason.code for error in errors] == [ReasonCode.ENGINE_AWAY]
    assert not errors[0].permanent
    assert (world.driver.health().ready, world.driver.health().hosts) == (False, 0)
    with pytest.raises(DriverError):
        world.driver.snapshot()

    own.start(3)
    assert until(lambda: world.driver.health().ready, seconds=SECONDS, every=0.2)
    bring()
    assert len(errors) == 1
    for spec in specs:
        reached(partial(world.driver.status, spec), lambda seen: seen.phase == Phase.CONVERGED)
    found = world.driver.services(specs[0].ref.app)
    assert {ref.service for ref in found} >= {spec.ref.service for spec in specs}


async def test_whoever_listens_learns_that_the_server_died_and_hears_again(world: World, own: PrivateCluster) -> None:
    spec = world.saying("sleep 100000", service="heard", instances=1)

    async def listen(heard: asyncio.Event) -> None:
        """Until the engine closes."""
        with suppress(DriverError):  # that it was closed may be told as an error
            async with aclosing(world.driver.watch()) as notices:
                async for notice in notices:
                    if notice.ref == spec.ref:
                        heard.set()

    async def listening() -> asyncio.Task[None]:
        """Something changes again and again until it is heard of."""
        heard = asyncio.Event()
        task = asyncio.create_task(listen(heard))
        async with asyncio.timeout(SECONDS):
            while not heard.is_set():
                assert not task.done()
                await asyncio.to_thread(world.run, replace(spec, instances=2))
                await asyncio.to_thread(world.run, spec)
        return task

    first = await listening()
    await asyncio.to_thread(own.members.kill, "n1", "apiserver")
    async with asyncio.timeout(SECONDS):
        await first
    await asyncio.to_thread(own.start, 3)
    second = await listening()
    second.cancel()
    await asyncio.wait([second])


def reason_of(status: ServiceStatus) -> ReasonCode | None:
    return next((one.reason.code for one in status.instances if one.reason), None)


def reached(look: Callable[[], ServiceStatus], true: Callable[[ServiceStatus], bool]) -> ServiceStatus:
    seen = [look()]

    def there() -> bool:
        seen[0] = look()
        return true(seen[0])

    assert until(there, seconds=SECONDS, every=0.2), seen[0]
    return seen[0]
