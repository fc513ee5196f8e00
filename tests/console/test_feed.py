"""The feed: what changed of all one may see, replayed and then followed; ended with the right to it."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import transaction
from django.test import Client

from console import hub as hubs
from console.feed import MOST_WAITING, RESET, Outlet
from console.sockets import Visitor
from core import seats
from core.access import NOBODY
from core.clock import from_now
from operations import changes
from operations.changes import announce, newest
from operations.models import Change
from tenants.models import Grant, Token
from tenants.robots.services import create_robot, create_robot_token
from tenants.services import end_grant
from tests.conftest import Cast, actor_of
from tests.console.knocking import closed_with, knock, opened, until

pytestmark = pytest.mark.django_db(transaction=True)
FEED = "/ws/v1/feed"
SHOP = f"{FEED}?tenant=acme&project=shop"


@pytest.fixture(autouse=True)
def _exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is repeated merely because it is fresh, and rights are looked at often."""
    monkeypatch.setattr(changes, "FRESH", timedelta(0))
    monkeypatch.setattr(changes, "FRESH_BESIDE_OTHERS", timedelta(0))
    monkeypatch.setattr(hubs, "GUARD_SECONDS", 0.1)


@pytest.fixture
async def sockets() -> AsyncIterator[Callable[..., Any]]:
    """Opens sockets that are closed at the end."""
    made: list[Any] = []

    async def open_one(path: str, *, greeted: bool = True, **options: Any) -> Any:
        made.append(await opened(path, **options))
        if greeted:
            assert (await made[-1].receive_json_from(timeout=5))["kind"] == "hello"
        return made[-1]

    yield open_one
    for one in made:
        await one.disconnect()


@sync_to_async
def change(kind: str, object_id: str, cast: Cast, *, of: str = "shop", person: Any = None) -> int:
    project = getattr(cast, of)
    with transaction.atomic():
        announce(kind, object_id, tenant=project.tenant_id, project=project.pk, person=person)
    return newest()


def where(cast: Cast) -> dict[str, str]:
    return {"tenant": str(cast.acme.pk), "project": str(cast.shop.pk)}


async def test_it_tells_what_changed_and_nothing_else(cast: Cast, sockets: Any) -> None:
    feed = await sockets(SHOP, who=cast.guest)
    seq = await change("place", "p1", cast)
    assert await feed.receive_json_from(timeout=5) == {"seq": seq, "kind": "place", "id": "p1"} | where(cast)


async def test_two_people_hear_only_their_own(cast: Cast, sockets: Any) -> None:
    """Abuse 64: one process, one reader, two tenants."""
    mine, theirs = await sockets(FEED, who=cast.guest), await sockets(FEED, who=cast.outsider)
    await change("place", "of-shop", cast)
    await change("place", "of-store", cast, of="store")
    assert (await mine.receive_json_from(timeout=5))["id"] == "of-shop"
    assert (await theirs.receive_json_from(timeout=5))["id"] == "of-store"
    assert await mine.receive_nothing()
    assert await theirs.receive_nothing()


async def test_what_is_for_one_person_reaches_them_alone(cast: Cast, sockets: Any) -> None:
    hers, his = await sockets(FEED, who=cast.developer), await sockets(FEED, who=cast.releaser)
    await change("operation", "secret", cast, person=cast.developer.pk)
    assert (await hers.receive_json_from(timeout=5))["id"] == "secret"
    assert await his.receive_nothing()


async def test_clusters_are_for_those_who_see_them(cast: Cast, sockets: Any) -> None:
    operator, owner = await sockets(FEED, who=cast.operator), await sockets(FEED, who=cast.owner)

    @sync_to_async
    def away() -> None:
        announce("cluster", cast.cluster.pk)

    await away()
    assert (await operator.receive_json_from(timeout=5))["kind"] == "cluster"
    assert await owner.receive_nothing()


async def test_what_was_missed_comes_first_once_for_each_thing(cast: Cast, sockets: Any) -> None:
    begin = await change("place", "p0", cast)
    await change("place", "p1", cast)
    await change("place", "p2", cast, of="store")
    last = await change("place", "p1", cast)
    feed = await sockets(f"{SHOP}&last_seq={begin}", who=cast.guest, greeted=False)
    assert await feed.receive_json_from(timeout=5) == {"seq": last, "kind": "place", "id": "p1"} | where(cast)
    assert await feed.receive_json_from(timeout=5) == {"seq": last, "kind": "hello"}
    assert await feed.receive_nothing()


async def test_who_was_away_for_too_long_is_told_to_read_everything(cast: Cast, sockets: Any) -> None:
    first = await change("place", "p0", cast)
    for number in range(3):
        last = await change("place", f"p{number}", cast)

    @sync_to_async
    def forget() -> None:
        Change.objects.update(at=from_now(timedelta(hours=-2)))
        changes.forget_old()

    await forget()
    feed = await sockets(f"{SHOP}&last_seq={first}", who=cast.guest, greeted=False)
    assert await feed.receive_json_from(timeout=5) == {"seq": last, "kind": "reset"}


async def test_a_number_of_another_life_is_no_number(cast: Cast, sockets: Any) -> None:
    last = await change("place", "p0", cast)
    feed = await sockets(f"{SHOP}&last_seq={last + 500}", who=cast.guest, greeted=False)
    assert await feed.receive_json_from(timeout=5) == {"seq": last, "kind": "reset"}


@pytest.mark.parametrize("path", [f"{FEED}?tenant=acme&project=shop", f"{FEED}?tenant=acme", f"{FEED}?tenant=%00"])
async def test_a_stranger_finds_nothing(cast: Cast, sockets: Any, path: str) -> None:
    assert await closed_with(await sockets(path, who=cast.outsider, greeted=False)) == 4404


async def test_it_ends_when_the_grant_does(cast: Cast, sockets: Any) -> None:
    """Abuse 13: what may be seen no more is not told any more, and the socket ends at once."""
    narrow, wide = await sockets(SHOP, who=cast.guest), await sockets(FEED, who=cast.guest)
    await Grant.objects.filter(user=cast.guest).aupdate(ended_at=from_now(timedelta(0)))
    assert await closed_with(narrow) == 4403
    await until(lambda: all(not one.actor.rights.projects for one in hubs.hub()._keys))
    await change("place", "p1", cast)
    assert await wide.receive_nothing()


async def test_it_ends_with_the_session_and_with_the_person(cast: Cast, sockets: Any) -> None:
    browser = Client()
    await sync_to_async(browser.force_login)(cast.guest)
    feed, other = await sockets(SHOP, client=browser), await sockets(SHOP, who=cast.developer)
    await sync_to_async(browser.logout)()
    assert await closed_with(feed) == 4401
    cast.developer.is_active = False
    await cast.developer.asave()
    assert await closed_with(other) == 4401


async def test_a_token_hears_below_its_ceiling_and_ends_when_it_is_revoked(cast: Cast, sockets: Any) -> None:
    token, text = await sync_to_async(Token.objects.create)(cast.owner, name="t", scopes=["project.view"])
    feed = await sockets(SHOP, token=text, origin=None)
    await change("place", "p1", cast)  # app.view is not among its scopes
    await change("project", "shop", cast)
    assert (await feed.receive_json_from(timeout=5))["kind"] == "project"
    await Token.objects.filter(pk=token.pk).adelete()
    assert await closed_with(feed) == 4401


async def test_a_robot_hears_as_long_as_its_keeper_may(cast: Cast, sockets: Any) -> None:
    """Its socket ends with its keeper's right, without a word to the robot itself; and opens for none that stands."""

    def made() -> str:
        Grant.objects.create(user=cast.guest, role="project.admin", tenant=cast.acme, project=cast.shop)
        robot = create_robot(actor_of(cast.guest), cast.shop, name="ci", role="project.guest")
        return create_robot_token(actor_of(cast.guest), robot, name="t")[1].reveal()

    text = await sync_to_async(made)()
    feed = await sockets(SHOP, token=text, origin=None)
    await change("place", "p1", cast)
    assert (await feed.receive_json_from(timeout=5))["id"] == "p1"
    await Grant.objects.filter(user=cast.guest).aupdate(ended_at=from_now(timedelta(0)))
    assert await closed_with(feed) == 4401
    assert not (await knock(SHOP, token=text, origin=None).connect(timeout=5))[0]


async def test_who_talks_has_mistaken_the_address(cast: Cast, sockets: Any) -> None:
    feed = await sockets(SHOP, who=cast.guest)
    await feed.send_to(text_data="hello")
    assert await closed_with(feed) == 1008


async def test_a_thousand_sockets_of_one_person(cast: Cast, sockets: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(seats.LIMITS, "feed", seats.Limit(person=5, tenant=1000))
    browser = Client()
    await sync_to_async(browser.force_login)(cast.guest)
    kept = [await sockets(SHOP, client=browser) for _each in range(5)]
    await until(lambda: seats.held(cast.guest.pk, kind="feed") == 5)
    for _each in range(20):
        assert await closed_with(await sockets(SHOP, client=browser, greeted=False)) == 4429
    other = await sockets(SHOP, who=cast.developer)
    await change("place", "p1", cast)
    for one in [*kept, other]:
        assert (await one.receive_json_from(timeout=5))["id"] == "p1"
    await kept[0].disconnect()
    await until(lambda: seats.held(cast.guest.pk, kind="feed") == 4)


async def test_nothing_is_left_when_everybody_has_gone(cast: Cast, sockets: Any) -> None:
    feed = await sockets(SHOP, who=cast.guest)
    await until(lambda: hubs.hub().listeners == 1)
    await feed.disconnect()
    await until(lambda: hubs.hub().listeners == 0)
    assert not hubs.hub()._tasks


def test_a_reader_who_does_not_read_costs_little() -> None:
    outlet = Outlet(SimpleNamespace(visitor=Visitor(NOBODY)))  # type: ignore[arg-type]  # held: it never sends
    for seq in range(10 * MOST_WAITING):
        outlet.put({"seq": seq, "kind": "place", "id": "p"})
    assert len(outlet._waiting) <= MOST_WAITING
    assert RESET["kind"] in {message["kind"] for message in outlet._waiting}


async def test_kinds_of_a_newer_process_are_passed_over(cast: Cast, sockets: Any) -> None:
    feed = await sockets(SHOP, who=cast.guest)
    await Change.objects.acreate(kind="later", object_id="x", tenant_id=cast.acme.pk, project_id=cast.shop.pk)
    await change("place", "p1", cast)
    assert (await feed.receive_json_from(timeout=5))["id"] == "p1"


async def test_a_hub_that_fell_lets_everybody_come_again(
    cast: Cast, sockets: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = await sockets(SHOP, who=cast.guest)

    def fall(_reader: changes.Reader) -> None:
        raise LookupError("a mistake of ours")

    with monkeypatch.context() as broken:
        broken.setattr(changes.Reader, "news", fall)
        await change("place", "p1", cast)
        assert await closed_with(feed) == 4503
    again = await sockets(SHOP, who=cast.guest)
    await change("place", "p2", cast)
    assert (await again.receive_json_from(timeout=5))["id"] == "p2"


async def test_a_right_that_is_lost_while_it_comes_in(
    cast: Cast, sockets: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = hubs._begin

    async def lost_meanwhile(reader: changes.Reader) -> int:
        last = await begin(reader)
        await sync_to_async(Grant.objects.filter(user=cast.guest).update)(ended_at=from_now(timedelta(0)))
        await hubs.hub()._look_again(list(hubs.hub()._keys))
        return last

    monkeypatch.setattr(hubs, "_begin", lost_meanwhile)
    feed = await sockets(SHOP, who=cast.guest, greeted=False)
    assert await closed_with(feed) == 4403
    await feed.wait(timeout=5)
    assert not hubs.hub().listeners


async def test_who_takes_a_right_ends_the_socket_at_once(
    cast: Cast, sockets: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "GUARD_SECONDS", 60)
    feed = await sockets(SHOP, who=cast.guest)
    grant = await Grant.objects.aget(user=cast.guest)
    await sync_to_async(end_grant)(await sync_to_async(cast.actor)("owner"), cast.shop, grant=grant)
    assert await closed_with(feed) == 4403
