"""A project suspended, resumed, archived, restored, deleted and brought back; killed at any moment of it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps import services as apps
from apps.lifecycle import operations as work
from apps.lifecycle import services as lifecycle
from apps.models import AppEnvironment, ObservedService
from apps.reconciling import reconcile_cluster
from apps.specification import from_image
from audit.models import AuditEntry
from backends.contract import EnvironmentRef, InstanceState
from backends.fake import FakeDriver
from backends.fake.world import Mood
from core.errors import Conflict, Denied, Invalid
from operations import services, tasks
from operations.models import Operation
from tenants.models import Notice, Project
from tests.apps.killed import die, work_until_killed
from tests.conftest import Cast, Wakeups

Settle = Callable[[], None]
Turn = Callable[..., Operation]
DEEDS = {
    "suspend": lifecycle.suspend,
    "resume": lifecycle.resume,
    "archive": lifecycle.archive,
    "restore": lifecycle.restore,
    "delete": lifecycle.delete,
}


@pytest.fixture
def settle(wakeups: Wakeups, django_capture_on_commit_callbacks: Any) -> Settle:
    def work() -> None:
        with django_capture_on_commit_callbacks(execute=True):
            wakeups.drain()

    return work


@pytest.fixture
def turn(cast: Cast, wakeups: Wakeups, settle: Settle) -> Turn:
    """Do something with the whole of shop as its owner, to the end unless `work` is False."""

    def do(deed: str, *, work: bool = True, **more: Any) -> Operation:
        shop = Project.objects.get(pk=cast.shop.pk)
        named = {"typed_name": "acme/shop"} if deed == "delete" else {}
        operation = DEEDS[deed](cast.actor("owner"), shop, **named, **more)
        wakeups.ids.append(str(operation.pk))
        if work:
            settle()
            operation.refresh_from_db()
        return operation

    return do


def state(cast: Cast) -> str:
    return str(Project.objects.values_list("state", flat=True).get(pk=cast.shop.pk))


def instances(driver: FakeDriver, place: AppEnvironment) -> int:
    place.refresh_from_db()
    seen = [one for ref in driver.services(place.engine_name) for one in driver.instances(ref)]
    return sum(one.state == InstanceState.RUNNING for one in seen)


def wanted(driver: FakeDriver, ref: Any) -> int:
    return int(driver._services[ref].spec.instances)


def test_suspended_nothing_runs_and_nothing_is_lost(
    cast: Cast, running: AppEnvironment, driver: FakeDriver, turn: Turn
) -> None:
    release, before = running.release, running.generation
    done = turn("suspend", reason="the move")
    assert (done.state, state(cast)) == ("succeeded", "suspended")
    assert [wanted(driver, ref) for ref in driver.services(running.engine_name)] == [0]
    running.refresh_from_db()
    assert (running.release, running.stopped, running.held) == (release, True, True)
    assert running.generation > before
    done = turn("resume")
    assert (done.state, state(cast)) == ("succeeded", "active")
    running.refresh_from_db()
    assert (running.release, running.stopped, running.held) == (release, False, False)
    assert instances(driver, running) == 3


def test_what_had_been_stopped_stays_stopped(
    cast: Cast, running: AppEnvironment, driver: FakeDriver, turn: Turn, wakeups: Wakeups, settle: Settle
) -> None:
    wakeups.ids.append(str(apps.stop(cast.actor("developer"), running).pk))
    settle()
    turn("suspend")
    turn("resume")
    running.refresh_from_db()
    assert (running.stopped, running.held) == (True, False)
    assert [wanted(driver, ref) for ref in driver.services(running.engine_name)] == [0]


@pytest.mark.parametrize("deed", ["suspend", "archive"])
def test_a_closed_project_refuses_every_change_and_says_the_next_step(
    deed: str, cast: Cast, running: AppEnvironment, turn: Turn
) -> None:
    turn(deed)
    owner = cast.actor("owner")
    changes: list[Callable[[], Any]] = [
        lambda: apps.deploy(owner, running, image="berth/hello:2"),
        lambda: apps.start(owner, running),
        lambda: apps.withdraw(owner, running),
        lambda: apps.create_app(owner, cast.shop, name="more"),
        lambda: apps.update_app(owner, running.app, title="x"),
        lambda: apps.create_environment(owner, cast.shop, name="x", stage="dev", cluster=cast.cluster),
    ]
    for change in changes:
        with pytest.raises(Conflict) as refused:
            change()
        assert refused.value.code == "project_not_active"
        assert refused.value.hint
    assert AuditEntry.objects.filter(result="refused", detail__code="project_not_active").count() == len(changes)


def test_a_change_that_began_before_does_not_slip_through(cast: Cast, running: AppEnvironment, turn: Turn) -> None:
    """The row is looked at under its lock once more, whatever the command read before."""
    turn("suspend")
    with pytest.raises(Conflict):
        apps._change(cast.actor("owner"), running, "stop", stopped=True)


def test_archived_it_takes_nothing_of_the_engines_and_comes_back(
    cast: Cast, running: AppEnvironment, driver: FakeDriver, turn: Turn
) -> None:
    assert turn("archive").state == "succeeded"
    assert driver.services(running.engine_name) == []
    assert EnvironmentRef(running.environment.engine_name).name not in driver._environments
    assert not ObservedService.objects.filter(place=running).exists()
    assert reconcile_cluster(cast.cluster) == 0, "what is archived is not missing"
    assert turn("restore").state == "succeeded"
    assert state(cast) == "active"
    assert instances(driver, running) == 3


def test_deleted_it_is_out_of_sight_and_comes_back_under_its_name(
    cast: Cast, running: AppEnvironment, driver: FakeDriver, turn: Turn, api: Any
) -> None:
    client, address = api("owner"), "/api/v1/tenants/acme/projects/shop"
    assert client.get(address).status_code == 200
    turn("delete")
    assert state(cast) == "deleted"
    assert driver.services(running.engine_name) == []
    assert client.get(address).status_code == 404
    taken = client.post("/api/v1/tenants/acme/projects", {"name": "shop"}, format="json")
    assert (taken.status_code, taken.json()["code"]) == (409, "name_taken")
    assert "Restore" in taken.json()["hint"]
    turn("restore")
    assert client.get(address).json()["state"] == "active"
    assert instances(driver, running) == 3


def test_each_way_back_leads_to_where_it_was(cast: Cast, running: AppEnvironment, turn: Turn) -> None:
    for deed, after in (
        ("suspend", "suspended"),
        ("archive", "archived"),
        ("delete", "deleted"),
        ("restore", "archived"),
        ("restore", "suspended"),
        ("resume", "active"),
    ):
        assert turn(deed).state == "succeeded", deed
        assert state(cast) == after, deed
    running.refresh_from_db()
    assert not running.stopped


@pytest.mark.parametrize("deed", ["resume", "restore"])
def test_what_cannot_be_done_now_is_refused(deed: str, cast: Cast) -> None:
    with pytest.raises(Conflict) as refused:
        DEEDS[deed](cast.actor("owner"), cast.shop)
    assert refused.value.code == "wrong_state"


def test_deleting_wants_the_whole_name_and_its_own_permission(cast: Cast) -> None:
    with pytest.raises(Invalid):
        lifecycle.delete(cast.actor("owner"), cast.shop, typed_name="shop")
    with pytest.raises(Denied):
        lifecycle.delete(cast.actor("releaser"), cast.shop, typed_name="acme/shop")
    for name in ("developer", "releaser", "guest", "auditor", "operator"):
        with pytest.raises(Denied):
            lifecycle.suspend(cast.actor(name), cast.shop)
    assert state(cast) == "active"


def test_changes_under_way_go_back_first(
    cast: Cast, running: AppEnvironment, driver: FakeDriver, turn: Turn, settle: Settle, wakeups: Wakeups
) -> None:
    under_way = apps.deploy(cast.actor("developer"), running, image="berth/hello:2")
    tasks.run_operation(str(under_way.pk))
    done = turn("suspend", work=False)
    tasks.run_operation(str(done.pk))
    wakeups.ids.append(str(under_way.pk))
    settle()
    under_way.refresh_from_db()
    done.refresh_from_db()
    running.refresh_from_db()
    assert (under_way.state, done.state) == ("cancelled", "succeeded")
    assert running.release is not None
    assert (running.release.number, running.stopped, running.held) == (1, True, True)
    assert "waiting_for_changes" in done.events.values_list("code", flat=True)


def test_one_turn_at_a_time(cast: Cast, running: AppEnvironment, turn: Turn) -> None:
    turn("suspend", work=False)
    with pytest.raises(Conflict) as refused:
        turn("archive", work=False)
    assert refused.value.code == "operation_active"


def _takes_its_time(remove: Callable[..., bool]) -> Callable[..., bool]:
    """Instances need a moment to end, so the engine says that something is left."""

    def removed(self: FakeDriver, ref: Any) -> bool:
        remove(self, ref)
        return False

    return removed


@pytest.mark.parametrize("deed", ["suspend", "archive", "delete"])
def test_cancelled_it_runs_again(
    deed: str,
    cast: Cast,
    running: AppEnvironment,
    driver: FakeDriver,
    turn: Turn,
    settle: Settle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun = turn(deed, work=False)
    with monkeypatch.context() as patched:
        patched.setattr(FakeDriver, "remove", _takes_its_time(FakeDriver.remove))
        tasks.run_operation(str(begun.pk))
    begun.refresh_from_db()
    assert begun.active
    services.cancel(cast.actor("owner"), begun)
    settle()
    begun.refresh_from_db()
    assert begun.state == "cancelled"
    assert state(cast) == "active"
    assert Project.objects.get(pk=cast.shop.pk).deleted_at is None
    assert instances(driver, running) == 3


def test_an_engine_that_is_away_for_good_leaves_it_running(
    cast: Cast, running: AppEnvironment, driver: FakeDriver, turn: Turn, settle: Settle
) -> None:
    driver.mood = Mood.AWAY
    begun = turn("suspend", work=False)
    tasks.run_operation(str(begun.pk))
    Operation.objects.filter(pk=begun.pk).update(not_before=None, deadline_at=timezone.now() - timedelta(hours=1))
    driver.mood = Mood.WELL
    settle()
    begun.refresh_from_db()
    assert begun.state == "failed"
    assert (state(cast), instances(driver, running)) == ("active", 3)
    assert Notice.objects.filter(user=cast.owner, kind="project.suspend.failed").count() == 1


def test_an_app_that_does_not_come_up_keeps_nobody_waiting(
    cast: Cast, running: AppEnvironment, driver: FakeDriver, turn: Turn
) -> None:
    turn("suspend")
    driver.mood = Mood.CRASHING
    done = turn("resume")
    assert (done.state, state(cast)) == ("succeeded", "active")
    assert "place_left" in done.events.values_list("code", flat=True)


def test_members_hear_of_it_once(cast: Cast, running: AppEnvironment, turn: Turn) -> None:
    turn("suspend", reason="the move")
    told = Notice.objects.filter(kind="project.suspend.succeeded")
    assert set(told.values_list("user__username", flat=True)) == {"owner", "developer", "releaser", "guest"}
    entry = AuditEntry.objects.get(action="project.suspend")
    assert (entry.before, entry.after, entry.detail["reason"]) == (
        {"state": "active"},
        {"state": "suspended"},
        "the move",
    )
    assert AuditEntry.objects.filter(action="project.suspend.run", result="done").count() == 1


POINTS = [
    ("operations.services.begin", "before", 1),
    ("operations.services.begin", "after", 1),
    ("operations.services.pause", "before", 1),
    ("operations.services.pause", "after", 1),
    ("operations.services.pause", "before", 2),
    ("operations.services.pause", "after", 2),
    ("backends.fake.driver.FakeDriver.apply", "before", 1),
    ("backends.fake.driver.FakeDriver.apply", "after", 1),
    ("backends.fake.driver.FakeDriver.remove", "after", 1),
    ("backends.fake.driver.FakeDriver.remove_environment", "after", 1),
    ("operations.services.settle", "before", 1),
    ("operations.services._record_end", "after", 1),
    ("operations.services.settle", "after", 1),
]


@pytest.mark.parametrize("deed", ["suspend", "resume", "archive", "restore", "delete"])
@pytest.mark.parametrize(("point", "when", "count"), POINTS)
def test_killed_at_any_step_it_is_done_once(
    deed: str,
    point: str,
    when: str,
    count: int,
    cast: Cast,
    running: AppEnvironment,
    driver: FakeDriver,
    turn: Turn,
    settle: Settle,
    wakeups: Wakeups,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if deed in ("resume", "restore"):
        turn("suspend" if deed == "resume" else "archive")
    begun = turn(deed, work=False)
    wakeups.ids.clear()
    with monkeypatch.context() as patched:
        die(patched, point, when, count, importer=work)
        work_until_killed(begun)
    Operation.objects.filter(pk=begun.pk).update(lease_until=timezone.now() - timedelta(hours=1))
    wakeups.ids.append(str(begun.pk))
    settle()
    begun.refresh_from_db()
    after = {"suspend": "suspended", "archive": "archived", "delete": "deleted"}.get(deed, "active")
    assert (begun.state, state(cast)) == ("succeeded", after)
    counts = {wanted(driver, ref) for ref in driver.services(running.engine_name)}
    assert counts == {"suspend": {0}, "archive": set(), "delete": set()}.get(deed, {3})
    assert AuditEntry.objects.filter(operation_id=begun.pk, result="done").count() == 1
    assert Notice.objects.filter(user=cast.owner, kind=f"project.{deed}.succeeded").count() == 1


def test_deploying_goes_on_as_ever_after_all_that(
    cast: Cast, running: AppEnvironment, turn: Turn, wakeups: Wakeups, settle: Settle
) -> None:
    for deed in ("suspend", "resume", "archive", "restore"):
        turn(deed)
    running.refresh_from_db()
    spec = from_image("berth/hello:2", name="web", instances=2, ports=[8080])
    operation = apps.deploy(cast.actor("developer"), running, spec=spec)
    wakeups.ids.append(str(operation.pk))
    settle()
    operation.refresh_from_db()
    assert operation.state == "succeeded"
