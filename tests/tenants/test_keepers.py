"""A robot is kept by a person, and may at no moment more than they."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from apps.models import AppEnvironment
from audit.models import AuditEntry
from core.access import Actor
from operations.models import Operation
from tenants.models import Grant, Notice, Token, User
from tenants.presence import actors_again, doubtful
from tenants.rights import rights_of
from tenants.robots import services
from tenants.robots.models import Robot
from tests.conftest import Cast, Wakeups, actor_of, person, with_token

Api = Callable[[str], APIClient]
P = "/api/v1/tenants/acme/projects/shop"
HELLO = f"{P}/apps/hello"


@pytest.fixture
def kept(cast: Cast) -> APIClient:
    """A program that is a robot kept by the guest, who is a project admin for that."""
    Grant.objects.create(user=cast.guest, role="project.admin", tenant=cast.acme, project=cast.shop)
    made = services.create_robot(cast.actor("guest"), cast.shop, name="ci", role="project.developer")
    return with_token(services.create_robot_token(cast.actor("guest"), made, name="pipeline")[1].reveal())


def lose(user: User, role: str = "project.admin") -> None:
    Grant.objects.filter(user=user, role=role).update(ended_at=Now())


def test_at_every_request_it_may_what_its_keeper_may_now(kept: APIClient, cast: Cast, running: AppEnvironment) -> None:
    restart, logs = f"{HELLO}/environments/dev/restart", f"{HELLO}/environments/dev/logs"
    assert kept.post(restart).status_code == 202
    assert kept.get(logs).status_code == 200
    lose(cast.guest)  # what is left is project.guest
    assert kept.get(HELLO).status_code == 200
    assert kept.post(restart).status_code == 403
    assert kept.get(logs).status_code == 403
    robot = Robot.objects.get(name="ci")
    assert rights_of(robot.user).projects == {cast.shop.pk: frozenset({"project.view", "app.view", "image.pull"})}


def test_it_stands_still_when_its_keeper_has_nothing_left(kept: APIClient, cast: Cast, api: Api) -> None:
    Grant.objects.filter(user=cast.guest).update(ended_at=Now())
    for path in (P, "/api/v1/me", HELLO):
        answer = kept.get(path)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")
        assert "stands still" in answer.json()["detail"]
    (row,) = api("owner").get(f"{P}/robots").json()["results"]
    assert (row["keeper"], row["stopped"]) == ("guest", "keeper_lacks")
    assert "app.deploy" in row["lacks"]


def test_it_stands_still_when_its_keeper_is_disabled(kept: APIClient, cast: Cast, api: Api) -> None:
    User.objects.filter(pk=cast.guest.pk).update(is_active=False)
    assert kept.get(P).status_code == 401
    (row,) = api("owner").get(f"{P}/robots").json()["results"]
    assert (row["keeper"], row["stopped"]) == ("guest", "keeper_disabled")
    User.objects.filter(pk=cast.guest.pk).update(is_active=True)
    assert kept.get(P).status_code == 200, "back with its keeper"


def test_it_stands_still_without_a_keeper(kept: APIClient, api: Api) -> None:
    Robot.objects.update(keeper=None)
    assert kept.get(P).status_code == 401
    (row,) = api("owner").get(f"{P}/robots").json()["results"]
    assert (row["keeper"], row["stopped"]) == (None, "no_keeper")


def test_what_is_open_ends_with_the_keeper(kept: APIClient, cast: Cast) -> None:
    token = Token.objects.get(name="pipeline")
    actor = Actor(token.user.pk, token.user.get_username(), rights_of(token.user, token), kind="token")
    (again,) = actors_again([(actor, token)])
    assert again is not None
    assert again.rights == actor.rights
    assert doubtful([(actor, token)], seconds=0) == []
    lose(cast.guest)
    assert doubtful([(actor, token)], seconds=60) == [0], "the guard looks at it again"
    (again,) = actors_again([(actor, token)])
    assert again is not None
    assert again.rights.projects[cast.shop.pk] == {"project.view", "app.view", "image.pull"}
    User.objects.filter(pk=cast.guest.pk).update(is_active=False)
    assert doubtful([(actor, token)], seconds=0) == [0]
    assert actors_again([(actor, token)]) == [None]


def test_what_it_sent_is_not_done_any_more_without_its_keeper(
    kept: APIClient, cast: Cast, running: AppEnvironment, wakeups: Wakeups
) -> None:
    """An operation asks again when its turn comes, and the robot counts as its keeper does."""
    sent = kept.post(f"{HELLO}/environments/dev/restart")
    lose(cast.guest)
    wakeups.ids[:] = [sent.json()["id"]]
    wakeups.drain()
    assert Operation.objects.get(pk=sent.json()["id"]).state == Operation.State.CANCELLED


def test_who_holds_all_takes_it_over(kept: APIClient, cast: Cast, api: Api) -> None:
    lose(cast.guest)
    Grant.objects.filter(user=cast.guest).update(ended_at=Now())
    releaser = api("releaser")
    assert releaser.post(f"{P}/robots/ci/take-over").status_code in (403, 404)
    Grant.objects.create(user=cast.auditor, role="tenant.admin", tenant=cast.acme)
    denied = api("auditor").post(f"{P}/robots/ci/take-over")
    assert (denied.status_code, denied.json()["permission"]) == (403, "app.deploy"), "a tenant admin does not deploy"
    taken = api("owner").post(f"{P}/robots/ci/take-over")
    assert taken.status_code == 200
    assert (taken.json()["keeper"], taken.json()["stopped"], taken.json()["lacks"]) == ("owner", None, [])
    assert kept.get(P).status_code == 200
    entry = AuditEntry.objects.filter(action="robot.take_over", result="accepted").get()
    assert (entry.before, entry.after) == ({"keeper": "guest"}, {"keeper": "owner"})
    told = Notice.objects.filter(kind="robot.taken_over").values_list("user__username", flat=True)
    assert sorted(told) == ["auditor", "guest"], "who manages members there, and who kept it"
    again = api("owner").post(f"{P}/robots/ci/take-over")
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


def test_a_robot_neither_makes_nor_keeps_robots(cast: Cast) -> None:
    boss = services.create_robot(cast.actor("owner"), cast.shop, name="boss", role="project.admin")
    client = with_token(services.create_robot_token(cast.actor("owner"), boss, name="all")[1].reveal())
    made = client.post(f"{P}/robots", {"name": "child", "role": "project.guest"}, format="json")
    assert made.status_code == 403
    services.create_robot(cast.actor("owner"), cast.shop, name="other", role="project.guest")
    assert client.post(f"{P}/robots/other/take-over").status_code == 403
    assert set(Robot.objects.values_list("keeper__username", flat=True)) == {"owner"}


def test_removing_the_keeper_says_before_that_it_stops(kept: APIClient, cast: Cast, api: Api) -> None:
    found = api("owner").get(f"/api/v1/tenants/acme/members/{cast.guest.pk}/removal").json()
    assert {cut["kind"]: cut["count"] for cut in found["cuts"]}["robots"] == 1
    assert api("owner").delete(f"/api/v1/tenants/acme/members/{cast.guest.pk}").status_code == 204
    assert kept.get(P).status_code == 401


def test_a_keeper_costs_one_query_more(kept: APIClient, cast: Cast) -> None:
    personal = with_token(Token.objects.create(cast.developer, name="own")[1])
    costs = []
    for client in (personal, kept):
        client.get(P)  # notes the use
        with CaptureQueriesContext(connection) as queries:
            assert client.get(P).status_code == 200
        costs.append(len(queries))
    assert costs[1] <= costs[0] + 1, costs


def test_robots_are_listed_by_the_same_queries_however_many(cast: Cast, api: Api) -> None:
    client, costs = api("owner"), []
    for count in range(3):
        keeper = person(f"keeper{count}")
        Grant.objects.create(user=keeper, role="project.admin", tenant=cast.acme, project=cast.shop)
        services.create_robot(actor_of(keeper), cast.shop, name=f"r{count}", role="project.guest")
        client.get(f"{P}/robots")
        with CaptureQueriesContext(connection) as queries:
            assert len(client.get(f"{P}/robots").json()["results"]) == count + 1
        costs.append(len(queries))
    assert costs[0] == costs[2], costs


def test_the_page_says_why_it_stands_still_and_offers_it(
    kept: APIClient, cast: Cast, browse: Callable[[str], Any]
) -> None:
    page = "/t/acme/p/shop/settings/tokens/"
    lose(cast.guest)
    client = browse("owner")
    shown = client.get(page).content.decode()
    assert "Not now, because guest may not" in shown
    Grant.objects.filter(user=cast.guest).update(ended_at=Now())
    shown = client.get(page).content.decode()
    assert "guest, who keeps it, may nothing of its role here now" in shown
    assert client.post("/t/acme/p/shop/settings/robots/ci/take-over/").status_code == 302
    shown = client.get(page).content.decode()
    assert "stands still" not in shown
    assert "Take over" not in shown
    Grant.objects.create(user=cast.auditor, role="tenant.admin", tenant=cast.acme)
    assert "Take over" not in browse("auditor").get(page).content.decode(), "they do not hold it all"


def test_why_it_may_something_says_what_its_keeper_leaves(
    kept: APIClient, cast: Cast, api: Api, browse: Callable[[str], Any]
) -> None:
    key = Robot.objects.get(name="ci").user_id
    address = f"/api/v1/tenants/acme/members/{key}/why"

    def cut() -> dict[str, str]:
        return {one["permission"]: one["cut"] for one in api("owner").get(address).json()["paths"]}

    assert set(cut().values()) == {""}
    lose(cast.guest)  # what is left is project.guest
    now = cut()
    assert {name for name, why in now.items() if not why} == {"project.view", "app.view", "image.pull"}
    assert now["app.deploy"] == "Not now: guest, who keeps it, may not."
    page = browse("owner").get(f"/t/acme/members/{key}/")
    assert page.context["counting"] == 3
    assert page.content.decode().count("guest, who keeps it, may not") == len(now) - 3
    User.objects.filter(pk=cast.guest.pk).update(is_active=False)
    assert set(cut().values()) == {"It stands still: guest, who keeps it, is disabled."}
