"""A push reaches the open page: from the registry's word to the message by which the page fetches itself anew."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async

from images import tasks
from images.models import Repository
from tests.conftest import Cast
from tests.console.knocking import opened
from tests.images.test_telling import event, tell
from tests.images.there import WEB, There

pytestmark = pytest.mark.django_db(transaction=True)
SHOP = "/ws/v1/feed?tenant=acme&project=shop"


async def test_who_sees_images_hears_of_a_push_and_nobody_else(cast: Cast, there: There) -> None:
    developer, guest = await opened(SHOP, who=cast.developer), await opened(SHOP, who=cast.guest)
    for one in (developer, guest):
        assert (await one.receive_json_from(timeout=5))["kind"] == "hello"

    @sync_to_async
    def push() -> str:
        tell(event())
        tasks.take_in()
        return str(Repository.objects.get(path=WEB).pk)

    key = await push()
    heard: dict[str, Any] = await developer.receive_json_from(timeout=5)
    assert (heard["kind"], heard["id"], heard["project"]) == ("image", key, str(cast.shop.pk))
    while not await guest.receive_nothing():
        heard = await guest.receive_json_from(timeout=5)
        assert heard["kind"] != "image", "image.view is what a guest has not"
    await developer.disconnect()
    await guest.disconnect()
