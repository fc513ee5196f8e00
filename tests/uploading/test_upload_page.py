"""The page of uploads: what it offers to whom, what it shows, and calling one off."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from images.models import Upload
from tests.conftest import Cast
from tests.uploading import archives
from tests.uploading.conftest import Sender, newest, work_off

pytestmark = pytest.mark.usefixtures("registry")
PAGE = "/t/acme/p/shop/images/upload/"


def test_it_offers_a_file_and_the_commands(browse: Callable[[str], Client], cast: Cast) -> None:
    said = browse("developer").get(PAGE).content.decode()
    assert 'data-upload="/api/v1/tenants/acme/projects/shop/uploads"' in said
    assert "vendor/upload.js" in said
    assert "<noscript>" in said
    assert "-X PATCH -T web.tar http://testserver/api/v1/tenants/acme/projects/shop/uploads/$UPLOAD" in said
    assert PAGE in browse("developer").get("/t/acme/p/shop/images/").content.decode()


def test_who_may_only_look_is_told_so(browse: Callable[[str], Client], sender: Sender) -> None:
    sender.begin(b"x" * 5000)
    said = browse("releaser").get(PAGE).content.decode()
    assert "data-upload=" not in said
    assert "web.tar" not in said
    assert browse("guest").get(PAGE).status_code == 403
    assert browse("outsider").get(PAGE).status_code == 404


def test_it_shows_how_far_each_is_and_how_it_ended(
    browse: Callable[[str], Client], sender: Sender, django_capture_on_commit_callbacks: Any
) -> None:
    data = archives.docker("shown:1")
    half = sender.begin(data, file_name="half.tar").json()["id"]
    sender.send(half, data[: len(data) // 2])
    sender.put(archives.tar([("../x", b"")]), file_name="<b>bad.tar")
    with django_capture_on_commit_callbacks(execute=True):
        sender.put(data, file_name="good.tar")
        work_off(newest())
    client = browse("developer")
    for said in (client.get(PAGE).content.decode(), client.get(PAGE, headers={"HX-Request": "true"}).content.decode()):
        assert "half.tar" in said
        assert "50 % received" in said or "49 % received" in said
        assert "&lt;b&gt;bad.tar" in said
        assert "<b>bad" not in said
        assert "leads out of it: ../x" in said
        assert f"acme/shop/shown@{newest().digest}" in said
    again = "Choose the same file again to go on; it is kept"
    assert again in client.get(PAGE).content.decode()
    assert again not in browse("owner").get(PAGE).content.decode()


def test_it_is_called_off_by_a_button(
    browse: Callable[[str], Client], sender: Sender, django_capture_on_commit_callbacks: Any
) -> None:
    upload = sender.begin(b"x" * 5000).json()["id"]
    address = f"{PAGE}{upload}/discard/"
    assert browse("releaser").post(address).status_code == 404
    assert browse("outsider").post(address).status_code == 404
    assert browse("developer").get(address).status_code == 405
    with django_capture_on_commit_callbacks(execute=True):
        assert browse("developer").post(address).headers["Location"] == PAGE
    assert Upload.objects.get(pk=upload).state == "cancelled"


def test_without_a_registry_it_says_so(browse: Callable[[str], Client], cast: Cast, settings: Any) -> None:
    settings.REGISTRY = settings.REGISTRY | {"url": ""}
    assert "There is no registry here" in browse("developer").get(PAGE).content.decode()
