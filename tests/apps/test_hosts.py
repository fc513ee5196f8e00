"""A host closed, emptied and opened again; killed at any moment of it, called off, held, without its engine."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps import observing
from apps import services as apps
from apps.hosts import operations as work
from apps.hosts import services as hosts
from apps.hosts.noticing import tell_of_emptying
from apps.hosts.work import Work
from apps.models import AppEnvironment
from apps.specification import read_data
from audit.models import AuditEntry
from backends.contract import DriverError, InstanceState
from backends.fake import FakeDriver, Mood
from backends.models import Cluster, Host
from core.errors import Conflict, Denied
from operations import services, tasks
from operations.models import Operation
from tenants import notices
from tenants.models import Grant, Notice
from tests.apps.killed import die, work_until_killed
from tests.conftest import Cast, Wakeups

Settle = Callable[[], None]
Do = Callable[..., Operation]
DEEDS = {"cordon": hosts.cordon, "uncordon": hosts.uncordon, "drain": hosts.drain}


@pytest.fixture
def host(cast: Cast, running: AppEnvironment, driver: FakeDriver) -> Host:
    """One of two, with the three instances of `hello` on it."""
    driver.add_host("host-2")
    assert observing.observe(cast.cluster)
    return Host.objects.select_related("cluster").get(engine_id="host-1")


@pytest.fixture
def settle(wakeups: Wakeups, django_capture_on_commit_callbacks: Any) -> Settle:
    def work() -> None:
        with django_capture_on_commit_callbacks(execute=True):
            wakeups.drain()

    return work


@pytest.fixture
def do(cast: Cast, host: Host, wakeups: Wakeups, settle: Settle) -> Do:
    """Do something with the host as the operator, to the end unless `work` is False."""

    def begin(deed: str, *, work: bool = True, **more: Any) -> Operation:
        host.refresh_from_db()
        operation = DEEDS[deed](cast.actor("operator"), host, **more)
        if work:
            wakeups.ids.append(str(operation.pk))
            settle()
            operation.refresh_from_db()
        return operation

    return begin


def open_(driver: FakeDriver, host: str = "host-1") -> bool:
    return next(one.schedulable for one in driver.hosts() if one.id == host)


def where(driver: FakeDriver, place: AppEnvironment) -> list[str | None]:
    seen = [one for ref in driver.services(place.engine_name) for one in driver.instances(ref)]
    return [one.host for one in seen if one.state == InstanceState.RUNNING]


def told(operation: Operation) -> list[str]:
    return list(operation.events.order_by("seq").values_list("code", flat=True))


def test_closed_and_opened(driver: FakeDriver, host: Host, running: AppEnvironment, do: Do) -> None:
    closed = do("cordon", reason="a new disk")
    assert (closed.state, open_(driver)) == ("succeeded", False)
    host.refresh_from_db()
    assert not host.schedulable
    assert where(driver, running) == ["host-1"] * 3
    entry = AuditEntry.objects.get(action="host.cordon")
    assert (entry.before, entry.after) == ({"schedulable": True}, {"schedulable": False})
    assert (entry.detail["reason"], entry.detail["cluster"], entry.target_name) == ("a new disk", "local", "fake")
    opened = do("uncordon")
    host.refresh_from_db()
    assert (opened.state, open_(driver), host.schedulable) == ("succeeded", True, True)


def test_emptied_with_progress(driver: FakeDriver, host: Host, running: AppEnvironment, do: Do) -> None:
    done = do("drain")
    assert (done.state, open_(driver)) == ("succeeded", False)
    assert where(driver, running) == ["host-2"] * 3
    assert told(done) == ["accepted", "host_closing", *["instances_moved"] * 3, "succeeded"]
    counted = done.events.filter(code="instances_moved").values_list("params", flat=True)
    assert list(counted) == [{"done": done, "count": 3} for done in range(3)]
    entry = AuditEntry.objects.get(action="host.drain")
    assert entry.after == {"schedulable": False, "instances": 3}
    assert AuditEntry.objects.filter(operation_id=done.pk, action="host.drain.run", result="done").count() == 1


def test_members_of_projects_there_hear_of_it_once(
    cast: Cast, driver: FakeDriver, host: Host, running: AppEnvironment, do: Do
) -> None:
    do("cordon")
    assert not Notice.objects.filter(kind="host.emptied").exists(), "nothing moves yet"
    operation = do("drain")
    told = Notice.objects.filter(kind="host.emptied")
    assert set(told.values_list("project", flat=True)) == {cast.shop.pk}
    assert cast.developer.pk in set(told.values_list("user", flat=True))
    assert len(told) == len(set(told.values_list("user", flat=True)))
    notice = told.get(user=cast.developer)
    assert notices.title_of(notice) == "Instances of acme/shop move to other hosts"
    assert notices.detail_of(notice) == "A host of the cluster local is emptied. Concerned: hello (dev)."
    tell_of_emptying(operation, Work.on(host))
    assert told.count() == len(set(told.values_list("user", flat=True)))


def test_who_has_nothing_there_hears_nothing(cast: Cast, driver: FakeDriver, host: Host, do: Do) -> None:
    do("drain")
    do("uncordon")
    Notice.objects.all().delete()
    assert observing.observe(cast.cluster)  # all of it has moved
    do("drain")
    assert not Notice.objects.filter(kind="host.emptied").exists()


def test_a_budget_holds_it_and_says_whose(
    driver: FakeDriver, host: Host, running: AppEnvironment, do: Do, wakeups: Wakeups, settle: Settle
) -> None:
    (ref,) = driver.services(running.engine_name)
    driver.budgets.add(ref.engine_name)
    begun = do("drain", work=False)
    for _look in range(4):
        Operation.objects.filter(pk=begun.pk).update(not_before=None)
        tasks.run_operation(str(begun.pk))
    assert told(begun) == ["accepted", "host_closing", "instances_moved", "held_by_budget"]
    assert begun.events.get(code="held_by_budget").params == {"service": "acme / shop, hello dev: web"}
    assert where(driver, running) == ["host-1"] * 3
    driver.budgets.clear()
    wakeups.ids.append(str(begun.pk))
    settle()
    begun.refresh_from_db()
    assert (begun.state, where(driver, running)) == ("succeeded", ["host-2"] * 3)


def test_held_until_its_deadline_it_fails_for_that_reason_and_the_host_is_open_again(
    driver: FakeDriver, host: Host, running: AppEnvironment, do: Do, wakeups: Wakeups, settle: Settle
) -> None:
    driver.set_schedulable("host-2", False)
    begun = do("drain", work=False)
    for _look in range(3):
        Operation.objects.filter(pk=begun.pk).update(not_before=None)
        tasks.run_operation(str(begun.pk))
    Operation.objects.filter(pk=begun.pk).update(deadline_at=timezone.now() - timedelta(hours=1))
    wakeups.ids.append(str(begun.pk))
    settle()
    begun.refresh_from_db()
    assert begun.state == "failed"
    assert begun.failure is not None
    assert begun.failure["code"] == "no_suitable_host"
    assert (open_(driver), where(driver, running)) == (True, ["host-1"] * 3)


def test_called_off_what_has_moved_stays_and_the_host_is_open_again(
    cast: Cast, driver: FakeDriver, host: Host, running: AppEnvironment, do: Do, wakeups: Wakeups, settle: Settle
) -> None:
    begun = do("drain", work=False)
    tasks.run_operation(str(begun.pk))
    begun.refresh_from_db()
    services.cancel(cast.actor("operator"), begun)
    wakeups.ids.append(str(begun.pk))
    settle()
    begun.refresh_from_db()
    assert (begun.state, open_(driver)) == ("cancelled", True)
    assert sorted(where(driver, running), key=str) == ["host-1", "host-1", "host-2"]


def test_called_off_a_host_that_was_closed_before_stays_closed(
    cast: Cast, driver: FakeDriver, host: Host, do: Do, wakeups: Wakeups, settle: Settle
) -> None:
    do("cordon")
    begun = do("drain", work=False)
    tasks.run_operation(str(begun.pk))
    begun.refresh_from_db()
    services.cancel(cast.actor("operator"), begun)
    wakeups.ids.append(str(begun.pk))
    settle()
    assert not open_(driver)


def test_an_engine_that_is_away_is_waited_for(
    driver: FakeDriver, host: Host, running: AppEnvironment, do: Do, wakeups: Wakeups, settle: Settle
) -> None:
    begun = do("drain", work=False)
    tasks.run_operation(str(begun.pk))
    driver.mood = Mood.AWAY
    for _look in range(3):
        Operation.objects.filter(pk=begun.pk).update(not_before=None)
        tasks.run_operation(str(begun.pk))
    begun.refresh_from_db()
    assert (begun.active, told(begun)[-1]) == (True, "engine_away")
    driver.mood = Mood.WELL
    wakeups.ids.append(str(begun.pk))
    settle()
    begun.refresh_from_db()
    assert (begun.state, where(driver, running)) == ("succeeded", ["host-2"] * 3)


def test_lost_answers_change_nothing(driver: FakeDriver, host: Host, running: AppEnvironment, do: Do) -> None:
    driver.mood = Mood.LOSING_ANSWERS
    assert do("drain").state == "succeeded"
    assert (open_(driver), where(driver, running)) == (False, ["host-2"] * 3)


def test_a_host_that_is_gone_is_said_by_its_name(driver: FakeDriver, host: Host, do: Do) -> None:
    driver.machines.pop(0)
    failed = do("cordon")
    assert (failed.state, failed.failure) == ("failed", {"code": "host_gone", "params": {"host": "fake"}})


def test_a_cluster_that_was_removed_meanwhile_ends_it(
    cast: Cast, driver: FakeDriver, do: Do, wakeups: Wakeups, settle: Settle
) -> None:
    other = Cluster.objects.create(name="other", kind=Cluster.Kind.FAKE, address="fake://")
    host = Host.objects.create(cluster=other, engine_id="host-1", name="n1", ready=True, seen_at=timezone.now())
    begun = hosts.drain(cast.actor("operator"), host)
    other.delete()
    wakeups.ids.append(str(begun.pk))
    settle()
    begun.refresh_from_db()
    assert (begun.state, begun.failure) == ("failed", {"code": "host_gone", "params": {"host": "n1"}})


def test_a_host_that_does_not_answer_is_not_emptied(host: Host, do: Do) -> None:
    Host.objects.update(ready=False)
    with pytest.raises(Conflict) as refused:
        do("drain")
    assert refused.value.code == "host_away"
    assert do("cordon").state == "succeeded"


def test_one_change_at_a_time(host: Host, do: Do) -> None:
    begun = do("drain", work=False)
    with pytest.raises(Conflict) as refused:
        do("uncordon")
    assert (refused.value.code, refused.value.extra) == ("operation_active", {"operation": str(begun.pk)})


def test_only_who_manages_clusters_may(cast: Cast, host: Host) -> None:
    for name in ("owner", "developer", "auditor", "outsider"):
        for deed in DEEDS.values():
            with pytest.raises(Denied):
                deed(cast.actor(name), host)
    assert not Operation.objects.filter(kind__startswith="host.").exists()


def test_whoever_lost_the_right_meanwhile_changes_nothing(
    cast: Cast, driver: FakeDriver, host: Host, do: Do, wakeups: Wakeups, settle: Settle
) -> None:
    begun = do("drain", work=False)
    Grant.objects.filter(user=cast.operator).update(ended_at=timezone.now())
    wakeups.ids.append(str(begun.pk))
    settle()
    begun.refresh_from_db()
    assert (begun.state, open_(driver)) == ("cancelled", True)


POINTS = [
    ("operations.services.begin", "before", 1),
    ("operations.services.begin", "after", 1),
    ("backends.fake.driver.FakeDriver.set_schedulable", "before", 1),
    ("backends.fake.driver.FakeDriver.set_schedulable", "after", 1),
    ("backends.fake.driver.FakeDriver.empty", "before", 1),
    ("backends.fake.driver.FakeDriver.empty", "after", 1),
    ("backends.fake.driver.FakeDriver.empty", "after", 3),
    ("operations.services.pause", "before", 1),
    ("operations.services.pause", "after", 1),
    ("operations.services.settle", "before", 1),
    ("operations.services._record_end", "after", 1),
    ("operations.services.settle", "after", 1),
]


@pytest.mark.parametrize("deed", ["cordon", "uncordon", "drain"])
@pytest.mark.parametrize(("point", "when", "count"), POINTS)
def test_killed_at_any_step_it_is_done_once(
    deed: str,
    point: str,
    when: str,
    count: int,
    driver: FakeDriver,
    running: AppEnvironment,
    do: Do,
    settle: Settle,
    wakeups: Wakeups,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if deed == "uncordon":
        do("cordon")
    begun = do(deed, work=False)
    with monkeypatch.context() as patched:
        die(patched, point, when, count, importer=work)
        work_until_killed(begun)
    Operation.objects.filter(pk=begun.pk).update(lease_until=timezone.now() - timedelta(hours=1))
    wakeups.ids[:] = [str(begun.pk)]
    settle()
    begun.refresh_from_db()
    assert (begun.state, open_(driver)) == ("succeeded", deed == "uncordon")
    assert where(driver, running) == ["host-2" if deed == "drain" else "host-1"] * 3
    assert AuditEntry.objects.filter(operation_id=begun.pk, result="done").count() == 1


def test_volumes_that_stay_behind_have_to_be_meant(
    cast: Cast, driver: FakeDriver, host: Host, running: AppEnvironment, do: Do, wakeups: Wakeups, settle: Settle
) -> None:
    kept = {"image": "berth/hello:1", "deploy": {"replicas": 3}, "volumes": ["data:/data"]}
    spec = read_data({"services": {"web": kept}, "volumes": {"data": {}}}).specification
    assert spec is not None
    driver.set_schedulable("host-2", False)
    wakeups.ids.append(str(apps.deploy(cast.actor("developer"), running, spec=spec).pk))
    settle()
    driver.set_schedulable("host-2", True)
    with pytest.raises(Conflict) as refused:
        do("drain")
    assert refused.value.code == "volumes_stay"
    assert where(driver, running) == ["host-1"] * 3
    assert do("drain", leave_volumes=True).state == "succeeded"


def test_the_engine_says_that_a_host_is_unknown(driver: FakeDriver) -> None:
    with pytest.raises(DriverError):
        driver.empty("nothing")
