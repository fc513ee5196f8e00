"""An image that is not approved for production gets there by none of the ways there are."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from apps.gate import CODE
from apps.lifecycle import services as lifecycle
from apps.models import AppEnvironment, ObservedService
from apps.observing import observe
from apps.reconciling import reconcile_cluster
from apps.services import create_app, deploy, restart, rollback, scale, start, stop, withdraw
from apps.specification import from_image
from backends.contract import Phase, Reason, ReasonCode, ServiceRef, ServiceSpec, ServiceStatus
from backends.fake import FakeDriver
from core.clock import from_now
from core.errors import Conflict, Invalid
from images.models import Artifact, PullAccount, Tag
from images.promotion import granting, places, services
from images.promotion.models import Approval
from operations import tasks
from operations.models import Operation
from tests.conftest import Cast, Wakeups
from tests.promotion.laid import Registry
from tests.promotion.stages import ADDRESS, approved, gated, place_in, pushed, scanned

Done = Callable[[Callable[[], Any]], Operation]
WEB = f"{ADDRESS}/acme/shop/web:1"
P = "/api/v1/tenants/acme/projects/shop"
CHANGES = "/t/acme/p/shop/"


@pytest.fixture
def images(cast: Cast, shelf: Registry, driver: FakeDriver) -> list[Artifact]:
    """Two images of shop; only the first is approved, and production takes approved ones only."""
    found = [_image(cast, shelf, driver, text) for text in ("first", "second")]
    gated(cast)
    approved(cast, found[0])
    Tag.objects.filter(name="1").update(artifact=found[0])
    return found


def _image(cast: Cast, shelf: Registry, driver: FakeDriver, text: str, *, name: str = "web") -> Artifact:
    digest = shelf.put(f"acme/shop/{name}", text)
    made = pushed(cast, "0", name=name, tag=text)
    Artifact.objects.filter(pk=made.pk).update(digest=digest, pinned=f"{made.repository.name}@{digest}")
    Tag.objects.update_or_create(repository=made.repository, name="1", defaults={"artifact": made})
    made.refresh_from_db()
    return made


@pytest.fixture
def prod(cast: Cast) -> AppEnvironment:
    return place_in(cast, "prod")


@pytest.fixture
def live(cast: Cast, images: list[Artifact], prod: AppEnvironment, done: Done) -> AppEnvironment:
    """The approved image in production, two instances."""
    operation = done(lambda: deploy(cast.actor("releaser"), prod, spec=spec(2)))
    assert operation.state == "succeeded", operation.failure
    prod.refresh_from_db()
    return prod


def spec(instances: int = 1, image: str = WEB) -> Any:
    return from_image(image, name="web", instances=instances)


def runs(driver: FakeDriver, place: AppEnvironment) -> list[str]:
    return [one.service for one in driver.services(place.engine_name)]


def suspended(cast: Cast, image: Artifact) -> None:
    row = Approval.objects.get(digest=image.digest, stage="prod")
    services.suspend(cast.actor("releaser"), row, reason="a hole was found")


def test_what_is_approved_runs_and_is_fetched_from_where_the_stage_fetches(
    live: AppEnvironment, images: list[Artifact], driver: FakeDriver, cast: Cast, shelf: Registry
) -> None:
    held = driver.applied[-1]
    path = places.path_of(cast.shop.pk, "prod")
    assert held.image == f"{ADDRESS}/{path}@{images[0].digest}"
    assert shelf.held(path) == {images[0].digest}
    assert PullAccount.objects.get(place=live.environment.engine_name).stage == "prod"


def test_by_the_command_and_by_its_tag_that_moved(cast: Cast, images: list[Artifact], prod: AppEnvironment) -> None:
    Tag.objects.filter(name="1").update(artifact=images[1])  # the approved one was called so a moment ago
    with pytest.raises(Invalid) as refusal:
        deploy(cast.actor("releaser"), prod, spec=spec())
    problem = refusal.value.errors[0]
    assert (problem.code, problem.field) == (CODE, "spec.services.web.image")
    assert "is not approved for production" in str(problem.message)


@pytest.mark.parametrize("name", ["web", "elsewhere"])
def test_by_its_digest_and_from_another_repository(
    cast: Cast, images: list[Artifact], prod: AppEnvironment, shelf: Registry, driver: FakeDriver, name: str
) -> None:
    pushed(cast, "0", name=name)
    with pytest.raises(Invalid):
        deploy(cast.actor("releaser"), prod, spec=spec(image=f"{ADDRESS}/acme/shop/{name}@{images[1].digest}"))


def test_the_approved_one_from_another_repository_is_the_same_image(
    cast: Cast, images: list[Artifact], prod: AppEnvironment, done: Done, driver: FakeDriver
) -> None:
    copy = pushed(cast, "0", name="copy")
    digest = images[0].digest
    Artifact.objects.filter(pk=copy.pk).update(digest=digest, pinned=f"{copy.repository.name}@{digest}")
    done(lambda: deploy(cast.actor("releaser"), prod, spec=spec(image=f"{ADDRESS}/acme/shop/copy:1")))
    held = driver.applied[-1]
    assert held.image.endswith(f"{places.path_of(cast.shop.pk, 'prod')}@{digest}")


def test_from_a_registry_that_nobody_asked(cast: Cast, images: list[Artifact], prod: AppEnvironment) -> None:
    with pytest.raises(Invalid) as refusal:
        deploy(cast.actor("releaser"), prod, spec=spec(image="elsewhere.test/web:1"))
    assert "is not in Berth's list" in str([str(one.message) for one in refusal.value.errors])


def test_with_a_new_app(cast: Cast, images: list[Artifact]) -> None:
    Tag.objects.filter(name="1").update(artifact=images[1])
    here = cast.environment("prod")
    with pytest.raises(Invalid):
        create_app(cast.actor("owner"), cast.shop, name="fresh", environment=here, spec=spec())


def test_by_a_release_that_was_made_elsewhere_and_by_rolling_back(
    cast: Cast, images: list[Artifact], prod: AppEnvironment, done: Done
) -> None:
    Tag.objects.filter(name="1").update(artifact=images[1])
    dev = place_in(cast, "dev")
    assert done(lambda: deploy(cast.actor("developer"), dev, spec=spec())).state == "succeeded"
    dev.refresh_from_db()
    assert dev.release is not None
    for begin in (deploy, rollback):
        with pytest.raises(Conflict) as refusal:
            begin(cast.actor("releaser"), prod, release=dev.release)
        assert refusal.value.code == CODE
    prod.refresh_from_db()
    assert prod.release is None


def test_by_page_and_by_api(
    images: list[Artifact], prod: AppEnvironment, api: Callable[[str], APIClient], browse: Callable[[str], Client]
) -> None:
    Tag.objects.filter(name="1").update(artifact=images[1])
    answer = api("releaser").post(
        f"{P}/apps/hello/deployments", {"environment": "prod", "spec": {"services": {"web": {"image": WEB}}}}, "json"
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == CODE
    answer = browse("releaser").get(f"{CHANGES}deploy/?app=hello&environment=prod&image={WEB}")
    page = answer.content.decode()
    assert "is not approved for production" in page
    assert f"/promotion/ask/?stage=prod&amp;digest={images[1].digest.replace(':', '%3A')}" in page
    prod.refresh_from_db()
    assert prod.release is None


def test_nothing_starts_with_a_suspended_image_and_what_runs_keeps_running(
    cast: Cast, live: AppEnvironment, images: list[Artifact], done: Done, driver: FakeDriver
) -> None:
    suspended(cast, images[0])
    actor = cast.actor("releaser")
    for begin in (
        lambda: scale(actor, live, service="web", instances=3),
        lambda: restart(actor, live),
        lambda: deploy(actor, live, release=live.release),
        lambda: rollback(actor, live, release=live.release),  # type: ignore[arg-type]  # it has one
    ):
        with pytest.raises(Conflict, match=CODE):
            begin()
    with pytest.raises(Invalid):
        deploy(actor, live, spec=spec())
    assert runs(driver, live) == ["web"]
    assert done(lambda: scale(actor, live, service="web", instances=1)).state == "succeeded"
    live.refresh_from_db()
    assert done(lambda: stop(actor, live)).state == "succeeded"
    live.refresh_from_db()
    with pytest.raises(Conflict, match=CODE):
        start(actor, live)
    with pytest.raises(Conflict, match=CODE):
        scale(actor, live, service="web", instances=1)  # which would start it
    assert done(lambda: withdraw(actor, live)).state == "succeeded"


def test_what_its_hosts_cannot_fetch_any_more_is_stopped_all_the_same(
    cast: Cast, live: AppEnvironment, images: list[Artifact], done: Done, driver: FakeDriver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The engine tells for a while of instances that it could not start, though none is wanted any more."""
    suspended(cast, images[0])
    told, status = list[int](), driver.status

    def failing(spec: ServiceSpec) -> ServiceStatus:
        found = status(spec)
        if spec.instances or found.phase != Phase.CONVERGED or len(told) == 3:
            return found
        told.append(spec.instances)
        gone = Reason(ReasonCode.IMAGE_NOT_FOUND, {"image": spec.image, "service": spec.ref.service})
        return replace(found, phase=Phase.FAILING, reason=gone)

    monkeypatch.setattr(driver, "status", failing)
    operation = done(lambda: stop(cast.actor("releaser"), live))
    assert operation.state == "succeeded", operation.failure
    assert told == [0, 0, 0]
    live.refresh_from_db()
    assert live.stopped


def test_a_new_approval_lifts_it(cast: Cast, live: AppEnvironment, images: list[Artifact], done: Done) -> None:
    suspended(cast, images[0])
    approved(cast, images[0])
    assert done(lambda: restart(cast.actor("releaser"), live)).state == "succeeded"


def test_when_it_is_suspended_between_asking_and_doing(
    cast: Cast, live: AppEnvironment, images: list[Artifact], wakeups: Wakeups, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        operation = scale(cast.actor("releaser"), live, service="web", instances=5)
    suspended(cast, images[0])
    with django_capture_on_commit_callbacks(execute=True):
        wakeups.drain()
    operation.refresh_from_db()
    assert operation.state == "failed"
    assert operation.failure is not None
    assert operation.failure["code"] == CODE
    live.refresh_from_db()
    assert live.instances == {}


def test_going_back_from_a_release_that_fails_starts_nothing_that_is_suspended(
    cast: Cast, live: AppEnvironment, images: list[Artifact], driver: FakeDriver, wakeups: Wakeups,
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    approved(cast, images[1])
    Tag.objects.create(repository=images[1].repository, name="crash", artifact=images[1])
    with django_capture_on_commit_callbacks(execute=True):
        operation = deploy(cast.actor("releaser"), live, spec=spec(image=f"{ADDRESS}/acme/shop/web:crash"))
    with django_capture_on_commit_callbacks(execute=True):
        while Operation.objects.get(pk=operation.pk).failure is None:
            work_once(wakeups)
    suspended(cast, images[0])
    driver.remove(ServiceRef(live.environment.engine_name, live.engine_name, "web"))  # else it went back by itself
    before = len(driver.applied)
    with django_capture_on_commit_callbacks(execute=True):
        wakeups.drain()
    operation.refresh_from_db()
    assert operation.state == "failed"
    assert len(driver.applied) == before
    live.refresh_from_db()
    assert reconcile_cluster(cast.cluster) == 0


def work_once(wakeups: Wakeups) -> None:
    operation_id = wakeups.ids.pop(0)
    Operation.objects.filter(pk=operation_id).update(not_before=None)
    tasks.run_operation(operation_id)


def test_by_repair(
    cast: Cast, live: AppEnvironment, images: list[Artifact], driver: FakeDriver, wakeups: Wakeups
) -> None:
    driver.remove(ServiceRef(live.environment.engine_name, live.engine_name, "web"))
    observe(cast.cluster)
    suspended(cast, images[0])
    assert reconcile_cluster(cast.cluster) == 0
    approved(cast, images[0])
    ObservedService.objects.filter(place=live).exclude(phase=Phase.CONVERGED).delete()
    assert reconcile_cluster(cast.cluster) == 1


def test_by_a_repair_that_has_begun(
    cast: Cast, live: AppEnvironment, images: list[Artifact], driver: FakeDriver, wakeups: Wakeups, done: Done
) -> None:
    driver.remove(ServiceRef(live.environment.engine_name, live.engine_name, "web"))
    observe(cast.cluster)
    assert reconcile_cluster(cast.cluster) == 1
    suspended(cast, images[0])
    operation = Operation.objects.get(kind="app.repair.run")
    done(lambda: operation)
    wakeups.ids.append(str(operation.pk))
    done(lambda: operation)
    assert operation.state == "failed"
    assert runs(driver, live) == []


def test_by_resuming_the_project(
    cast: Cast, live: AppEnvironment, images: list[Artifact], driver: FakeDriver, done: Done
) -> None:
    done(lambda: lifecycle.suspend(cast.actor("owner"), cast.shop))
    cast.shop.refresh_from_db()
    row = Approval.objects.get(digest=images[0].digest)
    granting.suspend(row, {"code": "withdrawn", "params": {"person": "x", "reason": "y"}})
    resumed = done(lambda: lifecycle.resume(cast.actor("owner"), cast.shop))
    assert resumed.state == "succeeded"
    assert resumed.events.filter(code="place_left", params__why=CODE).exists()
    held = driver.applied[-1]
    assert held.instances == 0


def test_after_its_time(cast: Cast, live: AppEnvironment, images: list[Artifact]) -> None:
    Approval.objects.update(valid_until=from_now(timedelta(seconds=-1)))
    with pytest.raises(Conflict, match=CODE):
        restart(cast.actor("releaser"), live)
    granting.end_old()
    row = Approval.objects.get()
    assert row.why is not None
    assert row.why["code"] == "out_of_time"


def test_with_a_scan_that_nobody_acted_on_yet(cast: Cast, live: AppEnvironment, images: list[Artifact]) -> None:
    scanned(images[0], "A")
    gated(cast, rating="B")
    restart_later = cast.actor("releaser")
    scanned(images[0], "E")
    with pytest.raises(Conflict, match=CODE) as refusal:
        restart(restart_later, live)
    assert "The scan says E" in str(refusal.value.message)


def test_what_ran_before_there_was_a_policy_keeps_running_and_starts_no_more(
    cast: Cast, shelf: Registry, driver: FakeDriver, prod: AppEnvironment, done: Done, browse: Callable[[str], Client]
) -> None:
    image = _image(cast, shelf, driver, "first")
    assert done(lambda: deploy(cast.actor("releaser"), prod, spec=spec())).state == "succeeded"
    prod.refresh_from_db()
    gated(cast)
    assert reconcile_cluster(cast.cluster) == 0
    with pytest.raises(Conflict, match=CODE):
        restart(cast.actor("releaser"), prod)
    page = browse("releaser").get("/t/acme/p/shop/promotion/").content.decode()
    assert "Runs without an approval that holds" in page
    approved(cast, image)
    before = driver.applied[-1]
    assert reconcile_cluster(cast.cluster) == 0  # the same image by another name is no other revision
    assert done(lambda: restart(cast.actor("releaser"), prod)).state == "succeeded"
    after = driver.applied[-1]
    assert (before.image, after.image) == (
        f"{ADDRESS}/acme/shop/web@{image.digest}",
        f"{ADDRESS}/{places.path_of(cast.shop.pk, 'prod')}@{image.digest}",
    )


def test_while_the_registry_is_away_it_waits(
    cast: Cast, images: list[Artifact], prod: AppEnvironment, shelf: Registry, wakeups: Wakeups,
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    shelf.away = True
    with django_capture_on_commit_callbacks(execute=True):
        operation = deploy(cast.actor("releaser"), prod, spec=spec())
    with django_capture_on_commit_callbacks(execute=True), pytest.raises(AssertionError, match="still not over"):
        wakeups.drain(most=3)
    assert operation.events.filter(code="registry_silent").exists()
    shelf.away = False
    with django_capture_on_commit_callbacks(execute=True):
        wakeups.drain()
    operation.refresh_from_db()
    assert operation.state == "succeeded"


def test_when_it_was_deleted_before_it_could_be_laid_out(
    cast: Cast, images: list[Artifact], prod: AppEnvironment, shelf: Registry, done: Done
) -> None:
    del shelf.manifests["acme/shop/web", images[0].digest]
    operation = done(lambda: deploy(cast.actor("releaser"), prod, spec=spec()))
    assert operation.state == "failed"
    assert operation.failure is not None
    assert operation.failure["code"] == "approved_image_gone"
