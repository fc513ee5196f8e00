"""Live numbers: one stream for each instance however many look, slow viewers, lost rights, an engine that goes."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from apps.models import AppEnvironment, ObservedInstance
from apps.observing import observe
from backends.fake import FakeDriver, Mood, streams
from console import gauges, metric_stream
from console import hub as hubs
from console.metric_stream import HELD, Rooms, rooms
from console.sockets import Ended, Visitor
from core import seats
from core.access import NOBODY
from tenants.models import Grant
from tests.conftest import Cast, actor_of
from tests.console.knocking import closed_with, opened, until

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 20.0  # the machine may be busy
METRICS = "/ws/v1/metrics?tenant=acme&project=shop&app=hello&environment=dev"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "GUARD_SECONDS", 0.1)
    monkeypatch.setattr(streams, "SAMPLE_SECONDS", 0.05)
    monkeypatch.setattr(gauges, "PAUSES", (0.05,))
    monkeypatch.setattr(metric_stream, "EVERY_SECONDS", 0.1)


@pytest.fixture
def seen(cast: Cast, running: AppEnvironment) -> AppEnvironment:
    observe(cast.cluster)
    return AppEnvironment.objects.select_related("app", "project", "release", "environment__cluster").get(pk=running.pk)


@pytest.fixture
async def sockets() -> AsyncIterator[Callable[..., Any]]:
    made: list[Any] = []

    async def open_one(path: str = METRICS, **options: Any) -> Any:
        made.append(await opened(path, **options))
        return made[-1]

    yield open_one
    for one in made:
        await one.disconnect()


async def told(socket: Any, fits: Callable[[dict[str, Any]], bool], *, seconds: float = PATIENCE) -> dict[str, Any]:
    """The first message that fits."""
    async with asyncio.timeout(seconds):
        while True:
            message: dict[str, Any] = await socket.receive_json_from(timeout=seconds)
            if fits(message):
                return message


async def test_numbers_of_every_instance_come(cast: Cast, seen: AppEnvironment, sockets: Any) -> None:
    socket = await sockets(who=cast.guest)
    message = await told(socket, lambda one: len(one["samples"]) == 3)
    rows = await sync_to_async(list)(ObservedInstance.objects.values_list("pk", flat=True))
    assert {sample[0] for sample in message["samples"]} == {str(pk) for pk in rows}
    assert all(sample[1:3] == [12, 8 << 20] for sample in message["samples"])
    assert message["away"] is False


async def test_however_many_look_the_engine_is_asked_once(
    cast: Cast, seen: AppEnvironment, sockets: Any, driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    stats = driver.stats

    def counted(instance: str, *, follow: bool = False) -> Any:
        asked.append(instance)
        return stats(instance, follow=follow)

    monkeypatch.setattr(driver, "stats", counted)
    several = [await sockets(who=who) for who in (cast.guest, cast.owner, cast.developer)]
    for socket in several:
        await told(socket, lambda one: len(one["samples"]) == 3)
    assert len(asked) == 3
    assert len(rooms()) == 1
    assert len(rooms().gauges) == 3


async def test_the_streams_are_closed_when_the_last_one_goes(cast: Cast, seen: AppEnvironment, sockets: Any) -> None:
    one, other = await sockets(who=cast.guest), await sockets(who=cast.owner)
    for socket in (one, other):
        await told(socket, lambda message: bool(message["samples"]))
    await one.disconnect()
    await until(lambda: sum(len(room.viewers) for room in rooms()._open.values()) == 1, seconds=PATIENCE)
    assert len(rooms().gauges) == 3
    await other.disconnect()
    await until(lambda: not len(rooms()) and not len(rooms().gauges), seconds=PATIENCE)
    assert seats.held(cast.guest.pk, kind="metrics") == 0


async def test_one_service_alone_can_be_watched(cast: Cast, seen: AppEnvironment, sockets: Any) -> None:
    socket = await sockets(f"{METRICS}&service=db", who=cast.guest)
    message = await told(socket, lambda _one: True)
    assert message["samples"] == []


async def test_a_right_that_is_lost_ends_it(cast: Cast, seen: AppEnvironment, sockets: Any) -> None:
    socket = await sockets(who=cast.guest)
    await told(socket, lambda one: bool(one["samples"]))
    await sync_to_async(Grant.objects.filter(user=cast.guest).delete)()
    assert await closed_with(socket, seconds=PATIENCE) == 4403
    await until(lambda: not len(rooms()), seconds=PATIENCE)


async def test_a_stranger_finds_nothing(cast: Cast, seen: AppEnvironment, sockets: Any) -> None:
    for path in (METRICS, "/ws/v1/metrics", METRICS.replace("hello", "a%00b")):
        assert await closed_with(await sockets(path, who=cast.outsider)) == 4404
    assert not len(rooms())


async def test_one_person_has_so_many_and_no_more(
    cast: Cast, seen: AppEnvironment, sockets: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(seats.LIMITS, "metrics", seats.Limit(person=2, tenant=100))
    for _socket in range(2):
        await told(await sockets(who=cast.guest), lambda one: bool(one["samples"]))
    assert await closed_with(await sockets(who=cast.guest)) == 4429


async def test_an_engine_that_goes_is_said_and_comes_back(
    cast: Cast, seen: AppEnvironment, sockets: Any, driver: FakeDriver
) -> None:
    socket = await sockets(who=cast.guest)
    await told(socket, lambda one: bool(one["samples"]))
    driver.mood = Mood.AWAY
    message = await told(socket, lambda one: one["away"])
    assert message["samples"] == []
    driver.mood = Mood.WELL
    await told(socket, lambda one: not one["away"] and len(one["samples"]) == 3)


async def test_an_engine_that_keeps_silent_is_as_good_as_away(
    cast: Cast, seen: AppEnvironment, sockets: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket = await sockets(who=cast.guest)
    await told(socket, lambda one: bool(one["samples"]))
    monkeypatch.setattr(gauges, "SILENT_SECONDS", 0.2)
    monkeypatch.setattr(streams, "SAMPLE_SECONDS", 60)
    assert (await told(socket, lambda one: one["away"]))["samples"] == []


async def test_an_instance_that_takes_over_is_followed(
    cast: Cast, seen: AppEnvironment, sockets: Any, driver: FakeDriver
) -> None:
    socket = await sockets(who=cast.guest)
    first = await told(socket, lambda one: len(one["samples"]) == 3)
    service = next(iter(driver._services.values()))
    driver.crash(service.ref, 2)
    service.look(Mood.WELL)
    await sync_to_async(observe)(cast.cluster)
    before = {sample[0] for sample in first["samples"]}
    message = await told(socket, lambda one: bool({sample[0] for sample in one["samples"]} - before))
    assert len(message["samples"]) <= 3
    await until(lambda: len(rooms().gauges) == 3, seconds=PATIENCE)


class Wall:
    """The other end of a socket that reads nothing until it is let."""

    def __init__(self, actor: Any) -> None:
        self.visitor = Visitor(actor)
        self.read = asyncio.Event()
        self.got: list[float] = []
        self.gone = False

    async def send_text(self, text: str) -> None:
        await self.read.wait()
        if self.gone:
            raise Ended
        self.got.append(json.loads(text)["at"])


async def test_a_slow_viewer_drops_the_oldest_and_harms_nobody(cast: Cast, seen: AppEnvironment) -> None:
    actor = await sync_to_async(actor_of)(cast.guest)
    here = Rooms()
    slow, quick = Wall(actor), Wall(actor)
    quick.read.set()
    viewers = [here.enter(one, seen, "") for one in (slow, quick)]
    await until(lambda: len(quick.got) > 3 * HELD, seconds=PATIENCE)
    slow.read.set()
    newest = quick.got[-1]
    await until(lambda: bool(slow.got) and slow.got[-1] >= newest, seconds=PATIENCE)
    kept = [at for at in slow.got if at <= newest]
    assert len(kept) <= HELD + 1
    assert kept[-HELD:] == [at for at in quick.got if at <= newest][-HELD:]
    for viewer in viewers:
        viewer.leave()
    assert not len(here)


async def test_five_hundred_look_and_a_tenth_of_them_sleeps(cast: Cast, seen: AppEnvironment) -> None:
    here, actor = Rooms(), NOBODY
    walls = [Wall(actor) for _viewer in range(500)]
    for wall in walls[50:]:
        wall.read.set()
    viewers = [here.enter(wall, seen, "") for wall in walls]
    await until(lambda: all(len(wall.got) > 12 for wall in walls[50:]), seconds=60)
    assert len(here.gauges) == 3
    assert max(len(viewer._waiting) for viewer in viewers[:50]) == HELD
    assert all(not wall.got for wall in walls[:50])
    for viewer in viewers:
        viewer.leave()
    assert not len(here.gauges)


async def test_a_viewer_whose_socket_broke_is_let_go(cast: Cast, seen: AppEnvironment) -> None:
    here = Rooms()
    broken = Wall(NOBODY)
    broken.gone = True
    broken.read.set()
    viewer = here.enter(broken, seen, "")
    await until(lambda: viewer._sending is None and bool(viewer.room._newest), seconds=PATIENCE)
    viewer.leave()
    assert not len(here)
