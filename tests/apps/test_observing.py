"""What an engine shows becomes rows; what it does not say is not made up."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps import observer, observing, reconciling
from apps import services as apps
from apps.models import AppEnvironment, ObservedInstance, ObservedService
from apps.operations import FAILURES_OPEN_BREAKER
from apps.specification import from_image
from audit.models import AuditEntry
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


def test_an_empty_answer_does_not_start_everything_again(cast: Cast, deployed: Deployed) -> None:
    for name in ("a", "b", "c", "d"):
        deployed(name)
    ObservedService.objects.all().delete()
    assert reconciling.reconcile_cluster(cluster_now(cast)) == 0
    assert reconciling.reconcile_cluster(cluster_now(cast)) == 0
    assert AuditEntry.objects.filter(action="cluster.repair_braked").count() == 1
    assert not Operation.objects.filter(kind="app.repair.run").exists()


@pytest.mark.parametrize(
    ("missing", "places", "braked"),
    [(0, 0, False), (2, 2, False), (3, 20, True), (3, 40, False), (20, 1000, False), (21, 1000, True)],
)
def test_where_the_brake_begins(missing: int, places: int, braked: bool) -> None:
    assert reconciling.too_many(missing, places) is braked


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
