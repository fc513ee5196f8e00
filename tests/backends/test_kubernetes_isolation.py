"""Environments apart from each other and from the cluster, tried from inside their instances."""

import asyncio
import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from backends.contract import (
    Ceiling,
    DriverError,
    EnvironmentRef,
    InstanceState,
    LogQuery,
    Phase,
    ReasonCode,
    Resources,
    ServiceSpec,
    ServiceStatus,
    VolumeMount,
)
from backends.kubernetes.client import ApiServer
from backends.kubernetes.driver import KubernetesDriver
from backends.kubernetes.kinds import path, thing
from launcher.processes import until
from tests.backends.world import PATIENCE_SECONDS, World, new_world, past_lines
from tests.cluster import LiveCluster

pytestmark = pytest.mark.kubernetes

OPEN_AGAIN_SECONDS = 5  # a policy agent learns of a new instance a moment after it has started


@dataclass(frozen=True)
class Two:
    """Two environments, each with a `web` that answers as web.<environment>."""

    one: World
    other: World

    def __iter__(self) -> Iterator[World]:
        return iter((self.one, self.other))


def web(world: World) -> ServiceSpec:
    return world.spec(instances=1, aliases=("web",))


@pytest.fixture(scope="module")
def driver(kubernetes: LiveCluster) -> KubernetesDriver:
    return KubernetesDriver(kubernetes.access)


@pytest.fixture(scope="module")
def api(kubernetes: LiveCluster) -> ApiServer:
    return ApiServer(kubernetes.access)


@pytest.fixture(scope="module")
def two(driver: KubernetesDriver) -> Iterator[Two]:
    worlds = Two(new_world(driver), new_world(driver))
    for world in worlds:
        world.driver.apply(web(world))
    for world in worlds:
        world.reach(web(world), Phase.CONVERGED)
    yield worlds
    for world in worlds:
        world.leave()
    for world in worlds:
        world.clear()


def inside(world: World, script: str) -> str:
    """What a shell in the environment's web says."""
    (instance,) = [one for one in world.driver.instances(web(world).ref) if one.wanted]

    async def told() -> str:
        session = await world.driver.exec(instance.id, ["sh", "-c", script], tty=False)
        heard = b""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while piece := await session.read():
                heard += piece
        await session.close()
        return heard.decode()

    return asyncio.run(told())


def reaches(world: World, url: str) -> bool:
    return "ok" in inside(world, f"timeout 3 wget -q -O - {url} 2>&1; true")


def pod(api: ApiServer, world: World) -> dict[str, object]:
    (found,) = api.items("Pod", world.environment.name)
    status: dict[str, object] = found["status"]
    return status


def test_an_alias_answers_within_its_environment_only(two: Two) -> None:
    assert until(lambda: reaches(two.one, "http://web:8080/healthz"), seconds=OPEN_AGAIN_SECONDS)
    name = f"web.{two.other.environment.name}.svc.cluster.local"
    assert name in inside(two.one, f"nslookup {name} 2>&1; true")
    assert not reaches(two.one, f"http://{name}:8080/healthz")
    assert not reaches(two.other, f"http://web.{two.one.environment.name}.svc.cluster.local:8080/healthz")


def test_another_environment_s_instance_is_out_of_reach(two: Two, api: ApiServer) -> None:
    own, strange = pod(api, two.one)["podIP"], pod(api, two.other)["podIP"]
    assert until(lambda: reaches(two.one, f"http://{own}:8080/healthz"), seconds=OPEN_AGAIN_SECONDS)
    assert not reaches(two.one, f"http://{strange}:8080/healthz")


def test_the_cluster_itself_is_out_of_reach(two: Two, api: ApiServer, kubernetes: LiveCluster) -> None:
    host = pod(api, two.one)["hostIP"]
    server = kubernetes.access.server.removeprefix("https://")
    assert until(lambda: opens(two.one, "web:8080"), seconds=OPEN_AGAIN_SECONDS)
    for address in (server, f"{host}:10250", f"{gate(api)}:443"):
        assert not opens(two.one, address), address


def opens(world: World, address: str) -> bool:
    """Whether anything answers at all, be it a refusal: what is closed keeps whoever calls waiting."""
    told = inside(world, f"timeout 3 wget -q -O /dev/null http://{address}/ 2>&1; echo ended $?")
    return int(told.split("ended ")[1]) < 100


def gate(api: ApiServer) -> str:
    """The API server as instances would call it."""
    found = api.find("Service", "default", "kubernetes")
    assert found is not None
    return str(found["spec"]["clusterIP"])


def test_what_is_published_answers_from_outside(two: Two) -> None:
    (instance,) = [one for one in two.one.driver.instances(web(two.one).ref) if one.wanted]
    ((port, address),) = instance.addresses
    assert port == 8080

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"http://{address}/healthz", timeout=2) as answer:
                return bool(answer.read() == b"ok\n")
        except OSError:
            return False

    assert until(answers, seconds=PATIENCE_SECONDS)


def test_an_instance_has_no_rights_and_no_token(two: Two) -> None:
    told = inside(two.one, "grep -E 'CapEff|Seccomp:|NoNewPrivs' /proc/self/status; id -u; ls /var/run/secrets 2>&1")
    assert "CapEff:\t0000000000000000" in told
    assert "Seccomp:\t2" in told
    assert "NoNewPrivs:\t1" in told
    assert "65534" in told
    assert "No such file" in told


def test_what_a_namespace_would_not_take_says_so(two: Two, api: ApiServer) -> None:
    """Nobody goes around the driver: the rules hold in the cluster itself."""
    container = {"name": "app", "image": "berth/hello:1", "securityContext": {"privileged": True}}
    spec = {"containers": [container], "hostNetwork": True}
    with pytest.raises(DriverError) as refused:
        api.apply(thing("Pod", "bad", two.one.environment.name, labels={}, spec=spec))
    assert refused.value.reason.code == ReasonCode.ENGINE_REFUSED
    assert "PodSecurity" in refused.value.reason.params["said"]


@pytest.mark.parametrize("volumes", [(), (VolumeMount("data", "/data"),)])
def test_a_quota_on_the_cluster_is_named(
    driver: KubernetesDriver, api: ApiServer, volumes: tuple[VolumeMount, ...]
) -> None:
    world = new_world(driver)
    quota = {"hard": {"requests.memory": "6Mi"}}
    api.apply(thing("ResourceQuota", "plan", world.environment.name, labels={}, spec=quota))
    spec = world.spec(instances=2, volumes=volumes)
    driver.apply(spec)
    assert until(lambda: driver.status(spec).reason is not None, seconds=PATIENCE_SECONDS)
    reason = driver.status(spec).reason
    assert reason is not None
    assert reason.code == ReasonCode.QUOTA_EXCEEDED
    assert "exceeded quota" in reason.params["said"]
    world.leave()
    world.clear()


def test_a_volume_outlives_its_instance_and_its_service(driver: KubernetesDriver, api: ApiServer) -> None:
    world = new_world(driver)
    script = "test -e /data/told && echo again || echo first; touch /data/told; sleep 100000"
    spec = replace(world.saying(script, instances=1), volumes=(VolumeMount("data", "/data"),))
    assert said(world, world.run(spec)) == ["first"]
    assert world.removed(spec.ref)
    status = world.run(spec)
    assert said(world, status) == ["again"]
    assert [one.number for one in status.instances] == [1]
    world.leave()
    world.clear()


def test_a_stateful_service_comes_back_from_a_release_that_never_came_up(driver: KubernetesDriver) -> None:
    world = new_world(driver)
    good = world.spec(instances=1, volumes=(VolumeMount("data", "/data"),))
    world.run(good)
    bad = replace(good, image=world.spec(image="berth/hello:crash").image)
    driver.apply(bad)
    world.reach(bad, Phase.FAILING)
    driver.apply(good)
    assert world.reach(good, Phase.CONVERGED).ready == 1
    world.leave()
    world.clear()


def test_a_service_may_get_another_volume_and_lose_them_all(driver: KubernetesDriver) -> None:
    world = new_world(driver)
    script = "ls -d /data /more 2>/dev/null; sleep 100000"
    without = world.saying(script, instances=1)
    data = VolumeMount("data", "/data")
    one = replace(without, volumes=(data,))
    both = replace(without, volumes=(data, VolumeMount("more", "/more")))
    world.run(one)
    assert said(world, world.run(both), lines=2) == ["/data", "/more"]
    assert said(world, world.run(one)) == ["/data"]
    status = world.run(without)
    assert status.running == 1
    assert driver.services(without.ref.app) == [without.ref]
    world.leave()
    world.clear()


def said(world: World, status: ServiceStatus, *, lines: int = 1) -> list[str]:
    running = next(one.id for one in status.instances if one.state == InstanceState.RUNNING)
    query = LogQuery((status.ref,), instance=running)
    return [line.text.decode() for line in asyncio.run(past_lines(world.driver, query, lines))]


def test_an_environment_is_whole_again_after_it_was_damaged(driver: KubernetesDriver, api: ApiServer) -> None:
    """A namespace that lost its mark gets everything anew; one of another meaning gets its own rules."""
    world = new_world(driver)
    api.delete(path("NetworkPolicy", world.environment.name, "world"))
    inner = EnvironmentRef(world.environment.name, internal=True)
    driver.ensure_environment(inner)
    found = api.find("NetworkPolicy", inner.name, "world")
    assert found is not None
    assert json.dumps(found["spec"].get("egress") or []) == "[]"
    world.clear()


def test_an_environment_takes_no_more_than_its_ceiling(driver: KubernetesDriver) -> None:
    """What waits for a higher one comes up as soon as there is one; none at all is none."""
    world = new_world(driver)
    bare = world.environment
    driver.ensure_environment(replace(bare, ceiling=Ceiling(memory_bytes=9 << 20, instances=5)))
    spec = world.spec(instances=3)  # of 4 MB each
    driver.apply(spec)
    refused = world.reach(spec, Phase.FAILING)
    assert refused.reason is not None
    assert refused.reason.code == ReasonCode.QUOTA_EXCEEDED
    assert until(lambda: driver.status(spec).running == 2, seconds=PATIENCE_SECONDS, every=0.2)
    driver.ensure_environment(bare)
    world.reach(spec, Phase.CONVERGED)
    world.clear()


def test_one_instance_takes_no_more_than_all_may(driver: KubernetesDriver, api: ApiServer) -> None:
    """It is refused with the sentence of a quota; one that states no limit gets that one."""
    world = new_world(driver)
    driver.ensure_environment(replace(world.environment, ceiling=Ceiling(each_memory_bytes=48 << 20)))
    large = world.spec("large", instances=1)  # of 64 MB
    driver.apply(large)
    refused = world.reach(large, Phase.FAILING)
    assert refused.reason is not None
    assert refused.reason.code == ReasonCode.QUOTA_EXCEEDED
    bare = world.spec("bare", instances=1, resources=Resources())
    world.run(bare)
    (pod,) = api.items("Pod", world.environment.name, labelSelector="berth/service=bare")
    assert pod["spec"]["containers"][0]["resources"]["limits"] == {"memory": "48Mi"}
    world.clear()
