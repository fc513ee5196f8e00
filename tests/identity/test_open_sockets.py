"""What somebody has open when their identity service puts them out: it closes by itself, whatever they ask for."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from apps.models import AppEnvironment
from backends.fake import FakeDriver
from console import hub as hubs
from console import registry
from console.models import ConsoleSession
from tenants.identity import recheck, sync
from tenants.identity.facts import Assignment, Domain, Person, Project, Snapshot
from tenants.identity.models import RoleMapping
from tenants.models import Grant, Tenant, User
from tests.conftest import Cast
from tests.console import consoles
from tests.console.knocking import closed_with, opened

pytestmark = pytest.mark.django_db(transaction=True)
LOGS = "/ws/v1/logs?tenant=acme&project=shop&app=hello&environment=dev&follow=true"
FEED = "/ws/v1/feed?tenant=acme&project=shop"


@pytest.fixture(autouse=True)
async def _none_left(transactional_db: None) -> AsyncIterator[None]:
    yield
    await registry.leave_all()


def told(*, enabled: bool = True) -> Snapshot:
    """What Keystone says: two people with the same role on the same project."""
    home = Domain("d", "acme", enabled=True)
    read = Snapshot(domains={home.id: home}, roles={"r": "reader"})
    read.projects = {"p": Project("p", "acme", home.id, enabled=True)}
    read.people = {
        "developer": Person("developer", "developer", home.id, enabled=enabled),
        "guest": Person("guest", "guest", home.id, enabled=True),
    }
    read.assignments = {Assignment(person, "project", "p", "r") for person in read.people}
    return read


@pytest.fixture
def away(settings: Any) -> Iterator[None]:
    """Keystone itself does not answer: requests are let in within the grace, and only the following puts out."""
    from tenants.identity import wire

    settings.KEYSTONE = settings.KEYSTONE | {"url": "http://127.0.0.1:9/v3"}
    recheck.memory.forget()
    yield
    recheck.memory.forget()
    wire.forget()


@pytest.fixture
def followed(cast: Cast, running: AppEnvironment, away: None) -> AppEnvironment:
    """Developer and guest are Keystone's people; what they may do in the project was given here."""
    RoleMapping.objects.all().delete()
    RoleMapping.objects.create(place="project", keystone_role="reader", role="tenant.member")
    Tenant.objects.filter(pk=cast.acme.pk).update(source="keystone", external_id="p")
    for user in (cast.developer, cast.guest):
        User.objects.filter(pk=user.pk).update(source="keystone", external_id=user.username)
    sync.apply(told())
    return running


async def test_whom_keystone_disabled_has_nothing_open_two_seconds_later(
    cast: Cast, followed: AppEnvironment, driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Feed, logs and console, by nothing but the following; who stays keeps theirs. The feed hears of it at once."""
    monkeypatch.setattr(hubs, "GUARD_SECONDS", 3600.0)
    feed, logs = await opened(FEED, who=cast.developer), await opened(LOGS, who=cast.developer)
    other = await opened(FEED, who=cast.guest)
    console, screen = await consoles.opened(await sync_to_async(consoles.Person)(cast.developer), followed)
    assert (await other.receive_json_from(timeout=5))["kind"] == "hello"
    await sync_to_async(sync.apply)(told(enabled=False))
    assert await closed_with(feed) == 4401
    assert await closed_with(logs) == 4403
    async with asyncio.timeout(3):
        assert await screen.until_closed() == 4403
    row = await ConsoleSession.objects.aget(pk=console)
    assert row.why == "right"
    assert await other.receive_nothing()
    await other.disconnect()


async def test_whose_last_role_keystone_took_hears_of_it_at_once(
    cast: Cast, followed: AppEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "GUARD_SECONDS", 3600.0)
    await Grant.objects.filter(user=cast.guest).exclude(source="keystone").adelete()
    whole = await opened("/ws/v1/feed?tenant=acme", who=cast.guest)
    assert (await whole.receive_json_from(timeout=5))["kind"] == "hello"
    without = told()
    without.assignments = {one for one in without.assignments if one.user != "guest"}
    await sync_to_async(sync.apply)(without)
    assert await closed_with(whole) == 4403
