"""What every driver must do when a host is emptied. On a cluster of its own: whatever of ours is there has to move."""

from collections.abc import Iterator

import pytest

from backends.contract import Driver, HostStatus, InstanceState, Leaving, Phase, ReasonCode
from launcher.processes import until
from tests.backends.closing import closed
from tests.backends.world import PATIENCE_SECONDS, World, new_world

NOWHERE = {ReasonCode.NO_SUITABLE_HOST, ReasonCode.NO_CAPACITY, ReasonCode.HELD_BY_BUDGET}


class EmptyingContract:
    @pytest.fixture
    def world(self, driver: Driver) -> Iterator[World]:
        world = new_world(driver)
        yield world
        world.leave()
        world.clear()

    @pytest.fixture
    def only(self, driver: Driver) -> HostStatus:
        (host,) = driver.hosts()
        return host

    def test_an_empty_host_is_empty(self, driver: Driver, only: HostStatus) -> None:
        with closed(driver):
            assert until(lambda: driver.empty(only.id).left == 0, seconds=PATIENCE_SECONDS, every=0.2)
            assert not driver.hosts()[0].schedulable

    @pytest.mark.parametrize("instances", [1, 2])
    def test_the_last_host_keeps_serving_and_the_reason_is_told(
        self, instances: int, world: World, only: HostStatus
    ) -> None:
        driver, spec = world.driver, world.spec(instances=instances)
        world.run(spec)
        with closed(driver):
            seen = self.emptied_until(world, only, lambda leaving: bool(leaving.held))
            assert {held.ref for held in seen.held} == {spec.ref}
            assert {held.reason.code for held in seen.held} <= NOWHERE
            for _step in range(5):  # repeated, it takes nothing further away
                assert driver.empty(only.id).left >= 1
            running = [one for one in driver.instances(spec.ref) if one.state == InstanceState.RUNNING]
            assert [one.host for one in running][:1] == [only.id]
        status = world.reach(spec, Phase.CONVERGED)
        assert status.ready == instances

    def emptied_until(self, world: World, host: HostStatus, true: object) -> Leaving:
        assert callable(true)
        seen = [world.driver.empty(host.id)]

        def there() -> bool:
            seen[0] = world.driver.empty(host.id)
            return bool(true(seen[0]))

        assert until(there, seconds=PATIENCE_SECONDS, every=0.2), seen[0]
        return seen[0]
