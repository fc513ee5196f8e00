"""What an engine shows becomes rows; what it does not say is not made up."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps import observer, observing, reconciling
from apps import services as apps
from apps.building import ref_of
from apps.doubting import BELIEVED_AFTER, too_many
from apps.models import App, AppEnvironment, ObservedInstance, ObservedService
from apps.models.declared import engine_name
from apps.operations import FAILURES_OPEN_BREAKER
from apps.specification import from_image
from audit.models import AuditEntry
from backends.contract import DriverError, Reason, ReasonCode, Snapshot
from backends.fake import FakeDriver, Mood
from backends.models import Cluster
from operations import tasks
from operations.changes import newest
from operations.models import Change, Operation
from tests.conftest import Cast, Wakeups

Deployed = Callable[[str], AppEnvironment]


@pytest.fixture
def deployed(cast: Cast, wakeups: Wakeups) -> Deployed:
    """`deployed("a")`: an app of that name that runs in dev."""

    def make(name: str) -> AppEnvironment:
        app = apps.create_app(cast.actor("developer"), cast.shop, name=name)
        place = app.places.select_related("app", "environment__cluster", "project").get(environment__name="dev")
        operation = apps.deploy(cast.actor("developer"), place, spec=from_image("berth/hello:1"))
        wakeups.ids[:] = [str(operation.pk)]
        wakeups.drain()
        return place

    return make


def cluster_now(cast: Cast) -> Cluster:
    return Cluster.objects.get(pk=cast.cluster.pk)


def test_services_and_instances_become_rows(cast: Cast, running: AppEnvironment) -> None:
    ObservedService.objects.all().delete()
    ObservedInstance.objects.all().delete()
    assert observing.observe(cast.cluster)
    service = running.services.get()
    assert (service.service, service.running, service.wanted) == ("web", 3, 3)
    assert set(running.observed_instances.values_list("state", "number")) == {("running", n) for n in (1, 2, 3)}
    assert service.tenant_id == cast.acme.pk


def test_an_engine_that_is_away_leaves_the_rows_and_says_since_when(
    cast: Cast, running: AppEnvironment, driver: FakeDriver
) -> None:
    driver.mood = Mood.AWAY
    assert not observing.observe(cast.cluster)
    assert not observing.observe(cast.cluster)
    cluster = cluster_now(cast)
    assert (cluster.state, cluster.failures) == ("away", 2)
    assert cluster.away_since is not None
    assert running.services.get().running == 3
    driver.mood = Mood.WELL
    assert observing.observe(cast.cluster)
    assert (cluster_now(cast).state, cluster_now(cast).away_since) == ("ready", None)


def test_looking_again_writes_the_same(cast: Cast, running: AppEnvironment) -> None:
    observing.observe(cast.cluster)
    before = set(running.observed_instances.values_list("id", "engine_id"))
    observing.observe(cast.cluster)
    assert set(running.observed_instances.values_list("id", "engine_id")) == before


def test_what_is_as_it_was_is_not_written_again_but_seen(cast: Cast, deployed: Deployed) -> None:
    deployed("a")
    costs = []
    for name in ("b", "c"):
        deployed(name)
        observing.observe(cast.cluster)
        with CaptureQueriesContext(connection) as queries:
            observing.observe(cast.cluster)
        costs.append(len(queries))
    assert costs[0] == costs[1], "a look costs the same, however much runs"
    long_ago = timezone.now() - observing.SILENCE
    for rows in (ObservedService.objects.all(), ObservedInstance.objects.all()):
        rows.update(seen_at=long_ago)
    observing.observe(cast.cluster)
    for rows in (ObservedService.objects.all(), ObservedInstance.objects.all()):
        assert not rows.filter(seen_at__lte=long_ago).exists()


def test_what_fell_out_is_brought_back(
    cast: Cast, deployed: Deployed, driver: FakeDriver, wakeups: Wakeups, django_capture_on_commit_callbacks: Any
) -> None:
    places = [deployed(name) for name in ("a", "b", "c")]
    for ref in driver.services(places[0].engine_name):
        driver.remove(ref)
    observing.observe(cast.cluster)
    with django_capture_on_commit_callbacks(execute=True):
        assert reconciling.reconcile_cluster(cluster_now(cast)) == 1
        assert reconciling.reconcile_cluster(cluster_now(cast)) == 0  # it is on its way already
    with django_capture_on_commit_callbacks(execute=True):
        wakeups.drain()
    assert [ref.service for ref in driver.services(places[0].engine_name)] == ["web"]
    assert AuditEntry.objects.filter(action="app.repair.run", result="done").count() == 1


CHANGED = [{"wanted": 5}, {"phase": "outdated"}]  # scaled past Berth, and whatever else an engine can tell


@pytest.mark.parametrize("changed", CHANGED, ids=lambda one: next(iter(one)))
def test_what_was_changed_on_the_engine_is_put_right_unless_that_is_switched_off(
    changed: dict[str, Any], cast: Cast, deployed: Deployed, settings: Any
) -> None:
    place = deployed("a")
    assert reconciling.reconcile_cluster(cluster_now(cast)) == 0
    place.services.update(**changed)
    settings.REPAIR_CHANGED = False
    assert reconciling.reconcile_cluster(cluster_now(cast)) == 0
    settings.REPAIR_CHANGED = True
    assert reconciling.reconcile_cluster(cluster_now(cast)) == 1
    assert Operation.objects.get(state__in=Operation.ACTIVE).target_name == str(place)


def test_what_looks_changed_everywhere_is_left_as_it_is(cast: Cast, deployed: Deployed) -> None:
    for name in ("a", "b", "c", "d"):
        deployed(name)
    ObservedService.objects.update(wanted=0)
    assert reconciling.reconcile_cluster(cluster_now(cast)) == 0
    assert AuditEntry.objects.filter(action="cluster.repair_braked").count() == 1


def test_an_empty_answer_does_not_start_everything_again(cast: Cast, deployed: Deployed) -> None:
    for name in ("a", "b", "c", "d"):
        deployed(name)
    ObservedService.objects.all().delete()
    assert reconciling.reconcile_cluster(cluster_now(cast)) == 0
    assert reconciling.reconcile_cluster(cluster_now(cast)) == 0
    assert AuditEntry.objects.filter(action="cluster.repair_braked").count() == 1
    assert not Operation.objects.filter(kind="app.repair.run").exists()


def test_a_single_empty_look_changes_nothing_that_pages_show(
    cast: Cast, deployed: Deployed, driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = [deployed(name) for name in ("a", "b", "c", "d")]
    observing.observe(cast.cluster)
    rows, hosts, before = list(ObservedService.objects.values()), cast.cluster.hosts.count(), newest()
    assert (len(rows), hosts) == (4, 1)
    at = timezone.now()
    empty = Snapshot(at=at, services=(), hosts=())
    monkeypatch.setattr(driver, "snapshot", lambda **_: empty)
    assert observing.observe(cast.cluster)
    assert list(ObservedService.objects.values()) == rows
    assert cast.cluster.hosts.count() == hosts
    assert rung(before) == [], "no page hears of it"
    assert reconciling.reconcile_cluster(cluster_now(cast)) == 0
    monkeypatch.undo()
    assert observing.observe(cast.cluster)
    assert places[0].services.get().running == 1
    monkeypatch.setattr(driver, "snapshot", lambda **_: replace(empty, at=timezone.now()))
    assert observing.observe(cast.cluster)
    monkeypatch.setattr(driver, "snapshot", lambda **_: replace(empty, at=timezone.now() + BELIEVED_AFTER))
    assert observing.observe(cast.cluster), "who goes on saying so is believed"
    assert not ObservedService.objects.exists()


def test_a_hundred_apps_stay_when_an_answer_is_empty(
    cast: Cast, running: AppEnvironment, driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert running.release is not None
    apps_made = [App(tenant=cast.acme, project=cast.shop, name=f"many-{number:03}") for number in range(100)]
    places = [
        AppEnvironment(
            tenant=cast.acme, project=cast.shop, app=app, environment=running.environment, release=running.release
        )
        for app in App.objects.bulk_create(apps_made)
    ]
    for place in places:
        place.engine_name = engine_name("a", place.id)
    AppEnvironment.objects.bulk_create(places)
    first = driver.snapshot()
    (one,) = first.services
    services = [replace(one, ref=ref_of(place, "web"), instances=()) for place in places]
    whole = replace(first, services=(one, *services))
    monkeypatch.setattr(driver, "snapshot", lambda **_: replace(whole, at=timezone.now()))
    assert observing.observe(cast.cluster)
    shown = list(ObservedService.objects.values())
    hosts = list(cast.cluster.hosts.values())
    assert len(shown) == 101
    for lost in (replace(whole, services=()), replace(whole, services=(), hosts=())):
        monkeypatch.setattr(driver, "snapshot", lambda lost=lost, **_: replace(lost, at=timezone.now()))
        assert observing.observe(cast.cluster)
    assert list(ObservedService.objects.values()) == shown, "nothing is deleted, and nothing is older than it was"
    assert list(cast.cluster.hosts.values()) == hosts
    assert cluster_now(cast).state == Cluster.State.READY
    assert reconciling.reconcile_cluster(cluster_now(cast)) == 0


def test_what_a_watch_has_lost_is_asked_of_the_engine_before_it_is_doubted(
    cast: Cast, deployed: Deployed, driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c", "d"):
        deployed(name)
    observing.observe(cast.cluster)
    whole, asked = driver.snapshot(), list[bool]()

    def snapshot(*, fresh: bool = False) -> Snapshot:
        asked.append(fresh)
        return replace(whole, at=timezone.now(), services=whole.services if fresh else ())

    monkeypatch.setattr(driver, "snapshot", snapshot)
    ObservedService.objects.update(running=0)
    assert observing.observe(cast.cluster)
    assert asked == [False, True]
    assert set(ObservedService.objects.values_list("running", flat=True)) == {1}, "the engine's own word was written"


def test_what_bears_our_marks_and_is_not_ours_is_told_once(
    cast: Cast, running: AppEnvironment, driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = driver.snapshot()

    def seen(*forged: str) -> list[dict[str, Any]]:
        monkeypatch.setattr(driver, "snapshot", lambda **_: replace(shown, at=timezone.now(), forged=forged))
        assert observing.observe(cast.cluster)
        entries = AuditEntry.objects.filter(action="cluster.forged_seen").order_by("at")
        return [entry.detail for entry in entries]

    assert seen() == []
    first = {"names": ["e-1/one", "e-1/two"], "count": 2}
    assert seen("e-1/two", "e-1/one") == [first]
    assert seen("e-1/one", "e-1/two") == [first], "the same again is no news"
    assert seen(*(f"e-{number}/x" for number in range(30))) == [first], "nor is a stream of them"
    assert running.services.get().running == 3


def test_one_app_that_is_gone_is_believed_at_once(cast: Cast, deployed: Deployed, driver: FakeDriver) -> None:
    first, *_others = [deployed(name) for name in ("a", "b", "c", "d")]
    observing.observe(cast.cluster)
    for ref in driver.services(first.engine_name):
        driver.remove(ref)
    assert observing.observe(cast.cluster)
    assert set(ObservedService.objects.values_list("place__app__name", flat=True)) == {"b", "c", "d"}


@pytest.mark.parametrize(
    ("missing", "places", "braked"),
    [(0, 0, False), (2, 2, False), (3, 20, True), (3, 40, False), (20, 1000, False), (21, 1000, True)],
)
def test_where_the_brake_begins(missing: int, places: int, braked: bool) -> None:
    assert too_many(missing, places) is braked


def test_while_the_breaker_is_open_no_worker_waits_for_the_engine(
    cast: Cast, place: AppEnvironment, driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = apps.deploy(cast.actor("developer"), place, spec=from_image("berth/hello:1"))
    Cluster.objects.update(state="away", failures=FAILURES_OPEN_BREAKER, looked_at=timezone.now())
    monkeypatch.setattr(driver, "ensure_environment", lambda *_: pytest.fail("the engine was asked"))
    tasks.run_operation(str(operation.pk))
    assert operation.events.order_by("-seq").first().code == "engine_away"
    monkeypatch.undo()
    Cluster.objects.update(looked_at=timezone.now() - timedelta(minutes=5))  # the observer is away itself
    Operation.objects.update(not_before=None)
    tasks.run_operation(str(operation.pk))
    assert operation.events.filter(code="preparing").exists()


def test_workers_open_the_breaker_of_an_engine_that_is_deaf_and_no_other(
    cast: Cast, place: AppEnvironment, driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The observer has failed once; four workers that waited in vain are enough, and the fifth does not wait."""
    operation = apps.deploy(cast.actor("developer"), place, spec=from_image("berth/hello:1"))
    asked: list[str] = []

    def deaf(_environment: Any) -> None:
        asked.append("ensure_environment")
        raise DriverError(Reason(ReasonCode.ENGINE_SLOW))

    monkeypatch.setattr(driver, "ensure_environment", deaf)
    other = Cluster.objects.create(name="other", kind=Cluster.Kind.FAKE, address="fake://", state=Cluster.State.READY)
    Cluster.objects.filter(pk=cast.cluster.pk).update(state="away", failures=1, looked_at=timezone.now())
    for _worker in range(FAILURES_OPEN_BREAKER + 3):
        Operation.objects.update(not_before=None)
        tasks.run_operation(str(operation.pk))
    assert len(asked) == FAILURES_OPEN_BREAKER - 1
    assert Cluster.objects.get(pk=other.pk).failures == 0
    monkeypatch.undo()
    assert observing.observe(cluster_now(cast)), "the first success closes it"
    assert cluster_now(cast).failures == 0


def rung(since: int) -> list[str]:
    return list(Change.objects.filter(seq__gt=since).order_by("seq").values_list("kind", flat=True))


def test_only_what_changed_is_told(cast: Cast, running: AppEnvironment, driver: FakeDriver) -> None:
    observing.observe(cast.cluster)
    before = newest()
    observing.observe(cast.cluster)
    assert rung(before) == []
    ObservedInstance.objects.filter(place=running, number=1).update(reason={"code": "unhealthy", "params": {}})
    observing.observe(cast.cluster)
    assert rung(before) == ["place"]


def test_a_cluster_that_goes_and_comes_back_is_told_to_its_projects(
    cast: Cast, running: AppEnvironment, driver: FakeDriver
) -> None:
    observing.observe(cast.cluster)
    before = newest()
    driver.mood = Mood.AWAY
    observing.observe(cast.cluster)
    observing.observe(cast.cluster)
    assert sorted(rung(before)) == ["cluster", "project"]
    driver.mood = Mood.WELL
    observing.observe(cast.cluster)
    assert sorted(rung(before)) == ["cluster", "cluster", "project", "project"]


async def test_looks_follow_a_notice_at_once_and_its_echoes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observer, "SHORTEST_PAUSE", 0.0)
    monkeypatch.setattr(observer, "ECHOES", (0.02, 0.06))
    pace = observer.Pace()
    clock = asyncio.get_running_loop().time

    async def waited() -> float:
        began = clock()
        pace.begin()
        await pace.pause(None)
        return clock() - began

    await asyncio.sleep(0.1)  # the echoes of the beginning
    asyncio.get_running_loop().call_later(0.05, pace.notice)
    assert 0.03 < await waited() < 0.5, "at once, not with the next regular look"
    assert await waited() < 0.04
    assert await waited() < 0.2
    asyncio.get_running_loop().call_later(0.3, pace.notice)
    assert await waited() > 0.2, "when the echoes are over nobody looks without a reason"


def test_a_cluster_nobody_looks_at_any_more_is_told_once(cast: Cast, running: AppEnvironment) -> None:
    observing.observe(cast.cluster)
    before = newest()
    observing.tell_of_silence()
    assert rung(before) == []
    Cluster.objects.filter(pk=cast.cluster.pk).update(looked_at=timezone.now() - timedelta(seconds=65))
    observing.tell_of_silence()
    assert sorted(rung(before)) == ["cluster", "project"]
    observing.observe(cast.cluster)
    assert sorted(rung(before)) == ["cluster", "cluster", "project", "project"], "and when somebody looks again"
