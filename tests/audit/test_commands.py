"""Accepted, refused and denied commands, and sign-ins, all leave their entry."""

import json

import pytest
from django.test import Client

from apps import services
from apps.models import App, AppEnvironment
from apps.specification import from_image
from audit.models import AuditEntry
from audit.services import plain
from core.errors import Conflict, Denied
from core.secrets import Secret
from tests.conftest import PASSWORD, Cast


def last(action: str) -> AuditEntry:
    entry = AuditEntry.objects.filter(action=action).order_by("-at", "-seq").first()
    assert entry is not None
    return entry


def test_an_accepted_command_says_who_what_on_what_and_which_operation(cast: Cast, place: AppEnvironment) -> None:
    operation = services.deploy(cast.actor("developer"), place, spec=from_image("berth/hello:1"))
    entry = last("app.deploy")
    assert (entry.result, entry.actor_name, entry.target_name) == ("accepted", "developer", "hello in dev")
    assert entry.operation_id == operation.pk
    assert entry.after["release"] == 1
    assert entry.address == "127.0.0.1"


def test_a_denied_command_changes_nothing_and_is_written(cast: Cast, place: AppEnvironment) -> None:
    with pytest.raises(Denied) as denied:
        services.deploy(cast.actor("guest"), place, spec=from_image("berth/hello:1"))
    assert denied.value.extra == {"permission": "app.deploy"}
    assert "acme" in str(denied.value.hint)
    assert (last("app.deploy").result, last("app.deploy").actor_name) == ("denied", "guest")
    assert place.app.releases.count() == 0


def test_production_needs_its_own_permission(cast: Cast, place: AppEnvironment) -> None:
    prod = place.app.places.select_related("app", "environment__cluster", "project").get(environment__name="prod")
    with pytest.raises(Denied) as denied:
        services.deploy(cast.actor("developer"), prod, spec=from_image("berth/hello:1"))
    assert denied.value.extra == {"permission": "app.release"}
    assert services.deploy(cast.actor("releaser"), prod, spec=from_image("berth/hello:1")).state == "pending"


def test_a_refused_command_is_written_with_its_code(cast: Cast, place: AppEnvironment) -> None:
    with pytest.raises(Conflict):
        services.create_app(cast.actor("developer"), cast.shop, name="hello")
    entry = last("app.create")
    assert (entry.result, entry.detail["code"]) == ("refused", "name_taken")
    assert App.objects.filter(name="hello", project=cast.shop).count() == 1


def test_sign_ins_are_written_the_failed_ones_without_what_was_typed(cast: Cast, client: Client) -> None:
    client.post("/accounts/sign-in/", {"username": "developer", "password": "a wrong one, canary"})
    failed = last("session.sign_in")
    assert (failed.result, failed.tenant_id, failed.detail) == ("denied", cast.acme.pk, {"tried": "developer"})
    client.post("/accounts/sign-in/", {"username": "developer", "password": PASSWORD})
    assert (last("session.sign_in").result, last("session.sign_in").actor_name) == ("done", "developer")
    client.post("/accounts/sign-out/")
    assert last("session.sign_out").actor_name == "developer"
    written = json.dumps(list(AuditEntry.objects.values_list("detail", "before", "after", "target_name")))
    assert "canary" not in written


def test_unknown_names_fail_alike_and_go_to_the_platform(cast: Cast, client: Client) -> None:
    known = client.post("/accounts/sign-in/", {"username": "developer", "password": "wrong"})
    unknown = client.post("/accounts/sign-in/", {"username": "nobody-here", "password": "wrong"})
    assert last("session.sign_in").chain == "platform"
    assert known.status_code == unknown.status_code
    said = "User name or password is wrong"
    assert said in known.content.decode()
    assert said in unknown.content.decode()


def test_what_is_written_is_plain_and_small() -> None:
    written = plain({"secret": Secret("hidden"), "long": "x" * 5000, "nul": "a\0b"})
    assert written["secret"] == "***"
    assert len(written["long"]) == 2000
    assert "\0" not in written["nul"]
