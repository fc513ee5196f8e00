"""What a real Kubernetes forgets of a log and Berth keeps: of a file that was rotated, of a deleted instance."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from asgiref.sync import sync_to_async
from django.db.models import Sum

from apps import observing
from apps.building import ref_of
from apps.kept_logs.reading import source_of
from apps.models import AppEnvironment, KeptChunk, KeptLog
from apps.services import deploy
from apps.specification.dollars import escaped
from apps.specification.reading import read_data
from backends.contract import LogQuery
from backends.registry import driver_for
from observe.following import Followers
from operations.models import Operation
from tests.apps.far import SECONDS, east, ended, place
from tests.cluster import LiveCluster, kubernetes
from tests.conftest import Cast, Wakeups

__all__ = ["east", "kubernetes", "place"]

pytestmark = [pytest.mark.kubernetes, pytest.mark.django_db(transaction=True)]

LINES = 120_000  # of a hundred bytes: more than a file of the host's may have
WAITS = "until [ -e /dev/shm/go ]; do sleep 0.1; done"
PAUSES = "[ $((i % 2000)) -ne 0 ] || sleep 0.2"  # what comes faster than anybody reads may be lost, and says so
COUNTS = f"i=0; while [ $i -lt {LINES} ]; do i=$((i+1)); printf '%09d\\t{'x' * 100}\\n' $i; {PAUSES}; done"
WRITES = f"echo begun; {WAITS}; {COUNTS}; while :; do sleep 1; echo again; done"
NUMBERS = [f"{number:09d}" for number in range(1, LINES + 1)]


def brought(cast: Cast, place: AppEnvironment, wakeups: Wakeups) -> str:
    """The engine's id of an instance that writes when it is told to."""
    service = escaped({"image": "berth/hello:1", "entrypoint": ["/bin/sh", "-c", WRITES]})
    spec = read_data({"services": {"web": service}}, most_instances=1).specification
    operation = ended(deploy(cast.actor("developer"), place, spec=spec), wakeups)
    assert operation.state == Operation.State.SUCCEEDED, operation.failure
    assert observing.observe(place.environment.cluster)
    return str(place.observed_instances.get().engine_id)


async def numbers(place: AppEnvironment, *, whole: bool) -> list[str]:
    """Of the engine alone, or of all there is."""
    driver = driver_for(place.environment.cluster)
    source = source_of(place, driver) if whole else driver
    ref = await sync_to_async(ref_of)(place, "web")
    return [line.text.decode().split("\t")[0] async for line in source.logs(LogQuery((ref,))) if b"\t" in line.text]


async def reached(condition: Callable[[], Awaitable[bool]], followers: Followers) -> None:
    async with asyncio.timeout(SECONDS):
        while not await condition():
            await followers.look()
            await followers.write()
            await asyncio.sleep(0.3)


async def test_a_rotated_file_and_a_deleted_instance_leave_their_lines(
    cast: Cast, place: AppEnvironment, kubernetes: LiveCluster, wakeups: Wakeups
) -> None:
    name = await sync_to_async(brought)(cast, place, wakeups)
    namespace, pod, _start = name.split(".")
    followers = Followers()

    async def begun() -> bool:
        return await KeptLog.objects.filter(engine_id=name, last_ns__gt=0).aexists()

    async def all_kept() -> bool:
        """Counted only: who reads them all in this loop, where the follower reads too, keeps it from reading."""
        found = await KeptChunk.objects.filter(log__engine_id=name).aaggregate(lines=Sum("lines"))
        return (found["lines"] or 0) > LINES

    async def rotated() -> bool:
        """The host has begun a new file, and the API reads only that."""
        return NUMBERS[0] not in await numbers(place, whole=False)

    await reached(begun, followers)
    where = ("--namespace", namespace, pod)
    await asyncio.to_thread(kubernetes.kubectl, "exec", *where, "--", "touch", "/dev/shm/go")  # noqa: S108
    await reached(all_kept, followers)
    await reached(rotated, followers)
    assert await numbers(place, whole=True) == NUMBERS, "each of them once, in order"

    async def another() -> bool:
        await sync_to_async(observing.observe)(place.environment.cluster)
        there = {row.engine_id async for row in place.observed_instances.all()}
        return bool(there) and name not in there

    async def over() -> bool:
        return await KeptLog.objects.filter(engine_id=name, ended_at__isnull=False).aexists()

    await asyncio.to_thread(kubernetes.kubectl, "delete", "pod", *where, "--now", "--wait=true")
    await reached(another, followers)
    await reached(over, followers)
    assert await numbers(place, whole=False) == []
    assert await numbers(place, whole=True) == NUMBERS
    await followers.close()
