"""Robots and tokens: never more than their maker, nowhere but in their project, and gone with it."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from apps.lifecycle.purging import purge_deleted
from apps.models import AppEnvironment
from audit.models import AuditEntry
from core.access import Actor
from tenants.custom.services import create_role
from tenants.models import Grant, Project, Token, User
from tenants.presence import actor_again
from tenants.rights import rights_of
from tenants.robots import services
from tenants.robots.models import Robot
from tenants.roles import ROLES
from tests.conftest import PASSWORD, Cast, with_token

Api = Callable[[str], APIClient]
P = "/api/v1/tenants/acme/projects/shop"
HELLO = f"{P}/apps/hello"


@pytest.fixture
def robot(cast: Cast) -> Robot:
    return services.create_robot(cast.actor("owner"), cast.shop, name="ci", role="project.developer")


@pytest.fixture
def program(cast: Cast, robot: Robot) -> APIClient:
    """An API client that is the robot."""
    _token, secret = services.create_robot_token(cast.actor("owner"), robot, name="pipeline")
    return with_token(secret.reveal())


def test_a_robot_over_http(cast: Cast, api: Api, running: AppEnvironment) -> None:
    client = api("owner")
    made = client.post(f"{P}/robots", {"name": "ci", "role": "project.developer"}, format="json")
    assert (made.status_code, made["Location"], made.json()["made_by"]) == (201, f"{P}/robots/ci", "owner")
    again = client.post(f"{P}/robots", {"name": "ci", "role": "project.developer"}, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "name_taken")
    body = {"robot": "ci", "name": "pipeline", "scopes": ["app.view", "app.deploy", "project.view"]}
    token = client.post(f"{P}/tokens", body, format="json")
    assert token.status_code == 201
    program = with_token(token.json()["token"])
    assert program.get(HELLO).status_code == 200
    assert program.post(f"{HELLO}/environments/dev/restart").status_code == 202
    assert program.get(f"{HELLO}/environments/dev/logs").status_code == 403, "not among its scopes"
    entry = AuditEntry.objects.get(action="app.restart")
    assert (entry.actor_name, entry.actor_kind) == ("robot:acme/shop/ci", "token")
    (row,) = [one for one in client.get(f"{P}/tokens").json()["results"] if one["robot"] == "ci"]
    assert row["last_used_at"] is not None
    assert client.get(f"{P}/robots").json()["results"][0]["last_used_at"] is not None
    assert token.json()["token"] not in client.get(f"{P}/tokens").content.decode()
    assert client.delete(f"{P}/tokens/{row['id']}").status_code == 204
    assert program.get(HELLO).status_code == 401


def test_a_robot_is_in_its_project_and_nowhere_else(cast: Cast, program: APIClient, robot: Robot) -> None:
    assert program.get(P).status_code == 200
    assert program.get("/api/v1/tenants/globex").status_code == 404
    Grant.objects.create(user=robot.user, role="tenant.owner", tenant=cast.globex)
    assert program.get("/api/v1/tenants/globex").status_code == 404, "its token counts in shop alone"
    assert program.post("/api/v1/tokens", {"name": "mine"}, format="json").status_code == 403


def test_a_robot_never_signs_in_and_gets_no_other_role(cast: Cast, robot: Robot, api: Api) -> None:
    for password in ("", PASSWORD, robot.user.password):
        fields = {"username": robot.user.get_username(), "password": password}
        assert Client().post("/accounts/sign-in/", fields).status_code == 200
    assert not robot.user.has_usable_password()
    grant = {"subject": robot.user.get_username(), "role": "tenant.member"}
    answer = api("owner").post("/api/v1/tenants/acme/grants", grant, format="json")
    assert answer.json()["errors"][0]["code"] == "unknown"


@pytest.mark.parametrize(
    ("role", "status"),
    [("project.guest", 201), ("project.developer", 403), ("tenant.owner", 422), ("platform.operator", 422)],
)
def test_nobody_makes_a_robot_that_may_more_than_they(role: str, status: int, cast: Cast, api: Api) -> None:
    Grant.objects.create(user=cast.guest, role="tenant.admin", tenant=cast.acme)
    answer = api("guest").post(f"{P}/robots", {"name": "ci", "role": role}, format="json")
    assert answer.status_code == status
    assert Robot.objects.count() == User.objects.filter(source="robot").count() == (status == 201)


def test_nobody_reads_the_key_of_a_robot_that_may_more_than_they(cast: Cast, robot: Robot, api: Api) -> None:
    Grant.objects.create(user=cast.guest, role="tenant.admin", tenant=cast.acme)
    answer = api("guest").post(f"{P}/tokens", {"robot": "ci", "name": "x"}, format="json")
    assert (answer.status_code, answer.json()["permission"]) == (403, "app.deploy")
    assert not Token.objects.filter(user=robot.user).exists()


@pytest.mark.parametrize("who", ["developer", "guest", "releaser"])
def test_who_manages_nobody_makes_none(who: str, cast: Cast, robot: Robot, api: Api) -> None:
    client = api(who)
    assert client.post(f"{P}/robots", {"name": "mine", "role": "project.guest"}, format="json").status_code == 403
    assert client.post(f"{P}/tokens", {"robot": "ci", "name": "x"}, format="json").status_code == 403
    assert client.delete(f"{P}/robots/ci").status_code in (403, 404)
    assert Robot.objects.filter(removed_at=None).count() == 1


def test_removed_it_is_nobody_and_its_name_is_free(cast: Cast, robot: Robot, program: APIClient, api: Api) -> None:
    assert api("owner").delete(f"{P}/robots/ci").status_code == 204
    assert program.get(P).status_code == 401
    assert not Grant.objects.filter(user=robot.user, ended_at=None).exists()
    made = api("owner").post(f"{P}/robots", {"name": "ci", "role": "project.guest"}, format="json")
    assert made.status_code == 201


def test_out_of_sight_with_its_project_and_back_with_it(cast: Cast, program: APIClient, api: Api) -> None:
    Project.objects.filter(pk=cast.shop.pk).update(deleted_at=Now(), state="deleted")
    assert program.get("/api/v1/me").status_code == 401
    Project.objects.filter(pk=cast.shop.pk).update(deleted_at=None, state="active")
    assert program.get("/api/v1/me").status_code == 200


def test_a_stream_ends_with_the_project(cast: Cast, program: APIClient, robot: Robot) -> None:
    token = Token.objects.get(user=robot.user)
    actor = Actor(robot.user.pk, robot.user.get_username(), kind="token")
    assert actor_again(actor, token) is not None
    Project.objects.filter(pk=cast.shop.pk).update(deleted_at=Now())
    assert actor_again(actor, token) is None


def test_gone_for_good_after_thirty_days(cast: Cast, program: APIClient, robot: Robot, api: Api) -> None:
    own = {"name": "mine", "tenant": "acme", "project": "shop"}
    personal = with_token(api("developer").post("/api/v1/tokens", own, format="json").json()["token"])
    long_ago = timezone.now() - timedelta(days=30, minutes=1)
    Project.objects.filter(pk=cast.shop.pk).update(deleted_at=timezone.now() - timedelta(days=29), state="deleted")
    assert purge_deleted() == 0
    Project.objects.filter(pk=cast.shop.pk).update(deleted_at=long_ago)
    assert (purge_deleted(), purge_deleted()) == (1, 0)
    assert (program.get("/api/v1/me").status_code, personal.get("/api/v1/me").status_code) == (401, 401)
    assert not Token.objects.filter(project=cast.shop).exists()
    assert not Grant.objects.filter(project=cast.shop, ended_at=None).exists()
    robot.user.refresh_from_db()
    assert not robot.user.is_active
    assert AuditEntry.objects.filter(action="project.purge", result="done").count() == 1
    assert api("owner").post(f"{P}/restore", format="json").status_code == 404
    again = api("owner").post("/api/v1/tenants/acme/projects", {"name": "shop"}, format="json")
    assert again.status_code == 201, "the name is free"
    assert api("developer").get(P).status_code == 404, "and inherits nothing"


def test_a_personal_token_falls_with_its_maker_and_is_seen_in_its_project(cast: Cast, api: Api) -> None:
    own = {"name": "mine", "tenant": "acme", "project": "shop"}
    text = api("developer").post("/api/v1/tokens", own, format="json").json()["token"]
    program = with_token(text)
    assert program.get(P).status_code == 200
    rows = api("owner").get(f"{P}/tokens").json()["results"]
    assert [(row["name"], row["owner"], row["robot"]) for row in rows] == [("mine", "developer", None)]
    Grant.objects.filter(user=cast.developer).update(ended_at=Now())
    assert program.get(P).status_code == 404, "no wider than its maker, at the very next request"
    User.objects.filter(pk=cast.developer.pk).update(is_active=False)
    assert program.get("/api/v1/me").status_code == 401


def test_an_owner_ends_a_token_that_a_person_limited_to_the_project(cast: Cast, api: Api) -> None:
    own = {"name": "mine", "tenant": "acme", "project": "shop"}
    made = api("developer").post("/api/v1/tokens", own, format="json").json()
    elsewhere = api("developer").post("/api/v1/tokens", {"name": "wide"}, format="json").json()
    client = api("owner")
    assert client.delete(f"{P}/tokens/{elsewhere['id']}").status_code == 404
    assert client.delete(f"{P}/tokens/{made['id']}").status_code == 204
    assert with_token(made["token"]).get("/api/v1/me").status_code == 401
    entry = AuditEntry.objects.get(action="token.revoke_in_project")
    assert entry.before["of"] == "developer"


def test_on_the_page(cast: Cast, browse: Callable[[str], Any]) -> None:
    client, page = browse("owner"), "/t/acme/p/shop/settings/tokens/"
    assert "No robot yet" in client.get(page).content.decode()
    robots = "/t/acme/p/shop/settings/robots/"
    assert client.post(robots, {"name": "ci", "role": "project.developer"}).status_code == 302
    assert client.post(robots, {"name": "ci", "role": "project.developer"}).status_code == 422
    shown = client.post(page, {"robot": "ci", "name": "pipeline", "days": "7"}).content.decode()
    secret = re.findall(r"berth_[0-9A-Za-z]+", shown)[0]
    assert with_token(secret).get(P).status_code == 200
    again = client.get(page).content.decode()
    assert secret not in again
    assert "pipeline" in again
    token = Token.objects.get(name="pipeline")
    assert client.post(f"{page}{token.id}/revoke/").status_code == 302
    assert with_token(secret).get(P).status_code == 401
    assert client.post(f"{robots}ci/remove/").status_code == 302
    assert not Robot.objects.filter(removed_at=None).exists()
    assert browse("developer").get(page).status_code == 403


def test_the_page_offers_the_tenants_own_roles_cut_to_what_one_holds(
    cast: Cast, browse: Callable[[str], Any], api: Api
) -> None:
    for name, level, codes in (
        ("pusher", "project", ["project.view", "app.view", "app.deploy"]),
        ("reader", "project", ["project.view", "audit.view"]),
        ("clerk", "tenant", ["tenant.view"]),
    ):
        create_role(cast.actor("owner"), cast.acme, name=name, level=level, permissions=codes, title=f"The {name}")
    create_role(cast.actor("outsider"), cast.globex, name="theirs", level="project", permissions=["app.view"])
    Grant.objects.create(user=cast.guest, role="project.admin", tenant=cast.acme, project=cast.shop)
    Grant.objects.create(user=cast.auditor, role="tenant.admin", tenant=cast.acme)
    page, robots = "/t/acme/p/shop/settings/tokens/", "/t/acme/p/shop/settings/robots/"

    def offered(who: str) -> set[str]:
        return {key for key, _title in browse(who).get(page).context["robot_form"].fields["role"].choices}

    built_in = {key for key, role in ROLES.items() if role.level == "project"}
    assert offered("owner") == built_in | {"own.pusher", "own.reader"}
    assert offered("guest") == built_in | {"own.pusher"}, "nobody reads the audit who administers a project alone"
    assert offered("auditor") == {"project.guest", "own.reader"}, "a tenant admin does not deploy"
    client = browse("guest")
    refused = client.post(robots, {"name": "ci", "role": "own.reader"})
    assert (refused.status_code, list(refused.context["robot_form"].errors)) == (422, ["role"])
    assert client.post(robots, {"name": "ci", "role": "own.pusher"}).status_code == 302
    robot = Robot.objects.get(name="ci")
    assert rights_of(robot.user).projects[cast.shop.pk] == {"project.view", "app.view", "app.deploy"}
    assert "The pusher" in client.get(page).content.decode(), "in words, not as a key"
