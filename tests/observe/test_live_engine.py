"""Usage on a real Swarm: what burns shows its limit, and an engine that goes in the middle of a stream comes back."""

import asyncio
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from backends.contract import Resources
from backends.swarm.driver import SwarmDriver
from console.gauges import Gauge
from console.watched import Watched
from observe.keeping import rate
from tests.backends.world import PATIENCE_SECONDS, World, new_world
from tests.engine import LiveEngine
from tests.faults.proxy import FaultProxy

pytestmark = pytest.mark.live
MILLICORES = 20  # little enough that a busy machine can give it


@pytest.fixture
def proxy(engine: LiveEngine, tmp_path: Path) -> Iterator[FaultProxy]:
    made = FaultProxy(tmp_path / "engine.sock", engine.url)
    made.start()
    yield made
    made.well()
    made.stop()


@pytest.fixture
def world(engine: LiveEngine) -> Iterator[World]:
    made = new_world(SwarmDriver(engine.url, address=engine.address))
    yield made
    made.clear()


def burning(world: World) -> str:
    """The engine's id of an instance that takes all it may have."""
    spec = world.saying("while :; do :; done", instances=1)
    limits = Resources(cpu_limit=MILLICORES, memory_limit=16 << 20)
    (one,) = world.run(replace(spec, resources=limits)).instances
    return one.id


async def until(true: Callable[[], bool], *, seconds: float = PATIENCE_SECONDS) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.05)


async def test_what_burns_shows_its_limit(world: World) -> None:
    instance = await asyncio.to_thread(burning, world)
    (before,) = await world.driver.usage([instance])
    await asyncio.sleep(5)
    (after,) = await world.driver.usage([instance])
    told = rate(before, after)
    assert told.cpu is not None
    assert MILLICORES / 2 < told.cpu < MILLICORES * 1.6
    assert told.memory is not None
    assert 0 < told.memory < 16 << 20


async def test_an_engine_that_goes_in_the_middle_is_said_and_comes_back(world: World, proxy: FaultProxy) -> None:
    instance = await asyncio.to_thread(burning, world)
    driver = SwarmDriver(proxy.url)
    gauge = Gauge(Watched(uuid.uuid4(), instance, "talk", uuid.uuid4(), driver))
    try:
        await until(lambda: gauge.count >= 2)
        assert not gauge.silent
        assert gauge.numbers is not None
        assert gauge.numbers[1] < MILLICORES * 3
        proxy.refusing = True
        assert await asyncio.to_thread(proxy.cut)
        await until(lambda: gauge.silent, seconds=60)
        count = gauge.count
        proxy.well()
        await until(lambda: not gauge.silent and gauge.count > count)
        assert not gauge.gone
    finally:
        gauge.stop()


async def test_an_instance_that_is_removed_is_gone(world: World) -> None:
    instance = await asyncio.to_thread(burning, world)
    gauge = Gauge(Watched(uuid.uuid4(), instance, "talk", uuid.uuid4(), world.driver))
    try:
        await until(lambda: gauge.count >= 1)
        await asyncio.to_thread(world.leave)
        await until(lambda: gauge.gone)
        assert not gauge.silent
        assert await world.driver.usage([instance]) == []
    finally:
        gauge.stop()
