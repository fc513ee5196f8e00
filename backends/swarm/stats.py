"""What an instance uses, as its host's engine measures it."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import orjson

from backends.contract import UsageCount, UsageSample
from backends.swarm.errors import RefusedError
from backends.swarm.places import Map, own_container
from backends.swarm.wire import Stream, Wire

Raw = Mapping[str, Any]
MOST_CALLS = 100  # at a time; an engine of 2020 lets each wait a second for its next measurement


async def samples(wire: Wire, instance: str, *, follow: bool) -> AsyncGenerator[UsageSample, None]:
    """Errors: INSTANCE_GONE, HOST_NOT_REACHABLE. Followed, it ends when the instance does."""
    container = await own_container(wire, instance)
    if not follow:
        told = await wire.get(f"/containers/{container}/stats", stream=False)
        if (sample := reading(told, instance)) is not None:
            yield sample
        return
    async with wire.stream(f"/containers/{container}/stats", stream=True) as stream:
        async for line in _lines(stream):
            if (sample := reading(orjson.loads(line), instance)) is not None:
                yield sample


class Containers:
    """Which container an instance is, kept between looks: it never changes. "" is one out of reach."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._known: dict[str, str] = {}

    async def counts(self, instances: Sequence[str]) -> list[UsageCount]:
        if not self._known.keys() >= set(instances):
            await self._look()
        self._known = {name: self._known[name] for name in instances if name in self._known}
        free = asyncio.Semaphore(MOST_CALLS)
        asked = [self._count(free, name, container) for name, container in self._known.items() if container]
        return [count for count in await _all_of(asked) if count is not None]

    async def _look(self) -> None:
        for place in await Map(self._wire).running():
            self._known[place.id] = place.container if place.local else ""

    async def _count(self, free: asyncio.Semaphore, instance: str, container: str) -> UsageCount | None:
        """None: it has ended meanwhile."""
        async with free:
            try:
                told = await self._wire.get(f"/containers/{container}/stats", stream=False, **{"one-shot": True})
            except RefusedError as error:
                if error.status in (404, 409):
                    return None
                raise
        return counted(told, instance)


async def _all_of(asked: Sequence[Any]) -> list[UsageCount | None]:
    """The first that fails ends the others: an engine that is away is not asked a hundred times."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in asked]
    except ExceptionGroup as several:
        raise several.exceptions[0] from None
    return [task.result() for task in tasks]


def counted(told: Raw, instance: str) -> UsageCount | None:
    """None where nothing runs any more."""
    cpu: Raw = (told.get("cpu_stats") or {}).get("cpu_usage") or {}
    memory: Raw = told.get("memory_stats") or {}
    if "usage" not in memory or "total_usage" not in cpu:
        return None
    received, sent = _network(told)
    return UsageCount(time.time_ns(), instance, int(cpu["total_usage"]), _memory(memory), received, sent)


def reading(told: Raw, instance: str) -> UsageSample | None:
    """None where there is nothing to compare with yet (the first answer of a stream), or the instance has ended."""
    now: Raw = told.get("cpu_stats") or {}
    before: Raw = told.get("precpu_stats") or {}
    memory: Raw = told.get("memory_stats") or {}
    if "system_cpu_usage" not in now or "system_cpu_usage" not in before or "usage" not in memory:
        return None
    used = now["cpu_usage"]["total_usage"] - before["cpu_usage"]["total_usage"]
    passed = now["system_cpu_usage"] - before["system_cpu_usage"]
    cpus = now.get("online_cpus") or len(now["cpu_usage"].get("percpu_usage") or ()) or 1
    received, sent = _network(told)
    return UsageSample(
        at_ns=time.time_ns(),
        instance=instance,
        cpu_millicores=1000.0 * cpus * used / passed if passed > 0 else 0.0,
        memory_bytes=_memory(memory),
        memory_limit_bytes=memory.get("limit", 0),
        network_in_bytes=received,
        network_out_bytes=sent,
    )


def _memory(memory: Raw) -> int:
    """Without what is only kept because there is room: pages of files that can be read again."""
    detail: Raw = memory.get("stats") or {}
    cache = detail.get("total_inactive_file", detail.get("inactive_file", 0))  # cgroup v1, v2
    return max(0, int(memory["usage"]) - int(cache))


def _network(told: Raw) -> tuple[int, int]:
    networks = (told.get("networks") or {}).values()
    return sum(one["rx_bytes"] for one in networks), sum(one["tx_bytes"] for one in networks)


async def _lines(stream: Stream) -> AsyncGenerator[bytes, None]:
    rest = b""
    while piece := await stream.read():
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            if line.strip():
                yield line
