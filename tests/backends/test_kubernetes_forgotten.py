"""A watch whose place the engine has forgotten, on a real one whose history was thrown away."""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any

import pytest

from backends.contract import EngineNotice
from backends.kubernetes.access import from_kubeconfig
from backends.kubernetes.driver import KubernetesDriver
from launcher.commands import run
from launcher.kubernetes import binaries, control
from launcher.kubernetes.cluster import PrivateCluster
from launcher.processes import until
from tests.backends.world import World, new_world
from tests.cluster import leave_out

pytestmark = pytest.mark.kubernetes

SECONDS = 90


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateCluster]:
    if reason := binaries.why_not():
        leave_out(reason)
    cluster = PrivateCluster(tmp_path_factory.mktemp("one"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.destroy()


@pytest.fixture(scope="module")
def world(own: PrivateCluster) -> World:
    return new_world(KubernetesDriver(from_kubeconfig(own.kubeconfig.read_text())))


def etcd(own: PrivateCluster, call: str, body: dict[str, Any]) -> dict[str, Any]:
    """What it answers at the door that the API server uses; it listens inside the first node's network only."""
    asking = "import sys, urllib.request; r = urllib.request.Request(sys.argv[1], sys.argv[2].encode(), "
    asking += "{'Content-Type': 'application/json'}); print(urllib.request.urlopen(r, timeout=20).read().decode())"
    told = run([*own.lan.inside(1), "python3", "-c", asking, f"{control.ETCD}/v3/{call}", json.dumps(body)])
    answer: dict[str, Any] = json.loads(told)
    return answer


def compact(own: PrivateCluster) -> None:
    """Nothing that was before now can be asked for any more."""
    key = base64.b64encode(b"/").decode()
    now = etcd(own, "kv/range", {"key": key, "limit": 1, "keys_only": True})["header"]["revision"]
    etcd(own, "kv/compaction", {"revision": now, "physical": True})


async def first_of(notices: AsyncGenerator[EngineNotice], wanted: Any) -> EngineNotice:
    async with asyncio.timeout(SECONDS), aclosing(notices):
        async for notice in notices:
            if wanted(notice):
                return notice
    raise AssertionError("it ended")


def phases(world: World, *, fresh: bool = False) -> dict[str, tuple[int, int]]:
    shot = world.driver.snapshot(fresh=fresh)
    mine = [one for one in shot.services if one.ref.environment == world.environment.name]
    return {one.ref.service: (one.wanted, one.ready) for one in mine}


async def test_a_place_that_was_thrown_away_is_told_and_everything_is_listed_again(
    world: World, own: PrivateCluster
) -> None:
    driver = world.driver
    assert isinstance(driver, KubernetesDriver)
    kept, gone = world.saying("sleep 100000", service="kept"), world.saying("sleep 100000", service="gone")
    for one in (kept, gone):
        await asyncio.to_thread(world.run, one)

    listening = asyncio.create_task(first_of(driver.watch(), lambda one: one.ref == kept.ref))
    async with asyncio.timeout(SECONDS):
        while driver.store.all("Deployment") is None or driver.store.all("Pod") is None:
            await asyncio.sleep(0)
    assert phases(world) == {"kept": (2, 2), "gone": (2, 2)}
    await asyncio.to_thread(world.run, replace(kept, instances=1))
    await listening
    place = driver.store.version("Deployment")
    assert place

    assert await asyncio.to_thread(world.removed, gone.ref)
    await asyncio.to_thread(world.run, replace(kept, instances=3))
    await asyncio.to_thread(compact, own)
    await asyncio.to_thread(own.members.kill, "n1", "apiserver")  # what it remembers of its own goes with it
    await asyncio.to_thread(own.start)
    assert driver.store.version("Deployment") == place, "nobody has listened since"
    assert await asyncio.to_thread(until, lambda: driver.health().ready, seconds=SECONDS, every=0.2)

    def tells_all(notice: EngineNotice) -> bool:
        return notice.kind == "service" and notice.ref is None

    notices = driver.watch()
    async with asyncio.timeout(SECONDS):
        async for notice in notices:
            if tells_all(notice):
                break
        heard = asyncio.create_task(first_of(notices, lambda _notice: False))  # nobody is told that the lists are there
        while driver.store.version("Deployment") in ("", place) or driver.store.all("Pod") is None:
            await asyncio.sleep(0.05)
    assert {one["metadata"]["labels"]["berth/service"] for one in driver.store.all("Deployment") or ()} == {"kept"}
    seen = await asyncio.to_thread(phases, world)
    assert seen == {"kept": (3, 3)} == await asyncio.to_thread(phases, world, fresh=True)
    heard.cancel()
    with suppress(asyncio.CancelledError):
        await heard
