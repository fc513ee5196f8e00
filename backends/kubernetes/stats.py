"""What instances use, as their hosts measure it. One call for a host answers for all of its instances."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from typing import Any

from backends.contract import UsageCount, UsageSample
from backends.failing import gone
from backends.kubernetes import kinds, names
from backends.kubernetes.errors import RefusedError
from backends.kubernetes.hosts import quantity
from backends.kubernetes.observe import instance_id, place_of, present_start
from backends.kubernetes.places import of_instance
from backends.kubernetes.wire import Wire

Raw = Mapping[str, Any]

MOST_CALLS = 20  # hosts asked at a time
SAMPLE_SECONDS = 1.0
_NANO = 10**9


async def samples(wire: Wire, instance: str, *, follow: bool) -> AsyncGenerator[UsageSample, None]:
    """Errors: INSTANCE_GONE. Followed, it ends when the instance does. The rate is that between two readings."""
    place = await of_instance(wire, instance)
    pod = await wire.get(place.path)
    host = pod["spec"].get("nodeName")
    limit = await _limit(wire, pod)
    before: UsageCount | None = None
    told = 0
    while True:
        summary = await _summary(wire, host) if host else {}
        rate = _rates(summary).get(f"{place.namespace}.{place.pod}", 0.0)
        now = next((one for one in counted(summary, {place.pod: pod}) if one.instance == instance), None)
        if now is None:
            if told:
                return
            raise gone()
        if before is None or now.at_ns > before.at_ns:
            yield _sample(now, before, rate=rate, limit=limit)
            before, told = now, told + 1
        if not follow:
            return
        await asyncio.sleep(SAMPLE_SECONDS)
        pod = await _again(wire, place.path)
        if pod is None:
            return


async def _again(wire: Wire, path: str) -> Any:
    try:
        return await wire.get(path)
    except RefusedError as error:
        if error.status == 404:
            return None
        raise


def _sample(now: UsageCount, before: UsageCount | None, *, rate: float, limit: int) -> UsageSample:
    millicores = rate
    if before is not None:
        millicores = max(0.0, 1000.0 * (now.cpu_ns - before.cpu_ns) / (now.at_ns - before.at_ns))
    return UsageSample(
        now.at_ns,
        now.instance,
        millicores,
        now.memory_bytes,
        limit,
        now.network_in_bytes,
        now.network_out_bytes,
    )


async def _limit(wire: Wire, pod: Raw) -> int:
    """Its own, or else all of its host's memory."""
    limits = (pod["spec"]["containers"][0].get("resources") or {}).get("limits") or {}
    if limits.get("memory"):
        return int(quantity(limits["memory"]))
    node = await wire.get(kinds.path("Node", "", pod["spec"]["nodeName"]))
    return int(quantity(node["status"]["capacity"]["memory"]))


async def counts(wire: Wire, instances: Sequence[str]) -> list[UsageCount]:
    wanted = set(instances)
    if not any(place_of(one) for one in wanted):
        return []
    listed = (await wire.get(kinds.path("Pod"), labelSelector=names.OURS, resourceVersion="0"))["items"]
    pods = {_key(pod): pod for pod in listed}
    by_host = {pod["spec"]["nodeName"] for pod in listed if _ids(pod) & wanted and pod["spec"].get("nodeName")}
    free = asyncio.Semaphore(MOST_CALLS)

    async def ask(host: str) -> Raw:
        async with free:
            return await _summary(wire, host)

    told = await asyncio.gather(*(ask(host) for host in sorted(by_host)))
    found = [one for summary in told for one in counted(summary, pods)]
    return [one for one in found if one.instance in wanted]


def _ids(pod: Raw) -> set[str]:
    return {instance_id(pod, present_start(pod))}


def _key(pod: Raw) -> str:
    return f"{pod['metadata']['namespace']}.{pod['metadata']['name']}"


async def _summary(wire: Wire, host: str) -> Raw:
    """A host's own measurements. Of one that is away: nothing, for what runs there cannot be measured either."""
    try:
        told: Raw = await wire.get(f"{kinds.path('Node', '', host)}/proxy/stats/summary")
    except RefusedError as error:
        if error.status in {404, 500, 502, 503}:
            return {}
        raise
    return told


def counted(summary: Raw, pods: Mapping[str, Raw]) -> list[UsageCount]:
    """Of those pods that are known, and run by now."""
    found = []
    for one in summary.get("pods") or ():
        ref = one["podRef"]
        pod = pods.get(f"{ref['namespace']}.{ref['name']}") or pods.get(ref["name"])
        container = next((c for c in one.get("containers") or () if c["name"] == names.CONTAINER), None)
        if pod is None or container is None or pod["metadata"]["uid"] != ref["uid"]:
            continue
        cpu, memory = container.get("cpu") or {}, container.get("memory") or {}
        if "usageCoreNanoSeconds" not in cpu or "workingSetBytes" not in memory:
            continue
        network = one.get("network") or {}
        found.append(
            UsageCount(
                _at(cpu.get("time")),
                instance_id(pod, present_start(pod)),
                int(cpu["usageCoreNanoSeconds"]),
                int(memory["workingSetBytes"]),
                int(network.get("rxBytes") or 0),
                int(network.get("txBytes") or 0),
            )
        )
    return found


def _rates(summary: Raw) -> dict[str, float]:
    """Millicores over the host's own last window."""
    found = {}
    for one in summary.get("pods") or ():
        for container in one.get("containers") or ():
            if container["name"] == names.CONTAINER:
                ref = one["podRef"]
                nano = (container.get("cpu") or {}).get("usageNanoCores") or 0
                found[f"{ref['namespace']}.{ref['name']}"] = nano / 1e6
    return found


def _at(text: str | None) -> int:
    return int(datetime.fromisoformat(text).timestamp() * _NANO) if text else time.time_ns()
