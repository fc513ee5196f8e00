"""What an instance uses, as its host's engine measures it."""

import time
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import orjson

from backends.contract import UsageSample
from backends.swarm.places import own_container
from backends.swarm.wire import Stream, Wire

Raw = Mapping[str, Any]


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
    detail: Raw = memory.get("stats") or {}
    cache = detail.get("total_inactive_file", detail.get("inactive_file", 0))  # cgroup v1, v2
    networks = (told.get("networks") or {}).values()
    return UsageSample(
        at_ns=time.time_ns(),
        instance=instance,
        cpu_millicores=1000.0 * cpus * used / passed if passed > 0 else 0.0,
        memory_bytes=max(0, memory["usage"] - cache),
        memory_limit_bytes=memory.get("limit", 0),
        network_in_bytes=sum(one["rx_bytes"] for one in networks),
        network_out_bytes=sum(one["tx_bytes"] for one in networks),
    )


async def _lines(stream: Stream) -> AsyncGenerator[bytes, None]:
    rest = b""
    while piece := await stream.read():
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            if line.strip():
                yield line
