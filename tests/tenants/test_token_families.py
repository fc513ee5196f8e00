"""A token made with another token: no wider, no longer, and over with it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import F
from django.test import Client
from rest_framework.test import APIClient

from audit.models import AuditEntry
from core.access import Actor
from core.errors import NotSignedIn
from tenants.models import Grant, Token
from tenants.presence import actor_again
from tenants.rights import rights_of
from tenants.robots.services import create_robot
from tenants.services import create_token
from tests.conftest import Cast, with_token

Api = Callable[[str], APIClient]
TOKENS, PROJECT_TOKENS = "/api/v1/tokens", "/api/v1/tenants/acme/projects/shop/tokens"
SHOP = "/api/v1/tenants/acme/projects/shop"


def made(client: APIClient, name: str, *, to: str = TOKENS, **more: Any) -> APIClient:
    """A client with a token that this client made."""
    answer = client.post(to, {"name": name} | more, format="json")
    assert answer.status_code == 201, answer.content
    return with_token(answer.json()["token"])


def row(name: str) -> Token:
    found: Token = Token.objects.get(name=name)
    return found


def status(client: APIClient) -> int:
    return int(client.get("/api/v1/me").status_code)


@pytest.fixture
def first(cast: Cast) -> APIClient:
    """The owner's program, with a token for ten more days."""
    return with_token(Token.objects.create(cast.owner, name="first", expiry=timedelta(days=10))[1])


def test_it_lives_no_longer(first: APIClient, cast: Cast) -> None:
    end = row("first").expiry
    made(first, "usual")
    assert row("usual").expiry == end, "90 days would be longer"
    made(first, "same", expires_at=end.isoformat())
    assert row("same").expiry == end
    made(first, "short", expires_at=(end - timedelta(days=1)).isoformat())
    assert row("short").expiry < end
    refused = first.post(TOKENS, {"name": "long", "expires_at": (end + timedelta(days=1)).isoformat()}, format="json")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "expires_at")
    assert "lives no longer" in refused.json()["errors"][0]["message"]
    assert not Token.objects.filter(name="long").exists()


def test_who_signs_in_makes_one_of_the_usual_life(browse: Callable[[str], Client], cast: Cast) -> None:
    answer = browse("owner").post(TOKENS, {"name": "usual"}, content_type="application/json")
    assert answer.status_code == 201
    assert row("usual").made_with is None
    assert row("usual").expiry - datetime.now(UTC) > timedelta(days=89)


def test_it_ends_with_it_however_many_lie_between(first: APIClient, cast: Cast) -> None:
    second = made(first, "second")
    third = made(second, "third", scopes=["app.view", "account.own"])
    beside = with_token(Token.objects.create(cast.owner, name="beside")[1])
    assert (status(second), status(third)) == (200, 200)
    listening = Actor(cast.owner.pk, "owner", rights_of(cast.owner), kind="token")
    assert actor_again(listening, row("third")) is not None
    kept = row("third")
    assert beside.delete(f"{TOKENS}/{row('first').id}").status_code == 204
    assert [status(one) for one in (first, second, third, beside)] == [401, 401, 401, 200]
    assert actor_again(listening, kept) is None, "what is open ends as well"
    entry = AuditEntry.objects.get(action="token.revoke", result="accepted")
    assert entry.detail["ended"] == 3


def test_one_that_was_made_ends_alone(first: APIClient) -> None:
    second = made(first, "second")
    assert second.delete(f"{TOKENS}/{row('second').id}").status_code == 204
    assert (status(first), status(second)) == (200, 401)


def test_over_in_time_means_over_for_all(first: APIClient) -> None:
    second = made(first, "second")
    Token.objects.update(expiry=F("expiry") - timedelta(days=10, seconds=5))
    assert (status(first), status(second)) == (401, 401)


def test_a_robots_token_ends_with_the_one_it_was_made_with(first: APIClient, cast: Cast) -> None:
    create_robot(cast.actor("owner"), cast.shop, name="ci", role="project.developer")
    program = made(first, "pipeline", to=PROJECT_TOKENS, robot="ci")
    assert program.get(SHOP).status_code == 200
    assert row("pipeline").expiry == row("first").expiry
    Token.objects.create(cast.owner, name="beside")
    first.delete(f"{TOKENS}/{row('first').id}")
    assert program.get(SHOP).status_code == 401


def test_taken_from_one_tenant_all_that_came_of_it_counts_there_no_more(cast: Cast, api: Api) -> None:
    """The developer is somebody in globex too: there it goes on."""
    Grant.objects.create(user=cast.developer, role="tenant.member", tenant=cast.globex)
    wide = with_token(Token.objects.create(cast.developer, name="wide")[1])
    child = made(wide, "child")
    here = made(wide, "here", tenant="acme", project="shop")
    there = made(wide, "there", tenant="globex")
    revoke = f"/api/v1/tenants/acme/tokens/{row('wide').id}/revoke"
    assert api("owner").post(revoke, {"reason": "it leaked"}, format="json").status_code == 204
    late = made(wide, "late")
    tenants = [[one["name"] for one in client.get("/api/v1/me").json()["tenants"]] for client in (wide, child, late)]
    assert tenants == [["globex"]] * 3
    assert (status(here), status(there)) == (401, 200)


def test_removed_from_the_project_what_they_made_there_ends(cast: Cast, api: Api) -> None:
    wide = with_token(Token.objects.create(cast.developer, name="wide")[1])
    here = made(wide, "here", tenant="acme", project="shop")
    address = f"/api/v1/tenants/acme/members/{cast.developer.pk}"
    assert api("owner").delete(address).status_code == 204
    assert (status(wide), status(here)) == (200, 401)


def test_revoked_while_it_asks_it_makes_none(first: APIClient, cast: Cast) -> None:
    """The request is past the door, and then its token is gone."""
    actor = Actor(cast.owner.pk, "owner", rights_of(cast.owner), kind="token", token=row("first").id)
    row("first").delete()
    with pytest.raises(NotSignedIn):
        create_token(actor, cast.owner, name="late")
    assert not Token.objects.filter(name="late").exists()
