"""Every socket: strangers and other sites are turned away, what is another's is like what is not there."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import Client

from apps import services as apps
from apps.models import AppEnvironment, ObservedInstance
from apps.specification import from_image
from console.models import ConsoleSession
from console.urls import websocket_urlpatterns
from portal.routing import sockets
from tenants.models import Grant, Token
from tests.conftest import Cast
from tests.rules.sources import told

pytestmark = pytest.mark.django_db(transaction=True)
PLACE = {"tenant": "acme", "project": "shop", "app": "hello", "environment": "dev"}
NOBODYS = str(uuid.UUID(int=7))
# pattern: (its gaps, its query). `{operation}` and `{instance}` stand for ids of acme.
SOCKETS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "ws/v1/operations/<uuid:operation_id>": ({"operation_id": "{operation}"}, {"last_seq": "0"}),
    "ws/v1/logs": ({}, PLACE),
    "ws/v1/metrics": ({}, PLACE),
    "ws/v1/feed": ({}, {"tenant": "acme", "project": "shop", "last_seq": "0"}),
    "ws/v1/consoles/<uuid:console_id>": ({"console_id": "{console}"}, {}),
}
MISSING = {"tenant": "nowhere", "operation": NOBODYS, "instance": NOBODYS, "console": NOBODYS}
GONE = {4403, 4404}  # a console says 4403 to every ticket that fits none, whether there is such a console or not
STRANGE_ORIGINS = [
    b"https://evil.example",
    b"null",
    b"",
    b"http://127.0.0.1.evil.example",
    b"http://evil127.0.0.1",
    b"http://evil.example/127.0.0.1",
    b"http://127.0.0.1@evil.example",
    b"file://",
]


def patterns() -> Iterator[str]:
    for route in websocket_urlpatterns:
        yield str(route.pattern)


def address(pattern: str, known: dict[str, str]) -> str:
    """The address of something of acme, or of what is not there if `known` says so."""
    gaps, query = SOCKETS[pattern]
    for name, value in gaps.items():
        pattern = pattern.replace(f"<uuid:{name}>", value.format(**known)).replace(
            f"<str:{name}>", value.format(**known)
        )
    asked = {name: known.get(name, value.format(**known)) for name, value in query.items()}
    return f"/{pattern}?{urlencode(asked)}"


@pytest.fixture
def known(cast: Cast, place: AppEnvironment) -> dict[str, str]:
    operation = apps.deploy(cast.actor("developer"), place, spec=from_image("berth/hello:1"))
    instance = ObservedInstance.objects.create(
        tenant=cast.acme, project=cast.shop, place=place, service="web", number=1, engine_id="x", state="running",
        wanted=True, seen_at=operation.created_at,
    )  # fmt: skip
    console = ConsoleSession.objects.create(  # noqa: S604  `shell` is a column
        tenant=cast.acme, project=cast.shop, place=place, instance_id=instance.pk, engine_id="x", service="web",
        number=1, shell="sh", person_id=cast.developer.pk, person_name="developer",
    )  # fmt: skip
    return {"operation": str(operation.pk), "instance": str(instance.pk), "console": str(console.pk)}


def headers(
    who: Any = None, *, origin: bytes | None = b"http://127.0.0.1", token: str = ""
) -> list[tuple[bytes, bytes]]:
    made = [(b"host", b"127.0.0.1")] + ([(b"origin", origin)] if origin is not None else [])
    if who is not None:
        client = Client()
        client.force_login(who)
        made.append((b"cookie", f"berth_session={client.cookies['berth_session'].value}".encode()))
    return made + ([(b"authorization", f"Bearer {token}".encode())] if token else [])


async def refused(path: str, sent: list[tuple[bytes, bytes]]) -> bool:
    """Turned away before anything was accepted."""
    socket = WebsocketCommunicator(sockets, path, headers=sent)
    try:
        return not (await socket.connect(timeout=5))[0]
    finally:
        await socket.disconnect()


async def said(path: str, sent: list[tuple[bytes, bytes]]) -> list[Any]:
    """All that comes before the close, and the close."""
    socket, heard = WebsocketCommunicator(sockets, path, headers=sent), []
    accepted, _more = await socket.connect(timeout=5)
    assert accepted
    await socket.send_input({"type": "websocket.receive", "text": "{}"})
    while not heard or heard[-1]["type"] != "websocket.close":
        heard.append(await socket.receive_output(timeout=5))
    return heard


def test_every_socket_is_listed() -> None:
    missing = sorted(set(patterns()) - set(SOCKETS))
    assert not missing, told(missing, "Say in tests/abuse/test_socket_routes.py how these are asked for:")
    assert not set(SOCKETS) - set(patterns())


@pytest.mark.parametrize("pattern", sorted(SOCKETS))
async def test_nobody_is_let_in(pattern: str, known: dict[str, str]) -> None:
    path = address(pattern, known)
    assert await refused(path, await sync_to_async(headers)())
    assert await refused(path, await sync_to_async(headers)(token="berth_nonsense", origin=None))
    assert await refused(path, [*await sync_to_async(headers)(), (b"cookie", b"berth_session=expired")])


@pytest.mark.parametrize("pattern", sorted(SOCKETS))
async def test_no_other_site_is_let_in(pattern: str, known: dict[str, str], cast: Cast) -> None:
    path = address(pattern, known)
    assert not await refused(path, await sync_to_async(headers)(cast.owner))
    for origin in STRANGE_ORIGINS:
        assert await refused(path, await sync_to_async(headers)(cast.owner, origin=origin)), origin
    assert await refused(path, await sync_to_async(headers)(cast.owner, origin=None))


@pytest.mark.parametrize("pattern", sorted(SOCKETS))
async def test_a_token_in_the_address_opens_nothing(pattern: str, known: dict[str, str], cast: Cast) -> None:
    _row, text = await sync_to_async(Token.objects.create)(cast.owner, name="t")
    path = address(pattern, known)
    for query in (f"token={text}", f"access_token={text}", f"authorization=Bearer%20{text}"):
        assert await refused(f"{path}&{query}", await sync_to_async(headers)(origin=None))


@pytest.mark.parametrize("pattern", sorted(SOCKETS))
async def test_what_is_anothers_is_like_what_is_not_there(pattern: str, known: dict[str, str], cast: Cast) -> None:
    sent = await sync_to_async(headers)(cast.outsider)
    foreign = await said(address(pattern, known), sent)
    missing = await said(address(pattern, known | MISSING), sent)
    assert foreign == missing
    assert [one["type"] for one in foreign] == ["websocket.close"], "nothing is said before"
    assert foreign[0]["code"] in GONE


@pytest.mark.parametrize("pattern", sorted(SOCKETS))
async def test_a_token_of_another_tenant_finds_nothing(pattern: str, known: dict[str, str], cast: Cast) -> None:
    """A token that counts only in globex, of a person who may look at both."""

    def limited() -> str:
        Grant.objects.create(user=cast.owner, role="tenant.owner", tenant=cast.globex)
        return str(Token.objects.create(cast.owner, name="limited", tenant=cast.globex)[1])

    text = await sync_to_async(limited)()
    heard = await said(address(pattern, known), await sync_to_async(headers)(origin=None, token=text))
    assert [one["type"] for one in heard] == ["websocket.close"]
    assert heard[0]["code"] in GONE


async def test_every_role_hears_only_what_it_may(known: dict[str, str], cast: Cast) -> None:
    """Who sees the app but may not read logs is told so, and hears no line."""
    guest: Callable[..., Any] = sync_to_async(headers)
    heard = await said(address("ws/v1/logs", known), await guest(cast.guest))
    assert [(one["type"], one.get("code")) for one in heard] == [("websocket.close", 4403)]
