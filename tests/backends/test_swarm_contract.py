"""The contract against a real Swarm, and what only a real one can show."""

import asyncio
from dataclasses import replace

import pytest

from backends.contract import Phase, ReasonCode
from backends.swarm.driver import SwarmDriver
from tests.backends.emptying_contract import EmptyingContract
from tests.backends.real_contract import RealContract
from tests.backends.world import CHECK, World
from tests.engine import LiveEngine

pytestmark = pytest.mark.live


class TestEmptying(EmptyingContract):
    @pytest.fixture(scope="class")
    @classmethod
    def driver(cls, engine: LiveEngine) -> SwarmDriver:
        return SwarmDriver(engine.url, address=engine.address)


class TestSwarmDriver(RealContract):
    @pytest.fixture(scope="class")
    @classmethod
    def driver(cls, engine: LiveEngine) -> SwarmDriver:
        return SwarmDriver(engine.url, address=engine.address)

    async def test_a_tag_that_moves_does_not_change_what_runs(self, world: World, engine: LiveEngine) -> None:
        client = engine.call()
        client.call("POST", "/images/berth/hello:1/tag?repo=berth/moving&tag=x")
        spec = world.spec(image="berth/moving:x", instances=1)
        await asyncio.to_thread(world.run, spec)
        client.call("POST", "/images/berth/hello:2/tag?repo=berth/moving&tag=x")
        status = await asyncio.to_thread(world.run, replace(spec, instances=2))
        client.call("DELETE", "/images/berth/moving:x")
        assert [await self.version(world, one.id) for one in status.instances] == [b"1", b"1"]

    async def version(self, world: World, instance: str) -> bytes:
        session = await world.driver.exec(instance, ["sh", "-c", "echo $HELLO_VERSION"], tty=False)
        told = await self.hear(session, None)
        await session.close()
        return told.strip()

    def test_one_that_ends_well_though_it_was_never_healthy_is_told_as_unhealthy(self, world: World) -> None:
        """The manager hears of nothing but exit code 0."""
        spec = world.spec(instances=1, health=replace(CHECK, command=("false",)))
        world.driver.apply(spec)
        reason = world.reach(spec, Phase.FAILING).reason
        assert reason is not None
        assert reason.code == ReasonCode.UNHEALTHY

    def test_an_engine_that_is_not_there_is_an_answer(self) -> None:
        health = SwarmDriver("unix:///nonexistent/engine.sock").health()
        assert not health.ready
        assert health.reason is not None
        assert health.reason.code == ReasonCode.ENGINE_AWAY
