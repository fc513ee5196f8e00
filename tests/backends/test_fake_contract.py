"""The contract against the cluster in memory, and its moods."""

import pytest

from backends.contract import DriverError, EnvironmentRef, Phase, ReasonCode, ServiceRef, ServiceSpec
from backends.fake import FakeDriver, Mood
from tests.backends.contract import DriverContract
from tests.backends.emptying_contract import EmptyingContract

SPEC = ServiceSpec(ref=ServiceRef("e-1", "a-1", "web"), image="sha256:" + "1" * 64, instances=3)


class TestFakeDriver(DriverContract):
    @pytest.fixture(scope="class")
    @classmethod
    def driver(cls) -> FakeDriver:
        return FakeDriver()


class TestEmptying(EmptyingContract):
    @pytest.fixture(scope="class")
    @classmethod
    def driver(cls) -> FakeDriver:
        return FakeDriver()


@pytest.fixture
def fake() -> FakeDriver:
    driver = FakeDriver()
    driver.ensure_environment(EnvironmentRef("e-1"))
    return driver


def test_slow_brings_one_instance_at_each_look(fake: FakeDriver) -> None:
    fake.mood = Mood.SLOW
    fake.apply(SPEC)
    assert [fake.status(SPEC).ready for _ in range(4)] == [1, 2, 3, 3]
    assert fake.status(SPEC).phase == Phase.CONVERGED


def test_never_ready_fails_on_and_on_without_a_release_to_go_back_to(fake: FakeDriver) -> None:
    fake.moods[SPEC.ref.engine_name] = Mood.NEVER_READY
    fake.apply(SPEC)
    seen = [fake.status(SPEC) for _ in range(6)]
    assert {status.phase for status in seen} == {Phase.FAILING}
    assert {status.reason.code for status in seen if status.reason} == {ReasonCode.UNHEALTHY}


def test_rejecting_says_which_image(fake: FakeDriver) -> None:
    fake.mood = Mood.REJECTING
    fake.apply(SPEC)
    reason = fake.status(SPEC).reason
    assert reason is not None
    assert reason.params["image"] == SPEC.image
    with pytest.raises(DriverError):
        fake.resolve_image("shop/web:1")


def test_losing_answers_does_it_and_raises_once(fake: FakeDriver) -> None:
    fake.mood = Mood.LOSING_ANSWERS
    with pytest.raises(DriverError) as lost:
        fake.apply(SPEC)
    assert lost.value.reason.code == ReasonCode.ENGINE_SLOW
    assert not lost.value.permanent
    fake.apply(SPEC)
    assert fake.status(SPEC).phase == Phase.CONVERGED
    assert len(fake.applied) == 1


def test_away_raises_everywhere_but_in_health(fake: FakeDriver) -> None:
    fake.mood = Mood.AWAY
    assert not fake.health().ready
    for ask in (fake.hosts, fake.snapshot, lambda: fake.apply(SPEC), lambda: fake.status(SPEC)):
        with pytest.raises(DriverError) as away:
            ask()
        assert away.value.reason.code == ReasonCode.ENGINE_AWAY


def test_instances_move_one_by_one_and_a_budget_holds_them(fake: FakeDriver) -> None:
    fake.apply(SPEC)
    fake.status(SPEC)
    fake.add_host("host-2")
    fake.set_schedulable("host-1", False)
    fake.budgets.add(SPEC.ref.engine_name)
    held = fake.empty("host-1")
    assert (held.left, [one.reason.code for one in held.held]) == (3, [ReasonCode.HELD_BY_BUDGET])
    fake.budgets.clear()
    assert [fake.empty("host-1").left for _ in range(5)] == [3, 2, 1, 0, 0]
    assert {one.host for one in fake.status(SPEC).instances if one.wanted} == {"host-2"}
    assert fake.status(SPEC).phase == Phase.CONVERGED


def test_a_crash_is_replaced_at_the_next_look(fake: FakeDriver) -> None:
    fake.apply(SPEC)
    fake.status(SPEC)
    fake.crash(SPEC.ref, 2, exit_code=9)
    assert [one.exit_code for one in fake.instances(SPEC.ref) if one.exit_code] == [9]
    assert fake.status(SPEC).ready == 3
