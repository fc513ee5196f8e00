"""Every token that counts in a tenant, seen and ended by who manages its members."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from audit.models import AuditEntry
from core.access import Actor
from tenants.models import Grant, Notice, Token
from tenants.presence import actors_again
from tenants.rights import rights_of
from tenants.robots import services
from tests.conftest import Cast, person

Api = Callable[[str], APIClient]
Browse = Callable[[str], Client]
T = "/api/v1/tenants/acme/tokens"
PAGE = "/t/acme/members/tokens/"
SHOP, STORE = "/api/v1/tenants/acme/projects/shop", "/api/v1/tenants/globex/projects/store"


@pytest.fixture
def keys(cast: Cast) -> dict[str, str]:
    """Tokens by their names: of a person for everywhere, for acme and for shop, of a robot; three do not count.

    The developer is somebody in globex too.
    """
    Grant.objects.create(user=cast.developer, role="tenant.member", tenant=cast.globex)
    Grant.objects.create(user=cast.developer, role="project.developer", tenant=cast.globex, project=cast.store)
    robot = services.create_robot(cast.actor("owner"), cast.shop, name="ci", role="project.developer")
    made = {
        "wide": Token.objects.create(cast.developer, name="wide"),
        "tenant": Token.objects.create(cast.developer, name="tenant", tenant=cast.acme, scopes=["project.view"]),
        "project": Token.objects.create(cast.developer, name="project", tenant=cast.acme, project=cast.shop),
        "pipeline": Token.objects.create(robot.user, name="pipeline", tenant=cast.acme, project=cast.shop),
        "over": Token.objects.create(cast.developer, name="over", expiry=timedelta(seconds=-1)),
        "elsewhere": Token.objects.create(cast.developer, name="elsewhere", tenant=cast.globex),
        "strange": Token.objects.create(cast.outsider, name="strange"),
    }
    return {name: text for name, (_row, text) in made.items()}


def program(text: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    return client


def names(answer: Any) -> list[str]:
    return [row["name"] for row in answer.json()["results"]]


def test_all_that_count_and_no_others(keys: dict[str, str], cast: Cast, browse: Browse, api: Api) -> None:
    Token.objects.filter(name="tenant").update(last_used_at=timezone.now() - timedelta(days=91))
    client = api("owner")
    found = {row["name"]: row for row in client.get(T).json()["results"] if row["owner"] != "owner"}
    assert set(found) == {"wide", "tenant", "project", "pipeline"}
    assert (found["pipeline"]["robot"], found["pipeline"]["project"]) == ("ci", "shop")
    assert (found["wide"]["everywhere"], found["wide"]["project"]) == (True, None)
    assert (found["tenant"]["scopes"], found["tenant"]["everywhere"]) == (["project.view"], False)
    assert [name for name, row in found.items() if row["unused"]] == ["tenant"]
    assert names(client.get(f"{T}?unused=true")) == ["tenant"]
    assert set(names(client.get(f"{T}?search=develop"))) == {"wide", "tenant", "project"}
    assert not any(text in client.get(T).content.decode() for text in keys.values())
    page = browse("owner").get(PAGE).content.decode()
    assert "pipeline" in page
    assert "unused for 90 days" in page
    assert "elsewhere" not in page
    assert "strange" not in page


@pytest.mark.parametrize(("who", "status"), [("developer", 403), ("auditor", 403), ("guest", 403), ("outsider", 404)])
def test_only_who_manages_members_sees_and_ends(
    who: str, status: int, keys: dict[str, str], api: Api, browse: Browse
) -> None:
    row, client = Token.objects.get(name="project"), api(who)
    assert client.get(T).status_code == status
    assert client.post(f"{T}/{row.id}/revoke", {"reason": "x"}, format="json").status_code == status
    assert browse(who).get(PAGE).status_code == status
    assert browse(who).get(f"{PAGE}{row.id}/").status_code == status
    assert Token.objects.filter(pk=row.pk).exists()


def test_one_of_the_tenant_ends_with_a_reason_and_its_owner_is_told(keys: dict[str, str], cast: Cast, api: Api) -> None:
    row = Token.objects.get(name="tenant")
    assert api("owner").post(f"{T}/{row.id}/revoke", {}, format="json").status_code == 422
    assert api("owner").post(f"{T}/{row.id}/revoke", {"reason": "  "}, format="json").status_code == 422
    assert api("owner").post(f"{T}/{row.id}/revoke", {"reason": "left in a log"}, format="json").status_code == 204
    assert program(keys["tenant"]).get("/api/v1/me").status_code == 401
    entry = AuditEntry.objects.get(action="token.revoke_in_tenant", result="accepted")
    assert (entry.before["of"], entry.before["name"]) == ("developer", "tenant")
    assert entry.detail["reason"] == "left in a log"
    told = Notice.objects.get(kind="token.revoked")
    assert (told.user, told.params["reason"], told.params["person"]) == (cast.developer, "left in a log", "owner")


def test_one_for_everywhere_ends_here_and_goes_on_elsewhere(
    keys: dict[str, str], cast: Cast, api: Api, browse: Browse
) -> None:
    """A tenant's admin has no say over what somebody does in another tenant."""
    row, client = Token.objects.get(name="wide"), program(keys["wide"])
    assert (client.get(SHOP).status_code, client.get(STORE).status_code) == (200, 200)
    actor = Actor(cast.developer.pk, "developer", rights_of(cast.developer, row), kind="token")
    assert api("owner").post(f"{T}/{row.id}/revoke", {"reason": "old"}, format="json").status_code == 204
    assert (client.get(SHOP).status_code, client.get(STORE).status_code) == (404, 200)
    (again,) = actors_again([(actor, row)])
    assert again is not None
    assert set(again.rights.tenants) == {cast.globex.pk}, "what is open with it is cut too"
    assert "wide" not in names(api("owner").get(T))
    assert api("owner").post(f"{T}/{row.id}/revoke", {"reason": "old"}, format="json").status_code == 404
    assert "wide" in names(api("outsider").get("/api/v1/tenants/globex/tokens"))
    assert "revoked in acme" in browse("developer").get("/accounts/tokens/").content.decode()


def test_the_end_of_a_robots_token_is_told_to_its_keeper(keys: dict[str, str], cast: Cast, api: Api) -> None:
    Grant.objects.create(user=cast.guest, role="tenant.admin", tenant=cast.acme)
    row = Token.objects.get(name="pipeline")
    assert api("guest").post(f"{T}/{row.id}/revoke", {"reason": "rotated"}, format="json").status_code == 204
    assert Notice.objects.get(kind="token.revoked").user == cast.owner
    assert program(keys["pipeline"]).get(SHOP).status_code == 401


def test_what_counts_elsewhere_is_not_found(keys: dict[str, str], api: Api) -> None:
    for name in ("elsewhere", "strange", "over"):
        row = Token.objects.get(name=name)
        answer = api("owner").post(f"{T}/{row.id}/revoke", {"reason": "x"}, format="json")
        assert answer.status_code == 404, name
        assert Token.objects.filter(pk=row.pk, barred="").exists()


def test_by_the_page(keys: dict[str, str], cast: Cast, browse: Browse) -> None:
    client, row = browse("owner"), Token.objects.get(name="project")
    link = re.search(rf'href="({PAGE}{row.id}/)"', client.get(PAGE).content.decode())
    assert link is not None
    assert "A token of developer." in client.get(link[1]).content.decode()
    refused = client.post(link[1], {"reason": ""})
    assert refused.status_code == 422
    assert "Say why." in refused.content.decode()
    assert Token.objects.filter(pk=row.pk).exists()
    assert client.post(link[1], {"reason": "x"}, follow=True).status_code == 200
    assert not Token.objects.filter(pk=row.pk).exists()


def test_page_by_page_at_the_same_cost(cast: Cast, browse: Browse) -> None:
    client, costs = browse("owner"), []
    for count in (1, 120):
        for number in range(count):
            Token.objects.create(cast.developer, name=f"t{count}-{number}")
        client.get(PAGE)
        with CaptureQueriesContext(connection) as queries:
            page = client.get(PAGE)
        costs.append(len(queries))
    assert costs[0] == costs[1], costs
    seen = [line.name for line in page.context["tokens"]]
    while page.context["after"]:
        page = client.get(f"{PAGE}?after={page.context['after']}")
        seen += [line.name for line in page.context["tokens"]]
    assert len(seen) == len(set(seen)) == 121
    assert client.get(f"{PAGE}?after=nonsense").status_code == 200


def test_who_comes_and_goes_changes_what_is_seen(cast: Cast, api: Api) -> None:
    someone = person("someone")
    Token.objects.create(someone, name="mine")
    assert "mine" not in names(api("owner").get(T))
    grant = Grant.objects.create(user=someone, role="project.guest", tenant=cast.acme, project=cast.shop)
    assert "mine" in names(api("owner").get(T))
    Grant.objects.filter(pk=grant.pk).update(ended_at=timezone.now())
    assert "mine" not in names(api("owner").get(T))
