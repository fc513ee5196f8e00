"""Berth as the token server of a registry: who gets what, and everything that gets nothing."""

import base64
import hashlib
import time
from typing import Any

import jwt
import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.utils import timezone

from apps.environments.services import delete_environment
from apps.services import create_environment
from audit.models import AuditEntry
from core.secrets import Secret
from images.models import PullAccount, Repository, Share
from images.registry import accounts, signing
from images.registry.names import parse
from images.registry.scopes import REPOSITORY, Scope
from tenants.models import Grant, Project, Tenant, Token
from tenants.robots.services import create_robot, create_robot_token, remove_robot
from tests.conftest import PASSWORD, Cast
from tests.images.doors import KEY, SETTINGS, access, ask, basic, claims

pytestmark = pytest.mark.usefixtures("registry")
WEB = "acme/shop/web"
ALL = f"repository:{WEB}:pull,push,delete"


def token_of(cast: Cast, name: str, **limits: Any) -> str:
    text: str = Token.objects.create(getattr(cast, name), name=f"for {name} {time.monotonic_ns()}", **limits)[1]
    return text


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("owner", {"pull", "push", "delete"}),
        ("developer", {"pull", "push"}),
        ("releaser", {"pull"}),
        ("guest", {"pull"}),
        ("auditor", set()),
        ("operator", set()),
        ("outsider", set()),
    ],
)
def test_each_role_gets_what_is_asked_and_allowed(cast: Cast, name: str, allowed: set[str]) -> None:
    for secret in (PASSWORD, token_of(cast, name)):
        assert access(ask(name, secret, ALL)) == ({WEB: allowed} if allowed else {})
        assert access(ask(name, secret, f"repository:{WEB}:pull")) == ({WEB: {"pull"}} if "pull" in allowed else {})


def test_a_wildcard_of_actions_is_no_right_of_its_own(cast: Cast) -> None:
    assert access(ask("developer", PASSWORD, f"repository:{WEB}:*")) == {WEB: {"pull", "push"}}
    assert access(ask("outsider", PASSWORD, f"repository:{WEB}:*")) == {}


@pytest.mark.parametrize(
    "name",
    [
        "acme/shop/../../globex/store/web",
        "acme/../shop/web",
        "acme/shop/./web",
        "acme/shop//web",
        "/acme/shop/web",
        "acme/shop/web/",
        "acme/shop",
        "acme",
        "",
        "*",
        "acme/*",
        "acme/shop/*",
        "acme/shop/web*",
        "ACME/shop/web",
        "acme/shop/Web",
        "acme/shop/web\u0000",
        "acme/shop/web%2f..",
        "acme/shop/wéb",
        "acme/shop/" + "a" * 300,
        "nowhere/shop/web",
        "acme/nothing/web",
    ],
)
def test_tricks_with_names_get_nothing(cast: Cast, name: str) -> None:
    assert access(ask("owner", PASSWORD, f"repository:{name}:pull,push,delete")) == {}


@pytest.mark.parametrize(
    "scope", ["registry:catalog:*", "repository(plugin):acme/shop/web:pull", "repository", ":::", "x"]
)
def test_other_things_are_nobodys(cast: Cast, scope: str) -> None:
    for name in ("owner", "operator"):
        assert access(ask(name, PASSWORD, scope)) == {}


def test_so_many_scopes_are_not_looked_at(cast: Cast, django_assert_max_num_queries: Any) -> None:
    token = token_of(cast, "developer")
    scopes = [f"repository:acme/shop/web{number}:pull" for number in range(100)]
    with django_assert_max_num_queries(40):
        assert len(access(ask("developer", token, *scopes))) == 20


def test_nobody_gets_nothing_not_even_what_is_open_to_everybody(cast: Cast) -> None:
    opened(cast, Repository.Visible.EVERYONE)
    answer = Client().get("/registry/token", {"scope": ALL})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize(
    "header", ["Basic", "Basic !!!", "Basic " + base64.b64encode(b"owner").decode(), "Bearer x", "Basic /w=="]
)
def test_what_is_no_proof_is_refused(cast: Cast, header: str) -> None:
    assert Client().get("/registry/token", {"scope": ALL}, headers={"Authorization": header}).status_code == 401


def test_a_wrong_password_and_an_unknown_name_look_alike(cast: Cast) -> None:
    answers = [ask(name, "not the password", ALL) for name in ("owner", "nobody at all", "acme/owner", "", "o\0")]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1


def test_a_refused_login_is_on_record(cast: Cast) -> None:
    ask("owner", "not the password", ALL)
    ask("owner", "berth_" + "0" * 64, ALL)
    entries = AuditEntry.objects.filter(action="session.sign_in", result=AuditEntry.Result.DENIED)
    assert [entry.detail for entry in entries] == [{"tried": "owner", "with": "registry"}] * 2
    assert "not the password" not in str(list(entries.values()))


def test_floods_are_refused_before_any_hash_is_made(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    for _time in range(5):
        assert ask("owner", "not the password", ALL).status_code == 401
    looked: list[str] = []
    monkeypatch.setattr("images.registry.callers.authenticate", lambda *args, **more: looked.append("password"))
    answer = ask("owner", PASSWORD, ALL)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert looked == []


def test_a_flood_of_passwords_keeps_no_token_out(cast: Cast) -> None:
    token = token_of(cast, "owner")
    for _time in range(6):
        ask("owner", "not the password", ALL)
    assert access(ask("owner", token, ALL))


def test_who_comes_in_after_a_mistake_starts_anew(cast: Cast) -> None:
    for _time in range(3):
        ask("owner", "not the password", ALL)
        ask("owner", "not the password", ALL)
        assert ask("owner", PASSWORD, ALL).status_code == 200


def test_a_second_factor_makes_a_password_too_little(cast: Cast) -> None:
    kept = ask("owner", PASSWORD, ALL, offline_token="true").json()["refresh_token"]
    Authenticator.objects.create(user=cast.owner, type=Authenticator.Type.TOTP, data={})
    assert ask("owner", PASSWORD, ALL).content == ask("owner", "not the password", ALL).content
    assert refreshed(kept).status_code == 401
    assert access(ask("owner", token_of(cast, "owner"), ALL))


def test_disabled_people_get_nothing(cast: Cast) -> None:
    token, kept = token_of(cast, "owner"), ask("owner", PASSWORD, ALL, offline_token="true").json()["refresh_token"]
    cast.owner.is_active = False
    cast.owner.save()
    assert [ask("owner", secret, ALL).status_code for secret in (PASSWORD, token)] == [401, 401]
    assert refreshed(kept).status_code == 401


def test_an_expired_or_revoked_token_opens_nothing(cast: Cast) -> None:
    text = token_of(cast, "developer")
    Token.objects.filter(user=cast.developer).update(expiry=timezone.now())
    assert ask("developer", text, ALL).status_code == 401
    other = token_of(cast, "developer")
    Token.objects.filter(user=cast.developer).delete()
    assert ask("developer", other, ALL).status_code == 401


def test_a_token_is_never_more_than_it_was_made_for(cast: Cast) -> None:
    narrow = token_of(cast, "owner", scopes=["image.pull"])
    other = token_of(cast, "owner", scopes=["app.view"])
    elsewhere = token_of(cast, "outsider", tenant=cast.globex, project=cast.store)
    assert access(ask("any name", narrow, ALL)) == {WEB: {"pull"}}
    assert access(ask("owner", other, ALL)) == {}
    assert access(ask("outsider", elsewhere, ALL, "repository:globex/store/web:pull")) == {"globex/store/web": {"pull"}}


def test_a_token_of_a_project_counts_there_alone(cast: Cast) -> None:
    project = Project.objects.create(tenant=cast.acme, name="other")
    text = token_of(cast, "owner", tenant=cast.acme, project=project)
    assert access(ask("owner", text, ALL, "repository:acme/other/web:push")) == {"acme/other/web": {"push"}}


def test_a_robot_is_held_within_its_role_and_its_keeper(cast: Cast) -> None:
    robot = create_robot(cast.actor("owner"), cast.shop, name="ci", role="project.developer")
    text = create_robot_token(cast.actor("owner"), robot, name="push")[1].reveal()
    asked = (ALL, "repository:globex/store/web:pull", "repository:acme/other/web:pull")
    assert access(ask("robot", text, *asked)) == {WEB: {"pull", "push"}}
    Grant.objects.filter(user=cast.owner).update(ended_at=timezone.now())
    assert ask("robot", text, *asked).status_code == 401, "its keeper may nothing here any more"


def test_a_removed_robot_gets_nothing(cast: Cast) -> None:
    robot = create_robot(cast.actor("owner"), cast.shop, name="ci", role="project.developer")
    text = create_robot_token(cast.actor("owner"), robot, name="push")[1].reveal()
    remove_robot(cast.actor("owner"), robot)
    assert ask("robot", text, ALL).status_code == 401


def test_a_closed_project_only_gives(cast: Cast) -> None:
    Project.objects.filter(pk=cast.shop.pk).update(state=Project.State.ARCHIVED)
    assert access(ask("owner", PASSWORD, ALL)) == {WEB: {"pull"}}
    Project.objects.filter(pk=cast.shop.pk).update(deleted_at=timezone.now())
    assert access(ask("owner", PASSWORD, ALL)) == {}


def test_a_disabled_tenant_gives_nothing(cast: Cast) -> None:
    Tenant.objects.filter(pk=cast.acme.pk).update(state=Tenant.DISABLED)
    assert access(ask("owner", PASSWORD, ALL)) == {}


def opened(cast: Cast, visible: str) -> Repository:
    return Repository.objects.create(tenant=cast.acme, project=cast.shop, path=WEB, name=WEB, visible=visible)


@pytest.mark.parametrize(
    ("visible", "who"),
    [
        (Repository.Visible.PROJECT, set()),
        (Repository.Visible.TENANT, {"auditor"}),
        (Repository.Visible.NAMED, {"outsider"}),
        (Repository.Visible.EVERYONE, {"auditor", "outsider", "operator"}),
    ],
)
def test_a_repository_is_open_as_far_as_was_said(cast: Cast, visible: str, who: set[str]) -> None:
    Share.objects.create(repository=opened(cast, visible), name="globex")
    given = {name: access(ask(name, PASSWORD, ALL)) for name in ("auditor", "outsider", "operator")}
    assert given == {name: ({WEB: {"pull"}} if name in who else {}) for name in given}


def test_what_is_foreign_and_what_is_not_there_look_alike(cast: Cast) -> None:
    opened(cast, Repository.Visible.PROJECT)
    there, nowhere = (
        claims(ask("outsider", PASSWORD, f"repository:{name}:pull"))["access"] for name in (WEB, "acme/shop/nothing")
    )
    assert there == nowhere == []


def test_an_environments_account_pulls_for_its_project_alone(cast: Cast) -> None:
    shown = accounts.credentials_for(cast.shop, place="eaaa")
    assert shown == accounts.credentials_for(cast.shop, place="eaaa")
    assert shown is not None
    text = shown.password.reveal()
    asked = (ALL, "repository:globex/store/web:pull")
    assert access(ask(shown.username, text, *asked)) == {WEB: {"pull"}}
    assert text not in str(list(PullAccount.objects.values_list("digest", "place")))
    accounts.end("eaaa")
    assert ask(shown.username, text, *asked).status_code == 401


def test_the_account_ends_with_its_environment(cast: Cast) -> None:
    made = create_environment(cast.actor("owner"), cast.shop, name="qa", stage="test", cluster=cast.cluster)
    accounts.credentials_for(cast.shop, place=made.engine_name)
    delete_environment(cast.actor("owner"), made)
    assert not PullAccount.objects.filter(place=made.engine_name).exists()


def test_an_account_is_not_shown_and_opens_nothing_else(cast: Cast) -> None:
    shown = accounts.credentials_for(cast.shop, place="eaaa")
    assert shown is not None
    assert isinstance(shown.password, Secret)
    assert shown.password.reveal() not in repr(shown)
    answer = Client().get("/api/v1/me", headers={"Authorization": f"Bearer {shown.password.reveal()}"})
    assert answer.status_code == 401


def refreshed(kept: str, **more: str) -> Any:
    form = {"grant_type": "refresh_token", "service": SETTINGS["service"], "refresh_token": kept, "scope": ALL} | more
    return Client().post("/registry/token", form)


def test_a_client_may_keep_something_else_than_the_password(cast: Cast) -> None:
    kept = ask("developer", PASSWORD, offline_token="true").json()["refresh_token"]
    assert PASSWORD not in kept
    assert access(refreshed(kept)) == {WEB: {"pull", "push"}}
    assert "refresh_token" not in ask("developer", PASSWORD).json()
    cast.developer.set_password("another long password")
    cast.developer.save()
    assert refreshed(kept).status_code == 401


def test_what_a_client_keeps_of_a_token_ends_with_it(cast: Cast) -> None:
    token = token_of(cast, "developer")
    kept = ask("developer", token, offline_token="true").json()["refresh_token"]
    assert access(refreshed(kept)) == {WEB: {"pull", "push"}}
    Token.objects.filter(user=cast.developer).delete()
    assert refreshed(kept).status_code == 401


@pytest.mark.parametrize("kept", ["", "x", "berthlogin_", "berthlogin_gAAAAA", "berth_", "berthpull_x", "a" * 5000])
def test_what_was_never_given_opens_nothing(cast: Cast, kept: str) -> None:
    assert refreshed(kept).status_code == 401


def test_a_password_by_form(cast: Cast) -> None:
    form = {"grant_type": "password", "service": SETTINGS["service"], "client_id": "docker", "access_type": "offline"}
    answer = Client().post("/registry/token", form | {"username": "developer", "password": PASSWORD, "scope": ALL})
    assert access(answer) == {WEB: {"pull", "push"}}
    assert answer.json()["refresh_token"]
    assert Client().post("/registry/token", form | {"grant_type": "authorization_code"}).status_code == 400


def test_another_registry_is_not_served(cast: Cast) -> None:
    assert ask("owner", PASSWORD, ALL, service="other-registry").status_code == 400


def test_without_a_registry_there_is_no_door(cast: Cast, settings: Any) -> None:
    settings.REGISTRY = SETTINGS | {"url": ""}
    assert ask("owner", PASSWORD, ALL).status_code == 404
    assert Client().post("/registry/events").status_code == 404
    assert accounts.credentials_for(cast.shop, place="eaaa") is None


def test_a_token_says_who_for_whom_and_how_long() -> None:
    text = signing.issue("person:1", [Scope(REPOSITORY, WEB, ("pull",))])
    header = jwt.get_unverified_header(text)
    said = jwt.decode(text, KEY.public_key(), algorithms=["ES256"], audience=SETTINGS["service"])
    assert header == {"alg": "ES256", "typ": "JWT", "kid": signing.key_name(KEY)}
    assert (said["iss"], said["sub"], said["exp"] - said["iat"]) == ("berth", "person:1", 300)
    assert said["nbf"] < said["iat"]
    assert len({signing.issue("person:1", []) for _time in range(3)}) == 3


def test_a_key_is_called_as_the_registry_calls_it() -> None:
    name = signing.key_name(KEY)
    assert [len(part) for part in name.split(":")] == [4] * 12
    assert hashlib.sha256().digest_size == 32, "of which the first thirty bytes are written in Base32"


@pytest.mark.parametrize("name", ["acme/shop/web", "acme/shop/web/api", "a-b/c.d/e__f"])
def test_names_that_are_names(name: str) -> None:
    assert str(parse(name)) == name


def test_nothing_asked_is_a_login_alone(cast: Cast) -> None:
    assert claims(ask("auditor", PASSWORD))["access"] == []
    assert basic("a", "b")["headers"]["Authorization"].startswith("Basic ")
