"""The socket of one operation: replay, follow, end; nothing for strangers."""

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import Client

from apps import services as apps
from apps.hosts.services import cordon
from apps.models import AppEnvironment
from apps.observing import observe, ring
from apps.specification import from_image
from backends.models import Host
from operations import services, tasks
from operations.models import Operation
from portal.routing import sockets
from tests.conftest import Cast

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def operation(cast: Cast, place: AppEnvironment) -> Operation:
    return apps.deploy(cast.actor("developer"), place, spec=from_image("berth/hello:1"))


def socket(
    operation: Operation, *, who: Any = None, last_seq: str = "0", origin: bytes = b"http://127.0.0.1", more: str = ""
) -> Any:
    headers = [(b"host", b"127.0.0.1"), (b"origin", origin)]
    if who is not None:
        client = Client()
        client.force_login(who)
        headers.append((b"cookie", f"berth_session={client.cookies['berth_session'].value}".encode()))
    return WebsocketCommunicator(
        sockets, f"/ws/v1/operations/{operation.pk}?last_seq={last_seq}{more}", headers=headers
    )


@pytest.fixture
def open_socket() -> Callable[..., Any]:
    return sync_to_async(socket)


async def test_it_replays_then_follows_and_ends_with_the_operation(
    cast: Cast, operation: Operation, open_socket: Any
) -> None:
    feed = await open_socket(operation, who=cast.developer)
    assert (await feed.connect())[0]
    assert await feed.receive_json_from() == {"seq": 1, "code": "accepted", "level": "info", "step": ""}

    def finish() -> None:
        mine = services.claim(operation.pk)
        assert mine is not None
        services.settle(mine, Operation.State.SUCCEEDED)

    await database_sync_to_async(finish)()
    assert (await feed.receive_json_from(timeout=5))["code"] == "succeeded"
    assert (await feed.receive_output(timeout=5))["code"] == 1000


async def test_it_begins_after_what_was_seen(cast: Cast, operation: Operation, open_socket: Any) -> None:
    await database_sync_to_async(services.emit)(operation, "preparing", {"release": 1})
    feed = await open_socket(operation, who=cast.guest, last_seq="1")
    assert (await feed.connect())[0]
    assert (await feed.receive_json_from())["seq"] == 2
    assert await feed.receive_nothing()
    await feed.disconnect()


async def test_operators_follow_what_is_done_with_a_host(cast: Cast, open_socket: Any) -> None:
    def begin() -> Operation:
        observe(cast.cluster)
        return cordon(cast.actor("operator"), Host.objects.select_related("cluster").get())

    begun = await database_sync_to_async(begin)()
    stranger = await open_socket(begun, who=cast.owner)
    await stranger.connect()
    assert (await stranger.receive_output())["code"] == 4404
    feed = await open_socket(begun, who=cast.operator)
    assert (await feed.connect())[0]
    assert (await feed.receive_json_from())["code"] == "accepted"

    def work() -> None:
        tasks.run_operation(str(begun.pk))

    await database_sync_to_async(work)()
    assert (await feed.receive_json_from(timeout=5))["code"] == "host_closing"
    assert (await feed.receive_json_from(timeout=5))["code"] == "succeeded"
    assert (await feed.receive_output(timeout=5))["code"] == 1000


async def test_a_stranger_is_told_nothing(cast: Cast, operation: Operation, open_socket: Any) -> None:
    feed = await open_socket(operation, who=cast.outsider)
    assert (await feed.connect())[0]
    assert (await feed.receive_output())["code"] == 4404


async def test_nobody_is_refused_before_anything_is_accepted(operation: Operation, open_socket: Any) -> None:
    feed = await open_socket(operation)
    assert not (await feed.connect())[0]


@pytest.mark.parametrize("origin", [b"http://evil.example", b"null", b"http://127.0.0.1.evil.example"])
async def test_other_origins_are_refused(cast: Cast, operation: Operation, open_socket: Any, origin: bytes) -> None:
    feed = await open_socket(operation, who=cast.developer, origin=origin)
    assert not (await feed.connect())[0]


@pytest.mark.parametrize("last_seq", ["-1", "x", "9" * 30, "1.5", ""])
async def test_odd_numbers_mean_from_the_start(
    cast: Cast, operation: Operation, open_socket: Any, last_seq: str
) -> None:
    feed = await open_socket(operation, who=cast.developer, last_seq=last_seq)
    assert (await feed.connect())[0]
    assert (await feed.receive_json_from())["seq"] == 1
    await feed.disconnect()


async def test_instances_ring_where_they_are_asked_for(cast: Cast, operation: Operation, open_socket: Any) -> None:
    feed = await open_socket(operation, who=cast.developer, last_seq="1", more="&instances=1")
    plain = await open_socket(operation, who=cast.developer, last_seq="1")
    assert (await feed.connect())[0]
    assert (await plain.connect())[0]
    place = await database_sync_to_async(AppEnvironment.objects.get)(pk=operation.target.removeprefix("place:"))
    await database_sync_to_async(ring)(place)
    assert await feed.receive_json_from(timeout=5) == {"seq": 1}
    assert await plain.receive_nothing()
    await feed.disconnect()
    await plain.disconnect()
