from collections.abc import Callable, Iterator
from ipaddress import ip_network
from typing import Any

import pytest

from core.secrets import Secret
from images.happening import Happened, Kind, tell
from images.hooks.addressing import judged
from images.hooks.models import Webhook
from images.hooks.services import Asked, make_webhook
from images.models import Repository
from tests.conftest import Cast
from tests.hooks.receiver import Receiver
from tests.outbound.speaking import speaking

DIGEST = "sha256:" + "d" * 64
SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
Make = Callable[..., Webhook]
Tell = Callable[..., None]


@pytest.fixture(autouse=True)
def _inside(settings: Any) -> None:
    settings.OUTBOUND = settings.OUTBOUND | {"networks": [ip_network("127.0.0.0/8")]}


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def address(receiver: Receiver) -> Iterator[str]:
    with speaking(receiver.says) as port:
        yield f"http://127.0.0.1:{port}/hooks?key=a-key-of-the-receiver"


@pytest.fixture
def make(cast: Cast, address: str) -> Make:
    def made(name: str = "ci", *, at: str = "", events: tuple[str, ...] = ("pushed", "deleted")) -> Webhook:
        asked = Asked(name=name, address=judged(at or address), events=events, secret=Secret(SECRET))
        return make_webhook(cast.actor("owner"), cast.shop, asked=asked)[0]

    return made


@pytest.fixture
def web(cast: Cast) -> Repository:
    return Repository.objects.create(
        name="reg/acme/shop/web", tenant=cast.acme, project=cast.shop, path="acme/shop/web"
    )


@pytest.fixture
def happens(cast: Cast, web: Repository) -> Tell:
    def it(kind: Kind = "pushed", **more: Any) -> None:
        tell(Happened(kind, more.pop("repository", web), DIGEST, cast.actor("developer"), **{"tag": "1"} | more))

    return it
