"""Consoles in the hands of somebody who means harm: strangers, old tickets, other instances, floods, odd shells."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import Client

from apps.models import AppEnvironment, Environment, ObservedInstance
from apps.services import create_app
from audit.models import AuditEntry
from backends.fake import FakeDriver
from backends.fake.streams import FakeExec
from console import registry, terminal_socket
from console.models import ConsoleSession
from core import seats
from portal.routing import sockets
from tenants.models import Grant, Token
from tests.conftest import Cast
from tests.console.consoles import E, Person, Screen, opened

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
async def _none_left(transactional_db: None) -> AsyncIterator[None]:
    yield
    await registry.leave_all()


@pytest.fixture
def started(driver: FakeDriver, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """Every process that was started: (instance, command)."""
    began: list[tuple[str, list[str]]] = []
    real = driver.exec

    async def exec_(instance: str, command: list[str], **more: Any) -> Any:
        began.append((instance, list(command)))
        return await real(instance, command, **more)

    monkeypatch.setattr(driver, "exec", exec_)
    return began


@pytest.fixture
def developer(cast: Cast) -> Person:
    return Person(cast.developer)


def ticket_for(person: Person, place: AppEnvironment) -> Any:
    answer = person.ask(place)
    assert answer.status_code == 201, answer.content
    return answer.json()


async def refused(socket: WebsocketCommunicator, ticket: str) -> int:
    """The code by which a socket ends that shows this ticket."""
    return await (await Screen(socket).join(ticket)).until_closed()


# 17, 18: who may not even knock


@pytest.mark.parametrize("cookie", ["", "berth_session=", "berth_session=nonsense"])
async def test_nobody_is_refused_before_anything_is_accepted(
    developer: Person, running: AppEnvironment, started: list[Any], cookie: str
) -> None:
    found = await sync_to_async(ticket_for)(developer, running)
    headers = [(b"host", b"127.0.0.1"), (b"origin", b"http://127.0.0.1"), (b"cookie", cookie.encode())]
    socket = WebsocketCommunicator(sockets, found["url"], headers=headers)
    assert not (await socket.connect(timeout=20))[0]
    assert not started


@pytest.mark.parametrize(
    "origin",
    [b"http://evil.example", b"null", b"", b"http://127.0.0.1.evil.example", b"http://evil127.0.0.1", b"//127.0.0.1.x"],
)
async def test_other_origins_are_refused(
    developer: Person, running: AppEnvironment, started: list[Any], origin: bytes
) -> None:
    found = await sync_to_async(ticket_for)(developer, running)
    socket = developer.socket(found["url"], origin=origin)
    assert not (await socket.connect(timeout=20))[0]
    assert not started


# 19, 20: other instances, other roles


async def test_instances_of_elsewhere_are_not_there(cast: Cast, developer: Person, running: AppEnvironment) -> None:
    elsewhere = await sync_to_async(_instance_of_globex)(cast)
    (raw,) = [row async for row in ObservedInstance.objects.filter(place=running, number=1)]
    for instance, status in ((str(elsewhere.pk), 404), (raw.engine_id, 422), ("../../x", 422), (str(running.pk), 404)):
        answer = await sync_to_async(developer.post)(f"{E}/consoles", {"instance": instance})
        assert answer.status_code == status, instance
    other_place = E.replace("/dev", "/test")
    assert (await sync_to_async(developer.ask)(running, at=other_place)).status_code == 404
    assert not await ConsoleSession.objects.aexists()


def _instance_of_globex(cast: Cast) -> ObservedInstance:
    app = create_app(cast.actor("outsider"), cast.store, name="till")
    place = app.places.get(environment__name="dev")
    return ObservedInstance.objects.create(
        tenant=cast.globex, project=cast.store, place=place, service="web", number=1, engine_id="abc", state="running",
        wanted=True, seen_at="2026-01-01T00:00:00Z",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("who", "status"),
    [("guest", 403), ("releaser", 403), ("auditor", 404), ("outsider", 404), ("operator", 404), ("developer", 201)],
)
async def test_only_who_may_open_consoles_does(cast: Cast, running: AppEnvironment, who: str, status: int) -> None:
    person = await sync_to_async(Person)(getattr(cast, who))
    assert (await sync_to_async(person.ask)(running)).status_code == status


async def test_a_protected_environment_wants_its_own_right_and_a_reason(
    cast: Cast, developer: Person, running: AppEnvironment
) -> None:
    await Environment.objects.filter(pk=running.environment_id).aupdate(protected=True)
    denied = await sync_to_async(developer.ask)(running, reason="INC-1")
    assert (denied.status_code, denied.json()["permission"]) == (403, "console.protected")
    owner = await sync_to_async(Person)(cast.owner)
    mute = await sync_to_async(owner.ask)(running, reason="  ")
    assert (mute.status_code, mute.json()["errors"][0]["field"]) == (422, "reason")
    told = await sync_to_async(owner.ask)(running, reason="INC-2107, slow checkout")
    assert told.status_code == 201
    entries = AuditEntry.objects.filter(action="console.open").order_by("seq")
    assert [entry.result async for entry in entries] == ["denied", "refused", "accepted"]
    newest = await entries.alast()
    assert newest is not None
    assert newest.detail["reason"] == "INC-2107, slow checkout"


# 21, 22: tickets


async def test_a_ticket_works_once(developer: Person, running: AppEnvironment, started: list[Any]) -> None:
    found = await sync_to_async(ticket_for)(developer, running)
    first = await Screen(developer.socket(found["url"])).join(found["ticket"])
    await first.until_told("ready")
    assert await refused(developer.socket(found["url"]), found["ticket"]) == 4403
    assert len(started) == 1
    await first.leave()


async def test_a_ticket_of_yesterday_is_refused(developer: Person, running: AppEnvironment, started: list[Any]) -> None:
    found = await sync_to_async(ticket_for)(developer, running)
    await ConsoleSession.objects.filter(pk=found["id"]).aupdate(ticket_until="2026-01-01T00:00:00Z")
    assert await refused(developer.socket(found["url"]), found["ticket"]) == 4403
    assert not started


async def test_a_ticket_fits_its_person_session_address_and_console_only(
    cast: Cast, developer: Person, running: AppEnvironment, started: list[Any]
) -> None:
    found = await sync_to_async(ticket_for)(developer, running)
    other = await sync_to_async(ticket_for)(developer, running)
    owner = await sync_to_async(Person)(cast.owner)
    second_browser = await sync_to_async(Person)(cast.developer)
    for socket in (
        owner.socket(found["url"]),
        second_browser.socket(found["url"]),
        developer.socket(found["url"], address="192.0.2.7"),
        developer.socket(other["url"]),
        developer.socket("/ws/v1/consoles/00000000-0000-7000-8000-000000000000"),
    ):
        assert await refused(socket, found["ticket"]) == 4403
    assert not started
    screen = await Screen(developer.socket(found["url"])).join(found["ticket"])
    await screen.until_told("ready")
    await screen.leave()


async def test_tickets_are_kept_as_hashes_and_never_taken_from_an_address(
    developer: Person, running: AppEnvironment, started: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal_socket, "FIRST_FRAME_SECONDS", 0.1)
    found = await sync_to_async(ticket_for)(developer, running)
    row = await ConsoleSession.objects.values().aget(pk=found["id"])
    assert found["ticket"] not in json.dumps(row, default=str)
    assert not [e async for e in AuditEntry.objects.all() if found["ticket"] in json.dumps(e.detail)]
    socket = developer.socket(f"{found['url']}?ticket={found['ticket']}")
    assert (await socket.connect(timeout=20))[0]
    assert (await socket.receive_output(timeout=20))["code"] == 4403
    assert not started


async def test_a_program_comes_with_its_token_and_no_other(
    cast: Cast, running: AppEnvironment, started: list[Any]
) -> None:
    def make() -> tuple[str, str, Any]:
        one, two = (Token.objects.create(cast.developer, name=name)[1] for name in ("one", "two"))
        instance = running.observed_instances.order_by("number")[0]
        answer = Client().post(
            f"{E}/consoles", {"instance": str(instance.pk)}, content_type="application/json",
            headers={"Authorization": f"Bearer {one}"},
        )  # fmt: skip
        return one, two, answer.json()

    one, two, found = await sync_to_async(make)()

    def socket(token: str) -> WebsocketCommunicator:
        headers = [(b"host", b"127.0.0.1"), (b"authorization", f"Bearer {token}".encode())]
        made = WebsocketCommunicator(sockets, found["url"], headers=headers)
        made.scope["client"] = ("127.0.0.1", 40000)
        return made

    assert await refused(socket(two), found["ticket"]) == 4403
    screen = await Screen(socket(one)).join(found["ticket"])
    await screen.until_told("ready")
    await sync_to_async(Token.objects.filter(name="one").delete)()
    async with asyncio.timeout(2.0):
        assert await screen.until_closed() == 4403


async def test_a_right_lost_between_ticket_and_socket_counts(
    cast: Cast, developer: Person, running: AppEnvironment, started: list[Any]
) -> None:
    found = await sync_to_async(ticket_for)(developer, running)
    await Grant.objects.filter(user=cast.developer).adelete()
    assert await refused(developer.socket(found["url"]), found["ticket"]) == 4403
    assert not started


# 23: what is asked of the shell and the socket


@pytest.mark.parametrize("shell", [";rm", "sh -c id", "/bin/sh", "python", "$(id)", "sh\n", "", ["sh"], {"a": 1}, None])
async def test_only_shells_of_the_list_are_started(developer: Person, running: AppEnvironment, shell: Any) -> None:
    answer = await sync_to_async(developer.ask)(running, shell=shell)  # noqa: S604 - the name of one
    assert answer.status_code == 422
    assert not await ConsoleSession.objects.aexists()


async def test_the_shell_is_started_by_itself(developer: Person, running: AppEnvironment, started: list[Any]) -> None:
    _console, screen = await opened(developer, running)
    instance = await ObservedInstance.objects.aget(place=running, number=1)
    assert started == [(instance.engine_id, ["sh"])]
    await screen.leave()


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"bytes_data": b"x" * 65_537}, 1009),
        ({"text_data": "x" * 65_537}, 1009),
        ({"text_data": "no json"}, 1008),
        ({"text_data": "[1]"}, 1008),
        ({"text_data": "7"}, 1008),
    ],
)
async def test_frames_that_are_too_big_or_no_words_of_ours_end_it(
    developer: Person, running: AppEnvironment, frame: dict[str, Any], code: int
) -> None:
    _console, screen = await opened(developer, running)
    await screen.socket.send_to(**frame)
    assert await screen.until_closed() == code


@pytest.mark.parametrize("first", ["no json", "[]", "{}", '{"ticket": 7}', '{"ticket": {"a": 1}}', '{"ticket": ""}'])
async def test_the_first_frame_must_be_a_ticket(
    developer: Person, running: AppEnvironment, started: list[Any], first: str
) -> None:
    found = await sync_to_async(ticket_for)(developer, running)
    socket = developer.socket(found["url"])
    assert (await socket.connect(timeout=20))[0]
    await socket.send_to(text_data=first)
    assert (await socket.receive_output(timeout=20))["code"] in {1008, 4403}
    assert not started


async def test_bytes_before_a_ticket_reach_nothing(
    developer: Person, running: AppEnvironment, started: list[Any]
) -> None:
    found = await sync_to_async(ticket_for)(developer, running)
    socket = developer.socket(found["url"])
    assert (await socket.connect(timeout=20))[0]
    await socket.send_to(bytes_data=b"id\n")
    assert (await socket.receive_output(timeout=20))["code"] in {1008, 4403}
    assert not started


async def test_odd_frames_are_passed_over(developer: Person, running: AppEnvironment) -> None:
    _console, screen = await opened(developer, running)
    for odd in (
        {"ack": -5}, {"ack": "x"}, {"ack": 1e300}, {"ack": True}, {"ack": 10**18}, {"resize": [1]},
        {"resize": {"a": 1}}, {"stay": 1}, {"ticket": "again"}, {"ready": {}}, {"exit": 0}, {},
    ):  # fmt: skip
        await screen.say(**odd)
    await screen.type(b"echo still here\r")
    await screen.until(b"still here\r\n")
    assert screen.closed is None
    await screen.leave()


async def test_a_flood_of_tiny_frames_ends_it(developer: Person, running: AppEnvironment) -> None:
    _console, screen = await opened(developer, running)
    for _turn in range(3000):
        await screen.type(b"x")
    assert await screen.until_closed() == 1008


async def test_more_than_a_process_takes_is_refused(
    developer: Person, running: AppEnvironment, driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stuck(_self: Any, _data: bytes) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(FakeExec, "write", stuck)
    _console, screen = await opened(developer, running)
    for _turn in range(20):
        await screen.type(b"x" * 60_000)
    assert await screen.until_closed() == 1009


# 25: many


async def test_a_person_has_so_many_consoles_and_no_more(
    cast: Cast, developer: Person, running: AppEnvironment
) -> None:
    most = seats.LIMITS["console"].person
    waiting = [await sync_to_async(ticket_for)(developer, running) for _turn in range(most + 1)]
    screens = []
    for found in waiting[:-1]:
        screen = await Screen(developer.socket(found["url"])).join(found["ticket"])
        await screen.until_told("ready")
        screens.append(screen)
    last = await Screen(developer.socket(waiting[-1]["url"])).join(waiting[-1]["ticket"])
    assert await last.until_closed() == 4429
    more = await sync_to_async(developer.ask)(running)
    assert (more.status_code, more.json()["code"]) == (429, "too_many_streams")
    owner = await sync_to_async(Person)(cast.owner)
    _console, others = await opened(owner, running)
    await others.leave()
    for screen in screens:
        await screen.leave()


async def test_asking_again_and_again_is_refused(developer: Person, running: AppEnvironment) -> None:
    answers = [(await sync_to_async(developer.ask)(running)).status_code for _turn in range(25)]
    assert set(answers) == {201, 429}
    assert await ConsoleSession.objects.acount() == 20
