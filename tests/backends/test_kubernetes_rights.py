"""Everything Berth does on a cluster it does with exactly the rights that it asks for."""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace

import pytest

from backends.contract import DriverError, FileMount, LogQuery, Phase, ReasonCode, VolumeMount
from backends.kubernetes.access import Access
from backends.kubernetes.client import ApiServer
from backends.kubernetes.driver import KubernetesDriver
from backends.kubernetes.rights import ACCOUNT, PLACE, objects
from tests.backends.closing import closed
from tests.backends.listening import Listening
from tests.backends.world import PATIENCE_SECONDS, World, new_world, past_lines
from tests.cluster import LiveCluster

pytestmark = pytest.mark.kubernetes


@pytest.fixture(scope="module")
def access(kubernetes: LiveCluster) -> Iterator[Access]:
    """Berth's own account: a token, and no certificate."""
    kubernetes.administer(*objects())
    token = kubernetes.kubectl("-n", PLACE, "create", "token", ACCOUNT).strip()
    yield replace(kubernetes.access, certificate="", key="", token=token)
    kubernetes.kubectl("delete", "namespace", PLACE)  # gone before others make it again
    kubernetes.kubectl("delete", "clusterrole,clusterrolebinding", ACCOUNT)


@pytest.fixture(scope="module")
def world(access: Access) -> Iterator[World]:
    made = new_world(KubernetesDriver(access))
    yield made
    made.leave()
    made.clear()


async def test_a_service_s_whole_life(world: World) -> None:
    driver = world.driver
    file = FileMount(f"{world.environment.name}-f", "/etc/told", b"hello", secret=True)
    spec = replace(world.saying("cat /etc/told; echo; sleep 100000", instances=2), files=(file,))
    status = await asyncio.to_thread(world.run, spec)
    instance = status.instances[0].id
    assert {line.text for line in await past_lines(driver, LogQuery((spec.ref,)), 2)} == {b"hello"}
    session = await driver.exec(instance, ["id", "-u"], tty=False)
    assert await Listening().hear(session, None) == b"65534\n"
    await session.close()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await driver.usage([instance]):
            pass
    assert [one.ref for one in driver.snapshot().services if one.ref == spec.ref] == [spec.ref]
    changed = replace(spec, environment=(("A", "1"),), volumes=(VolumeMount("data", "/data"),), files=())
    await asyncio.to_thread(world.run, changed)
    assert await asyncio.to_thread(world.removed, spec.ref)


def test_a_host_may_be_closed_emptied_and_opened(world: World) -> None:
    driver = world.driver
    specs = [world.saying("sleep 100000", service=f"s{count}", instances=count) for count in (1, 2)]
    for spec in specs:
        world.run(spec)
    host = next(one.host for one in driver.instances(specs[0].ref))
    assert host is not None
    with closed(driver):
        assert driver.empty(host).left >= 1
    for spec in specs:
        world.reach(spec, Phase.CONVERGED)
        assert world.removed(spec.ref)


async def test_changes_are_heard(world: World) -> None:
    spec = world.saying("sleep 100000", instances=1)

    async def heard() -> None:
        async with aclosing(world.driver.watch()) as notices:
            async for notice in notices:
                if notice.ref == spec.ref:
                    return

    listening = asyncio.create_task(heard())
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not listening.done():
                await asyncio.to_thread(world.driver.apply, replace(spec, instances=1))
                await asyncio.to_thread(world.driver.apply, replace(spec, instances=2))
    finally:
        listening.cancel()


def test_images_may_be_asked_for(access: Access, kubernetes: LiveCluster) -> None:
    with pytest.raises(DriverError) as refused:
        KubernetesDriver(access).resolve_image("registry.example/shop/web:2")
    assert refused.value.reason.code in {ReasonCode.REGISTRY_AWAY, ReasonCode.ENGINE_SLOW}


def test_nothing_else_is_allowed(access: Access) -> None:
    api = ApiServer(access)
    for path in (
        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        "/api/v1/persistentvolumes",
        "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
        "/api/v1/namespaces/kube-system/serviceaccounts",
    ):
        with pytest.raises(DriverError) as refused:
            api.get(path)
        assert refused.value.reason.code == ReasonCode.ENGINE_REFUSED
        assert "forbidden" in refused.value.reason.params["said"]


def test_a_token_that_is_not_known_is_refused_and_said(access: Access) -> None:
    health = KubernetesDriver(replace(access, token="no")).health()
    assert not health.ready
    assert health.reason is not None
    assert health.reason.code == ReasonCode.ENGINE_REFUSED
