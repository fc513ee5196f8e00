"""Hosts and API servers that go and come back, on a cluster of three of the test's own."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import aclosing, suppress
from dataclasses import replace
from functools import partial

import pytest

from backends.contract import DriverError, InstanceState, Phase, ReasonCode, ServiceStatus
from backends.kubernetes import names
from backends.kubernetes.access import from_kubeconfig
from backends.kubernetes.driver import KubernetesDriver
from launcher.kubernetes import binaries
from launcher.kubernetes.cluster import PrivateCluster
from launcher.processes import until
from tests.backends.world import World, new_world
from tests.cluster import leave_out
from tests.e2e.portal import Portal
from tests.faults import caller as calling
from tests.faults.caller import SHOP, Caller

pytestmark = pytest.mark.kubernetes

PLACE = f"{SHOP}/apps/before/environments/far"
MINUTE = 60.0
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


@pytest.fixture(autouse=True)
def _fast_passwords() -> None:
    """The portal as it is: no settings are changed for it."""


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory, own: PrivateCluster) -> Iterator[Portal]:
    """A real one, whose only cluster may go and come back."""
    state = tmp_path_factory.mktemp("portal")
    made = Portal.prepared(state, None)
    made.manage("add_cluster", "east", "--kubeconfig", str(own.kubeconfig), "--everyone", "--samples", "berth/hello:1")
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def caller(portal: Portal) -> Caller:
    """With an app of three instances, one on each host."""
    caller = Caller(portal.url, portal.token())
    made = caller.post(f"{SHOP}/environments", {"name": "far", "stage": "dev", "cluster": "east"})
    assert made.status == 201, made.body
    first = caller.deploy("before", environment="far", spec=calling.spec(instances=3))
    assert caller.ended(first)["state"] == "succeeded"
    seen_until(lambda: caller.read(PLACE)["running"] == 3)
    return caller


def seen_until(condition: Callable[[], object]) -> None:
    assert until(lambda: bool(condition()), seconds=SECONDS, every=0.3)


def instances(caller: Caller) -> set[str]:
    return {one["id"] for one in caller.read(f"{PLACE}/instances")["results"]}


def codes(caller: Caller, operation: dict[str, object]) -> list[str]:
    return [event["code"] for event in caller.read(f"/api/v1/operations/{operation['id']}/events")["results"]]


@pytest.mark.parametrize("part", ["apiserver", "etcd"])
def test_without_its_control_plane_a_cluster_is_away_and_what_was_accepted_is_done_in_the_end(
    part: str, portal: Portal, caller: Caller, own: PrivateCluster
) -> None:
    before = instances(caller)
    browser = Caller(portal.url)
    browser.sign_in("owner", portal.password)
    own.members.kill("n1", part)
    seen_until(lambda: caller.read("/api/v1/clusters/east")["state"] == "away")
    told = caller.read(PLACE)["state"]
    assert "3 of 3 ran when last seen" in told["sentence"]
    assert told["stale_since"] is not None
    assert instances(caller) == before
    page = browser.get("/clusters/").body.decode()
    assert "Berth tries again by itself" in page or "Berth asks again by itself" in page
    for address in ("/", "/t/demo/p/shop/", "/t/demo/p/shop/apps/before/"):
        assert browser.get(address).status == 200, address
    waiting = caller.deploy(f"without-{part}", environment="far", spec=calling.spec())
    seen_until(lambda: {"engine_away", "engine_slow"} & set(codes(caller, waiting)))
    assert caller.read(f"/api/v1/operations/{waiting['id']}")["active"]

    own.start(3)
    assert caller.ended(waiting)["state"] == "succeeded"
    seen_until(lambda: caller.read("/api/v1/clusters/east")["state"] == "ready")
    seen_until(lambda: caller.read(PLACE)["running"] == 3)
    assert instances(caller) == before, "what ran has run on"


def test_a_deployment_goes_on_when_its_cluster_was_away_for_a_whole_minute(
    portal: Portal, caller: Caller, own: PrivateCluster
) -> None:
    before = workloads(own)
    begun = caller.deploy("minute", environment="far", spec=calling.spec(instances=3))
    assert until(lambda: workloads(own) > before, seconds=SECONDS, every=0)
    own.members.kill("n1", "apiserver")
    gone_at = time.monotonic()
    seen_until(lambda: caller.read("/api/v1/clusters/east")["state"] == "away")
    seen_until(lambda: {"engine_away", "engine_slow"} & set(codes(caller, begun)))
    seen_until(lambda: time.monotonic() - gone_at > MINUTE)
    assert caller.read(f"/api/v1/operations/{begun['id']}")["active"], "nobody has given it up"
    assert caller.read("/api/v1/clusters/east")["away_since"] is not None

    own.start(3)
    ended = caller.ended(begun)
    assert ended["state"] == "succeeded", ended["failure"]
    place = f"{SHOP}/apps/minute/environments/far"
    seen_until(lambda: caller.read(place)["running"] == 3)
    seen_until(lambda: caller.read("/api/v1/clusters/east")["state"] == "ready")


def workloads(own: PrivateCluster) -> int:
    """How many of ours the cluster holds."""
    told = own.tried("get", "deployments", "--all-namespaces", "--selector", names.OURS, "--no-headers")
    return len(told.splitlines())


def test_a_host_whose_cable_is_cut_is_told_with_its_instances_and_comes_back(
    caller: Caller, own: PrivateCluster
) -> None:
    seen_until(lambda: caller.read(PLACE)["running"] == 3)
    before, hosts = instances(caller), hosts_of(caller)
    far = max(("n2", "n3"), key=lambda name: hosts[name])  # what was away for long may have moved its instances
    own.cut(int(far[1:]))
    seen_until(lambda: "host_lost" in reasons(caller))
    ready = {one["name"]: one["ready"] for one in caller.read("/api/v1/clusters/east/hosts")["results"]}
    assert ready == {name: name != far for name in ("n1", "n2", "n3")}
    assert caller.read("/api/v1/clusters/east")["state"] == "ready"
    seen_until(lambda: caller.read(PLACE)["running"] == 3 - hosts[far])
    own.heal(int(far[1:]))
    seen_until(lambda: caller.read(PLACE)["running"] == 3)
    seen_until(lambda: "host_lost" not in reasons(caller))
    assert len(instances(caller) & before) >= 3 - hosts[far]


def hosts_of(caller: Caller) -> Counter[str]:
    """How many instances each host carries."""
    return Counter(one["host"] for one in caller.read(f"{PLACE}/instances")["results"] if one["wanted"])


def reasons(caller: Caller) -> set[str]:
    found = caller.read(f"{PLACE}/instances")["results"]
    return {one["reason"]["code"] for one in found if one["reason"]}


def reason_of(status: ServiceStatus) -> ReasonCode | None:
    return next((one.reason.code for one in status.instances if one.reason), None)


def reached(look: Callable[[], ServiceStatus], true: Callable[[ServiceStatus], bool]) -> ServiceStatus:
    seen = [look()]

    def there() -> bool:
        seen[0] = look()
        return true(seen[0])

    assert until(there, seconds=SECONDS, every=0.2), seen[0]
    return seen[0]
