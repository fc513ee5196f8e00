"""Who one is, tokens, tenants, projects and grants over HTTP; and the token that scripts begin with."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from audit.models import AuditEntry
from tenants.models import Grant, Tenant, Token
from tests.conftest import Cast, with_token

Api = Callable[[str], APIClient]
P = "/api/v1/tenants/acme/projects/shop"


def soon(**more: int) -> str:
    return (datetime.now(UTC) + timedelta(**more)).isoformat()


def test_me(cast: Cast, api: Api) -> None:
    me = api("developer").get("/api/v1/me").json()
    assert (me["name"], me["platform"]) == ("developer", [])
    assert [(one["name"], one["permissions"]) for one in me["tenants"]] == [("acme", ["tenant.view"])]
    (project,) = me["projects"]
    assert (project["tenant"], project["name"]) == ("acme", "shop")
    assert "app.deploy" in project["permissions"]
    assert "app.release" not in project["permissions"]
    assert me["token"]["scopes"] == []
    assert "cluster.manage" in api("operator").get("/api/v1/me").json()["platform"]


def test_by_session(cast: Cast, browse: Callable[[str], Any]) -> None:
    answer = browse("developer").get("/api/v1/me")
    assert (answer.json()["name"], answer.json()["token"]) == ("developer", None)


def test_a_token_is_shown_once_and_kept_as_a_hash(cast: Cast, api: Api) -> None:
    client = api("developer")
    made = client.post("/api/v1/tokens", {"name": "ci", "expires_at": soon(hours=1)}, format="json")
    text = made.json()["token"]
    assert made["Location"] == f"/api/v1/tokens/{made.json()['id']}"
    assert with_token(text).get("/api/v1/me").status_code == 200
    listed = client.get("/api/v1/tokens").json()["results"]
    assert [row["name"] for row in listed][0] == "ci"
    assert text not in client.get("/api/v1/tokens").content.decode()
    assert not Token.objects.filter(digest=text).exists()
    entry = AuditEntry.objects.get(action="token.create")
    assert text not in f"{entry.detail}{entry.after}{entry.before}"


def test_a_revoked_token_is_no_token(cast: Cast, api: Api) -> None:
    client = api("developer")
    made = client.post("/api/v1/tokens", {"name": "ci"}, format="json").json()
    assert api("owner").delete(f"/api/v1/tokens/{made['id']}").status_code == 404
    assert client.delete(f"/api/v1/tokens/{made['id']}").status_code == 204
    assert with_token(made["token"]).get("/api/v1/me").status_code == 401


def test_an_expired_token_is_no_token(cast: Cast) -> None:
    _token, text = Token.objects.create(cast.developer, name="old", expiry=timedelta(seconds=-1))
    answer = with_token(text).get("/api/v1/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")
    assert answer["WWW-Authenticate"] == 'Bearer realm="berth"'


@pytest.mark.parametrize(
    "body",
    [
        {"name": "ci", "expires_at": "2001-01-01T00:00:00Z"},
        {"name": "ci", "expires_at": "2999-01-01T00:00:00Z"},
        {"name": "ci", "scopes": ["everything"]},
        {"name": ""},
        {"name": "x" * 61},
        {"name": "nul\0"},
        {"name": "ci", "user": "owner"},
    ],
)
def test_impossible_tokens(body: dict[str, Any], cast: Cast, api: Api) -> None:
    assert api("developer").post("/api/v1/tokens", body, format="json").status_code == 422


def test_scopes_limit_what_its_maker_may(running: Any, cast: Cast, api: Api) -> None:
    body = {"name": "look", "scopes": ["app.view", "project.view"]}
    limited = with_token(api("developer").post("/api/v1/tokens", body, format="json").json()["token"])
    assert limited.get(f"{P}/apps/hello").status_code == 200
    assert limited.get("/api/v1/me").json()["projects"][0]["permissions"] == ["app.view", "project.view"]
    assert limited.post(f"{P}/apps/hello/environments/dev/stop").status_code == 403
    assert limited.get(f"{P}/apps/hello/environments/dev/logs").status_code == 403
    assert limited.post("/api/v1/tokens", {"name": "wide"}, format="json").status_code == 403


def test_a_limited_token_makes_no_wider_one(cast: Cast, api: Api) -> None:
    body = {"name": "maker", "scopes": ["account.own", "app.view"]}
    maker = with_token(api("developer").post("/api/v1/tokens", body, format="json").json()["token"])
    for scopes in ([], ["app.deploy"], ["app.view", "app.deploy"]):
        answer = maker.post("/api/v1/tokens", {"name": "wide", "scopes": scopes}, format="json")
        assert answer.status_code == 403, scopes
    assert maker.post("/api/v1/tokens", {"name": "wide"}, format="json").status_code == 403
    assert maker.post("/api/v1/tokens", {"name": "same", "scopes": ["app.view"]}, format="json").status_code == 201


def test_making_tenants_is_for_operators(cast: Cast, api: Api) -> None:
    body = {"name": "initech", "title": "Initech", "owner": "guest"}
    assert api("owner").post("/api/v1/tenants", body, format="json").status_code == 403
    unknown = api("operator").post("/api/v1/tenants", body | {"owner": "nobody"}, format="json")
    assert unknown.json()["errors"][0] | {"message": ""} == {"field": "owner", "code": "unknown", "message": ""}
    made = api("operator").post("/api/v1/tenants", body, format="json")
    assert (made.status_code, made["Location"]) == (201, "/api/v1/tenants/initech")
    assert [row["name"] for row in api("guest").get("/api/v1/tenants").json()["results"]] == ["acme", "initech"]
    assert api("operator").post("/api/v1/tenants", body, format="json").json()["code"] == "name_taken"
    assert api("operator").post("/api/v1/tenants", {"name": "Bad Name"}, format="json").status_code == 422


def test_a_project_with_an_environment(cast: Cast, api: Api) -> None:
    client = api("owner")
    made = client.post("/api/v1/tenants/acme/projects", {"name": "web"}, format="json")
    assert made.status_code == 201
    environments = f"{made['Location']}/environments"
    first = client.post(environments, {"name": "dev", "stage": "dev"}, format="json")
    assert (first.status_code, first.json()["cluster"], first.json()["protected"]) == (201, "local", False)
    assert client.post(environments, {"name": "prod", "stage": "prod"}, format="json").json()["protected"] is True
    assert [row["name"] for row in client.get(environments).json()["results"]] == ["dev", "prod"]
    unknown = client.post(environments, {"name": "test", "stage": "test", "cluster": "moon"}, format="json")
    assert [(e["field"], e["code"]) for e in unknown.json()["errors"]] == [("cluster", "unknown")]
    assert api("developer").post("/api/v1/tenants/acme/projects", {"name": "mine"}, format="json").status_code == 403
    assert [row["name"] for row in client.get("/api/v1/tenants/acme/projects").json()["results"]] == ["shop", "web"]


def test_giving_and_ending_a_role(cast: Cast, api: Api) -> None:
    client, grants = api("owner"), "/api/v1/tenants/acme/grants"
    body = {"subject": "outsider", "role": "project.tester", "project": "shop", "ends_at": soon(days=1)}
    made = client.post(grants, body, format="json")
    assert made.status_code == 201, made.content
    assert api("outsider").get(P).status_code == 200
    assert client.post(grants, body, format="json").status_code == 409
    assert client.delete(f"{grants}/{made.json()['id']}").status_code == 204
    assert api("outsider").get(P).status_code == 404
    assert Grant.objects.get(pk=made.json()["id"]).ended_by == "owner"
    listed = client.get(grants).json()["results"]
    assert {(row["subject"], row["role"], row["project"]) for row in listed} >= {
        ("owner", "tenant.owner", None),
        ("developer", "project.developer", "shop"),
    }


def test_nobody_gives_what_they_do_not_hold(cast: Cast, api: Api) -> None:
    Grant.objects.create(user=cast.guest, role="tenant.admin", tenant=cast.acme)
    grants = "/api/v1/tenants/acme/grants"
    for role in ("tenant.owner", "tenant.auditor"):
        answer = api("guest").post(grants, {"subject": "guest", "role": role}, format="json")
        assert (answer.status_code, answer.json()["code"]) == (403, "denied")
    assert api("guest").post(grants, {"subject": "outsider", "role": "tenant.member"}, format="json").status_code == 201
    platform = api("owner").post(grants, {"subject": "owner", "role": "platform.operator"}, format="json")
    assert (platform.status_code, platform.json()["errors"][0]["code"]) == (422, "unknown")


def test_a_tenant_keeps_an_owner(cast: Cast, api: Api) -> None:
    grant = Grant.objects.get(user=cast.owner, role="tenant.owner")
    answer = api("owner").delete(f"/api/v1/tenants/acme/grants/{grant.pk}")
    assert (answer.status_code, answer.json()["code"]) == (409, "last_owner")
    foreign = Grant.objects.get(user=cast.outsider)
    assert api("owner").delete(f"/api/v1/tenants/acme/grants/{foreign.pk}").status_code == 404


def test_only_those_who_may_see_members_do(cast: Cast, api: Api) -> None:
    assert api("developer").get("/api/v1/tenants/acme/grants").status_code == 403
    assert api("auditor").get("/api/v1/tenants/acme/grants").status_code == 200
    assert api("outsider").get("/api/v1/tenants/acme/grants").status_code == 404


def create(*words: str) -> str:
    said = io.StringIO()
    call_command("create_token", *words, stdout=said)
    return said.getvalue()


def test_the_first_token(cast: Cast) -> None:
    said = create("developer", "--name", "script", "--expires", "1h")
    assert said.count("\n") == 1
    assert with_token(said.strip()).get("/api/v1/me").json()["name"] == "developer"
    token = Token.objects.get(user=cast.developer, name="script")
    assert timedelta(minutes=59) < token.expiry - datetime.now(UTC) <= timedelta(hours=1)
    assert AuditEntry.objects.get(action="token.create").actor_name == "developer"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nobody", "--name", "n"), "no person"),
        (("developer", "--name", "n", "--expires", "soon"), "1h"),
        (("developer", "--name", "n", "--expires", "900d"), "366 days"),
        (("developer", "--name", "n", "--scope", "all"), "no permission"),
    ],
)
def test_impossible_first_tokens(words: tuple[str, ...], said: str, cast: Cast) -> None:
    with pytest.raises(CommandError, match=said):
        create(*words)
    assert Tenant.objects.count() == 2


def test_a_token_that_counts_in_one_project_only(cast: Cast, api: Api) -> None:
    Grant.objects.create(user=cast.owner, role="platform.operator")
    body = {"name": "ci", "tenant": "acme", "project": "shop"}
    made = api("owner").post("/api/v1/tokens", body, format="json").json()
    assert (made["tenant"], made["project"]) == ("acme", "shop")
    assert api("owner").get("/api/v1/tokens").json()["results"][1]["project"] == "shop"
    client = with_token(made["token"])
    assert client.post(f"{P}/apps", {"name": "mine"}, format="json").status_code == 201
    api("owner").post("/api/v1/tenants/acme/projects", {"name": "web"}, format="json")
    assert client.get("/api/v1/tenants/acme/projects/web").status_code == 404
    assert [row["name"] for row in client.get("/api/v1/tenants/acme/projects").json()["results"]] == ["shop"]
    assert client.get("/api/v1/tenants/acme").status_code == 200
    assert client.get("/api/v1/tenants/acme/audit").status_code == 403
    assert client.post("/api/v1/tenants/acme/projects", {"name": "no"}, format="json").status_code == 403
    assert client.get("/api/v1/clusters").json()["results"] == []
    assert client.get("/api/v1/me").json()["platform"] == []
    assert client.post("/api/v1/tokens", {"name": "wider"}, format="json").status_code == 403


def test_a_token_that_counts_in_one_tenant_only(cast: Cast, api: Api) -> None:
    Grant.objects.create(user=cast.owner, role="tenant.owner", tenant=cast.globex)
    text = api("owner").post("/api/v1/tokens", {"name": "ci", "tenant": "acme"}, format="json").json()["token"]
    assert [row["name"] for row in with_token(text).get("/api/v1/tenants").json()["results"]] == ["acme"]
    assert with_token(text).get("/api/v1/tenants/acme/audit").status_code == 200
    assert with_token(text).get("/api/v1/tenants/globex").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"project": "shop"}, "tenant"),
        ({"tenant": "globex"}, "tenant"),
        ({"tenant": "acme", "project": "store"}, "project"),
    ],
)
def test_impossible_places_of_tokens(body: dict[str, str], field: str, cast: Cast, api: Api) -> None:
    answer = api("owner").post("/api/v1/tokens", {"name": "ci"} | body, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
