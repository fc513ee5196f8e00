"""A project on pages: made, set up, suspended and brought back."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client

from apps.lifecycle import services as lifecycle
from apps.models import AppEnvironment, Environment
from operations.models import Operation
from tenants.models import Project
from tests.conftest import Cast, Wakeups

Browse = Callable[[str], Client]
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
SHOP = "/t/acme/p/shop/"
NEW = "/t/acme/projects/new/"
FIELDS = {"name": "web", "title": "Web", "dev": "local", "test": "", "prod": "local"}


@pytest.fixture
def settle(wakeups: Wakeups, django_capture_on_commit_callbacks: Any) -> Callable[[], None]:
    def work() -> None:
        wakeups.ids += [str(pk) for pk in Operation.objects.filter(state="pending").values_list("pk", flat=True)]
        with django_capture_on_commit_callbacks(execute=True):
            wakeups.drain()

    return work


def test_a_project_is_made_with_the_environments_that_were_chosen(cast: Cast, browse: Browse) -> None:
    client = browse("owner")
    form = client.get(NEW).content.decode()
    assert form.count('<option value="local" selected>local</option>') == 3
    assert client.post(NEW, FIELDS).headers["Location"] == "/t/acme/p/web/"
    made = Environment.objects.filter(project__name="web").order_by("position")
    assert list(made.values_list("name", "protected")) == [("dev", False), ("prod", True)]
    assert "No app yet" in client.get("/t/acme/p/web/").content.decode()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": ""}, "Name it."),
        ({"name": "shop"}, "exists in this tenant"),
        ({"name": "Not A Label"}, "small letters"),
        ({"dev": "elsewhere"}, "has-error"),
    ],
)
def test_what_cannot_be_stands_beside_its_field(changes: dict[str, str], said: str, cast: Cast, browse: Browse) -> None:
    answer = browse("owner").post(NEW, FIELDS | changes)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Project.objects.filter(name="web").exists()


def test_who_may_not_is_told_who_can_help(cast: Cast, browse: Browse) -> None:
    client = browse("developer")
    assert client.get(NEW).status_code == 403
    assert client.post(NEW, FIELDS).status_code == 403
    page = client.get("/t/acme/projects/").content.decode()
    assert "project.create" in page
    assert browse("outsider").get(NEW).status_code == 404


def test_the_shortest_address_of_a_tenant_leads_to_its_projects(cast: Cast, browse: Browse) -> None:
    answer = browse("guest").get("/t/acme/")
    assert (answer.status_code, answer["Location"]) == (302, "/t/acme/projects/")
    assert browse("outsider").get("/t/acme/").status_code == 404


def test_settings_title_and_environments(cast: Cast, browse: Browse) -> None:
    client, settings = browse("owner"), f"{SHOP}settings/"
    assert client.post(settings, {"title": "The shop"}).status_code == 302
    assert "Settings of The shop" in client.get(settings).content.decode()
    more = {"name": "load", "stage": "test", "cluster": "local"}
    assert client.post(f"{settings}environments/", more).status_code == 302
    assert client.post(f"{settings}environments/", more).status_code == 422
    client.post(f"{settings}environments/load/protect/", {"on": "1"})
    assert cast.environment("load").protected
    client.post(f"{settings}environments/load/remove/")
    assert not Environment.objects.filter(name="load").exists()
    guest = browse("guest")
    assert "project.manage" in guest.get(settings).content.decode()
    assert guest.post(f"{settings}environments/dev/protect/", {"on": "1"}).status_code == 403


def test_what_it_would_do_is_said_before_it_is_done(cast: Cast, browse: Browse, running: AppEnvironment) -> None:
    page = browse("owner").get(f"{SHOP}lifecycle/").content.decode()
    assert "Stops 3 instances." in page
    assert "3 instances end" in page
    assert 'data-must-be="acme/shop"' in page
    assert "Resume …" not in page
    guest = browse("guest").get(f"{SHOP}lifecycle/").content.decode()
    assert 'id="suspend"' not in guest, "no dialog for what one may not"
    assert "project.manage" in guest


def test_suspended_by_a_click_and_resumed_by_another(
    cast: Cast, browse: Browse, running: AppEnvironment, settle: Callable[[], None]
) -> None:
    client = browse("owner")
    began = client.post(f"{SHOP}lifecycle/suspend/", {"reason": "the move"})
    assert began.headers["Location"] == f"{SHOP}lifecycle/"
    waiting = client.get(f"{SHOP}lifecycle/").content.decode()
    assert "Nothing can be changed here until it has ended." in waiting
    settle()
    for address, said in (
        (f"{SHOP}lifecycle/", "Resume …"),
        (SHOP, "The project shop is suspended."),
        ("/", "suspended"),
        (f"{SHOP}activity/", "Suspend the project"),
        ("/t/acme/projects/", "the move"),
        (f"{SHOP}apps/hello/", "Resume the project first"),
    ):
        assert said in client.get(address).content.decode(), address
    assert client.post(f"{SHOP}apps/hello/start/?environment=dev").status_code == 409
    client.post(f"{SHOP}lifecycle/resume/")
    settle()
    running.refresh_from_db()
    assert not running.stopped


def test_deleted_with_its_name_and_brought_back_from_the_list(
    cast: Cast, browse: Browse, running: AppEnvironment, settle: Callable[[], None]
) -> None:
    client = browse("owner")
    assert client.post(f"{SHOP}lifecycle/delete/", {"typed_name": "shop"}).status_code == 422
    gone = client.post(f"{SHOP}lifecycle/delete/", {"typed_name": "acme/shop"})
    assert gone.headers["Location"] == "/t/acme/projects/"
    settle()
    assert client.get(SHOP).status_code == 404
    assert client.get("/").status_code == 200
    page = client.get("/t/acme/projects/").content.decode()
    assert "Restore shop" in page
    assert "Restore shop" not in browse("developer").get("/t/acme/projects/").content.decode()
    client = browse("owner")
    client.post(f"{SHOP}lifecycle/restore/")
    settle()
    assert client.get(SHOP).status_code == 200


def test_others_find_nothing_there(cast: Cast, browse: Browse) -> None:
    client = browse("outsider")
    for address in (f"{SHOP}lifecycle/", f"{SHOP}settings/", "/t/acme/projects/"):
        assert client.get(address).status_code == 404
    for deed in ("suspend", "resume", "archive", "restore", "delete"):
        assert client.post(f"{SHOP}lifecycle/{deed}/").status_code == 404
    assert Operation.objects.count() == 0


def test_only_words_that_were_sent_are_drawn(cast: Cast, browse: Browse) -> None:
    lifecycle.suspend(cast.actor("owner"), cast.shop, reason="<script>alert(1)</script>")
    page = browse("owner").get(f"{SHOP}lifecycle/").content.decode()
    assert "<script>alert" not in page


def test_a_deployment_to_a_suspended_project_is_refused_with_the_next_step(
    cast: Cast, browse: Browse, running: AppEnvironment, settle: Callable[[], None]
) -> None:
    lifecycle.suspend(cast.actor("owner"), cast.shop)
    settle()
    client = browse("developer")
    overview = client.get(SHOP).content.decode()
    assert "Resume the project first" in overview, "the button says why"
    address = f"{SHOP}deploy/?app=hello&environment=dev&release=1"
    sheet = client.get(address).content.decode()
    assert "The project shop is suspended." in sheet, "the preflight says so before it is tried"
    fields = {name: unescape(value) for name, value in HIDDEN.findall(sheet)}
    answer = client.post(address, fields | {"go": "deploy"})
    assert answer.status_code == 422
    assert Operation.objects.filter(kind="app.deploy.run").count() == 1, "the one of before"
