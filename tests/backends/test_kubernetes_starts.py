"""The starts of one container, each an instance of its own, while the engine goes from one to the next."""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace

import pytest

from backends.contract import InstanceState, InstanceStatus, LogQuery, ServiceSpec, Written
from backends.kubernetes import logs
from backends.kubernetes.driver import KubernetesDriver
from backends.kubernetes.places import Place, of_service
from backends.kubernetes.source import Source
from backends.kubernetes.wire import Wire
from backends.merging import Resume
from launcher.processes import until
from tests.backends.world import World, new_world
from tests.cluster import LiveCluster

pytestmark = pytest.mark.kubernetes
SECONDS = 120  # the second time the engine lets ten seconds go by before the next start
SCRIPT = "cat /proc/uptime; sleep 3; cat /proc/uptime; exit 3"


@pytest.fixture
def world(kubernetes: LiveCluster) -> Iterator[World]:
    made = new_world(KubernetesDriver(kubernetes.access))
    yield made
    made.leave()
    made.driver.remove_environment(made.environment)


def newest(world: World, spec: ServiceSpec) -> InstanceStatus:
    return max(world.driver.status(spec).instances, key=start_of)


def start_of(instance: InstanceStatus) -> int:
    return int(instance.id.rpartition(".")[2])


def said(world: World, instance: str) -> list[bytes]:
    async def read() -> list[bytes]:
        return [line.text async for line in world.driver.logs(LogQuery((), instance=instance))]

    return asyncio.run(read())


def read_late(wire: Wire, place: Place) -> list[bytes]:
    """Its lines by somebody who was told that it has ended, and not yet that another start has followed."""
    stale = replace(place, newest=True)
    query = LogQuery((place.run.instance.ref,), instance=place.id)

    async def read() -> list[bytes]:
        async with aclosing(Source(wire, stale, query, Resume()).batches()) as batches:
            return [line.text async for batch in batches for line in batch]

    return asyncio.run(read())


def test_what_one_start_wrote_is_never_shown_as_anothers(world: World, kubernetes: LiveCluster) -> None:
    wire = Wire(kubernetes.access)
    spec = world.saying(SCRIPT, instances=1)

    def place(start: int) -> Place:
        found = asyncio.run(of_service(wire, spec.ref))
        return next(one for one in found if one.start == start)

    def wrote(start: int) -> list[bytes]:
        """All that this start writes, once it has."""
        found: list[bytes] = []

        def all_of_it() -> bool:
            ids = [one.id for one in world.driver.status(spec).instances if start_of(one) == start and one.started_at]
            found[:] = said(world, ids[0]) if ids else []
            return len(found) == 2

        assert until(all_of_it, seconds=SECONDS, every=0.1), found
        return found

    world.driver.apply(spec)
    first, second = wrote(0), wrote(1)
    assert set(first).isdisjoint(second)
    assert read_late(wire, place(0)) == first
    third = wrote(2)
    assert read_late(wire, place(1)) == second
    assert until(lambda: newest(world, spec).exit_code == 3, seconds=SECONDS, every=0.1)
    ended = newest(world, spec)
    assert read_late(wire, place(2)) == said(world, ended.id) == third, "nothing has followed it yet"

    def waits() -> bool:
        return newest(world, spec).state == InstanceState.PREPARING

    assert until(waits, seconds=SECONDS, every=0.1)
    told = {start_of(one): one for one in world.driver.status(spec).instances}
    assert max(told) == 3
    assert (told[2].id, told[2].exit_code, told[2].changed_at) == (ended.id, 3, ended.changed_at)
    assert said(world, ended.id) == third


def test_a_download_is_as_true(world: World, kubernetes: LiveCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire(kubernetes.access)
    spec = world.saying(SCRIPT, instances=1)
    world.driver.apply(spec)
    assert until(lambda: bool(world.driver.status(spec).instances), seconds=SECONDS, every=0.1)
    assert until(lambda: start_of(newest(world, spec)) == 1, seconds=SECONDS, every=0.1)
    (before,) = [one for one in asyncio.run(of_service(wire, spec.ref)) if one.start == 0]

    async def told_late(_wire: Wire, _instance: str) -> Place:
        return replace(before, newest=True)

    async def read() -> bytes:
        return b"".join([piece async for piece in logs.plain(wire, before.id, Written())])

    plain = asyncio.run(read())
    monkeypatch.setattr(logs, "of_instance", told_late)
    assert asyncio.run(read()) == plain != b""
