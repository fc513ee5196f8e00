"""What every driver must do when a host is closed for new instances; a part of the contract."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from backends.contract import Driver, DriverError, InstanceState, Phase, ReasonCode
from tests.backends.world import World


@contextmanager
def closed(driver: Driver) -> Iterator[None]:
    """All hosts take nothing new, asked for twice; in the end they do again."""
    hosts = [host.id for host in driver.hosts()]
    try:
        for host in hosts * 2:
            driver.set_schedulable(host, False)
        yield
    finally:
        for host in hosts * 2:
            driver.set_schedulable(host, True)


class Closing:
    def test_a_closed_host_takes_nothing_new_and_keeps_what_it_has(self, world: World) -> None:
        driver, spec = world.driver, world.spec(instances=1)
        (before,) = world.run(spec).instances
        more = replace(spec, instances=2)
        with closed(driver):
            assert not any(host.schedulable for host in driver.hosts())
            driver.apply(more)
            waiting = world.reach(more, Phase.FAILING)
            assert waiting.reason is not None
            assert waiting.reason.code == ReasonCode.NO_SUITABLE_HOST
            assert before.id in {one.id for one in waiting.instances if one.state == InstanceState.RUNNING}
        assert all(host.schedulable for host in driver.hosts())
        world.reach(more, Phase.CONVERGED)

    def test_a_host_that_is_not_there_is_said_so(self, driver: Driver) -> None:
        for ask in (driver.empty, lambda host: driver.set_schedulable(host, False)):
            with pytest.raises(DriverError) as unknown:
                ask("nohost")
            assert unknown.value.reason.code == ReasonCode.HOST_GONE
            assert unknown.value.permanent
