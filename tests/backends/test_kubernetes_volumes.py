"""Volumes of another size: they grow around instances that stay, or are refused before anything is touched."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from backends.contract import DriverError, Phase, ReasonCode, ServiceSpec, VolumeMount
from backends.kubernetes.access import Access
from backends.kubernetes.client import ApiServer
from backends.kubernetes.driver import KubernetesDriver
from backends.kubernetes.kinds import path
from launcher.processes import until
from tests.backends.test_kubernetes_rights import access
from tests.backends.world import PATIENCE_SECONDS, World, new_world
from tests.cluster import LiveCluster

__all__ = ["access"]

pytestmark = pytest.mark.kubernetes

MIB = 1 << 20
GROWING = "test-growing"  # a class whose volumes may be asked to grow; the test does what its program would do
FIXED = "test-fixed"


@pytest.fixture
def world(kubernetes: LiveCluster, access: Access) -> Iterator[World]:
    """With the rights that Berth asks for, and no others."""
    for name, grows in ((GROWING, True), (FIXED, False)):
        about = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name}}
        rules = {"provisioner": "rancher.io/local-path", "volumeBindingMode": "WaitForFirstConsumer"}
        kubernetes.administer(about | rules | {"reclaimPolicy": "Delete", "allowVolumeExpansion": grows})
    made = new_world(KubernetesDriver(access))
    yield made
    made.leave()
    made.clear()


@pytest.fixture
def api(kubernetes: LiveCluster) -> ApiServer:
    return ApiServer(kubernetes.access)


def sized(spec: ServiceSpec, mebibytes: int) -> ServiceSpec:
    return replace(spec, volumes=(VolumeMount("data", "/data", size_bytes=mebibytes * MIB),))


def claim_of(spec: ServiceSpec, storage: str, size: str) -> dict[str, Any]:
    """The volume of the first instance as it would be made, on a storage of the test's own."""
    labels = {"berth/environment": spec.ref.environment, "berth/app": spec.ref.app, "berth/service": spec.ref.service}
    about = {"name": claim_name(spec), "namespace": spec.ref.environment, "labels": labels}
    asked = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": storage,
        "resources": {"requests": {"storage": size}},
    }
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": about, "spec": asked}


def claim_name(spec: ServiceSpec) -> str:
    return f"data-{spec.ref.engine_name}-0"


def asked(api: ApiServer, spec: ServiceSpec) -> str:
    found = api.find("PersistentVolumeClaim", spec.ref.environment, claim_name(spec))
    assert found is not None
    return str(found["spec"]["resources"]["requests"]["storage"])


def pods(api: ApiServer, spec: ServiceSpec) -> list[str]:
    return [one["metadata"]["uid"] for one in api.items("Pod", spec.ref.environment)]


def grow(kubernetes: LiveCluster, spec: ServiceSpec, size: str) -> None:
    """What a storage's own program does when a volume is to grow."""
    words = ("-n", spec.ref.environment, "patch", "pvc", claim_name(spec), "--subresource=status", "--type=merge", "-p")
    kubernetes.kubectl(*words, json.dumps({"status": {"capacity": {"storage": size}}}))


def test_a_new_volume_claims_its_size(world: World, api: ApiServer) -> None:
    spec = sized(world.spec(instances=1), 300)
    world.run(spec)
    assert asked(api, spec) == "300Mi"


def test_a_volume_grows_and_its_instance_runs_on(world: World, api: ApiServer, kubernetes: LiveCluster) -> None:
    before = sized(world.spec(instances=1), 100)
    kubernetes.administer(claim_of(before, GROWING, "100Mi"))
    world.run(before)
    ran = pods(api, before)

    after = sized(before, 200)
    assert after.revision == before.revision
    assert world.driver.status(after).phase == Phase.OUTDATED
    world.driver.apply(after)
    assert asked(api, after) == "200Mi"
    assert world.reach(after, Phase.PROGRESSING).reason is None, "the storage has not made it larger yet"
    grow(kubernetes, after, "200Mi")
    world.reach(after, Phase.CONVERGED)
    assert pods(api, after) == ran
    assert world.driver.snapshot(fresh=True).forged == ()

    world.driver.apply(before)  # back to the release with the smaller size
    world.reach(before, Phase.CONVERGED)
    assert asked(api, before) == "200Mi"
    assert pods(api, before) == ran


def test_storage_that_cannot_grow_says_so_and_nothing_is_touched(
    world: World, api: ApiServer, kubernetes: LiveCluster
) -> None:
    before = sized(world.spec(instances=1), 100)
    kubernetes.administer(claim_of(before, FIXED, "100Mi"))
    world.run(before)
    ran = pods(api, before)
    with pytest.raises(DriverError) as refused:
        world.driver.apply(sized(before, 200))
    assert (refused.value.reason.code, refused.value.permanent) == (ReasonCode.VOLUME_KEEPS_SIZE, True)
    assert asked(api, before) == "100Mi"
    assert world.reach(before, Phase.CONVERGED).ready == 1
    assert pods(api, before) == ran


def test_a_volume_that_never_came_may_be_asked_for_in_another_size(
    world: World, api: ApiServer, kubernetes: LiveCluster
) -> None:
    """A size that no storage has would wait for ever, and hold up the next release with it."""
    large = sized(world.spec(instances=1), 900)
    kubernetes.administer(claim_of(large, "nowhere", "900Mi"))
    world.driver.apply(large)
    assert until(lambda: len(pods(api, large)) == 1, seconds=PATIENCE_SECONDS)
    small = sized(large, 100)
    world.driver.apply(small)
    world.reach(small, Phase.CONVERGED)
    assert asked(api, small) == "100Mi"


def test_going_back_right_after_a_volume_grew_meets_no_conflict(
    world: World, api: ApiServer, kubernetes: LiveCluster
) -> None:
    """Another release and another size at once: the instances are replaced, the volume stays."""
    before = sized(world.spec(instances=1), 100)
    kubernetes.administer(claim_of(before, GROWING, "100Mi"))
    world.run(before)
    volume = api.get(path("PersistentVolumeClaim", before.ref.environment, claim_name(before)))["spec"]["volumeName"]
    bad = replace(sized(before, 150), image=world.spec(image="berth/hello:crash").image)
    world.driver.apply(bad)
    world.reach(bad, Phase.FAILING)
    world.driver.apply(before)
    assert world.reach(before, Phase.CONVERGED).ready == 1
    now = api.get(path("PersistentVolumeClaim", before.ref.environment, claim_name(before)))
    assert now["spec"]["volumeName"] == volume
