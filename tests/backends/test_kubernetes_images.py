"""Pinning images by a registry that only the cluster is asked to call."""

from dataclasses import replace

import pytest

from backends.contract import DriverError, Phase, ReasonCode
from backends.kubernetes.client import ApiServer
from backends.kubernetes.driver import KubernetesDriver
from backends.kubernetes.images import PLACE
from launcher.kubernetes.registry import push
from launcher.processes import until
from launcher.sample_images import images
from tests.backends.world import PATIENCE_SECONDS, new_world
from tests.cluster import LiveCluster, of_its_own

pytestmark = pytest.mark.kubernetes


@pytest.fixture(scope="module")
def driver(kubernetes: LiveCluster) -> KubernetesDriver:
    return KubernetesDriver(kubernetes.access)


@pytest.fixture(scope="module")
def registry(kubernetes: LiveCluster) -> str:
    if not kubernetes.registry:
        pytest.skip("NOT RUN: the cluster is not the project's own, so no registry is known that it may ask")
    return kubernetes.registry


def test_what_a_registry_has_is_pinned_and_runs(driver: KubernetesDriver, registry: str) -> None:
    digest = push(registry, of_its_own(images()[0]), name="shop/web", tag="1.4")
    info = driver.resolve_image(f"{registry}/shop/web:1.4")
    assert (info.digest, info.pinned) == (digest, f"{registry}/shop/web@{digest}")
    world = new_world(driver)
    spec = replace(world.spec(instances=1), image=info.pinned)
    assert world.run(spec).phase == Phase.CONVERGED
    world.leave()
    world.clear()


def test_an_image_that_runs_as_root_is_named(driver: KubernetesDriver, registry: str) -> None:
    image = images()[0]
    push(registry, replace(image, config={**image.config, "User": ""}), name="shop/root", tag="1")
    world = new_world(driver)
    info = driver.resolve_image(f"{registry}/shop/root:1")
    spec = replace(world.spec(instances=1), image=info.pinned, image_name="shop/root:1")
    driver.apply(spec)
    reason = world.reach(spec, Phase.FAILING).reason
    assert reason is not None
    assert (reason.code, reason.params["image"]) == (ReasonCode.RUNS_AS_ROOT, "shop/root:1")
    as_number = replace(spec, user="1000:1000")
    assert world.run(as_number).phase == Phase.CONVERGED
    world.leave()
    world.clear()


def test_a_tag_that_moved_is_another_image(driver: KubernetesDriver, registry: str) -> None:
    one, two, *_ = map(of_its_own, images())
    first = push(registry, one, name="shop/moving", tag="x")
    assert driver.resolve_image(f"{registry}/shop/moving:x").digest == first
    second = push(registry, two, name="shop/moving", tag="x")
    assert driver.resolve_image(f"{registry}/shop/moving:x").digest == second != first


def test_a_digest_is_no_proof_of_a_right_though_a_host_holds_the_image(driver: KubernetesDriver, registry: str) -> None:
    digest = push(registry, of_its_own(images()[0]), name="shop/held", tag="1")
    assert driver.resolve_image(f"{registry}/shop/held@{digest}").digest == digest
    reference = f"{registry}/shop/gone@{digest}"  # the same image by a name that the registry does not give
    with pytest.raises(DriverError) as refused:
        driver.resolve_image(reference)
    assert refused.value.reason.code == ReasonCode.IMAGE_NOT_FOUND


def test_what_a_registry_lacks_is_not_found(driver: KubernetesDriver, registry: str) -> None:
    reference = f"{registry}/shop/nothing:1"
    with pytest.raises(DriverError) as refused:
        driver.resolve_image(reference)
    assert refused.value.reason.code == ReasonCode.IMAGE_NOT_FOUND
    assert refused.value.reason.params["image"] == reference
    assert refused.value.permanent


def test_a_registry_that_is_not_there_is_away(driver: KubernetesDriver) -> None:
    error = refusal(driver, "registry.example/shop/web:1")
    assert error.reason.code == ReasonCode.REGISTRY_AWAY
    assert not error.permanent


def refusal(driver: KubernetesDriver, reference: str) -> DriverError:
    """Why not, once it is known: a host may take longer to find out than one call waits."""
    errors: list[DriverError] = []

    def known() -> bool:
        with pytest.raises(DriverError) as refused:
            driver.resolve_image(reference)
        errors.append(refused.value)
        return refused.value.reason.code != ReasonCode.ENGINE_SLOW

    assert until(known, seconds=PATIENCE_SECONDS)
    return errors[-1]


def test_asking_leaves_nothing_behind(driver: KubernetesDriver, kubernetes: LiveCluster) -> None:
    refusal(driver, "registry.example/shop/other:1")
    api = ApiServer(kubernetes.access)
    assert until(lambda: not api.items("Pod", PLACE.name), seconds=PATIENCE_SECONDS)
