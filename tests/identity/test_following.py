"""Rows follow a real Keystone: by id, both ways, and back again."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
from django.core.cache import cache
from django.test import Client
from rest_framework.test import APIClient

from audit.models import AuditEntry
from tenants import services
from tenants.identity import outgoing, recheck, sync
from tenants.identity.models import KeystoneWrite, RoleMapping, SyncState
from tenants.management.commands.check_identity import findings
from tenants.models import Grant, Organization, Tenant, Token, User
from tenants.robots.services import create_robot
from tenants.services import create_project
from tests.conftest import actor_of
from tests.identity.conftest import Cloud, Home, password_of, tick

pytestmark = [pytest.mark.keystone, pytest.mark.django_db]
Enter = Callable[..., Any]


def follow() -> None:
    assert sync.follow_all() is not None


def test_everybody_is_followed_and_nothing_differs_the_second_time(home: Home) -> None:
    home.person("ann", "developer")
    home.person("boss", "manager", domain=home.domain)
    home.person("nobody")
    chief = home.person("chief")
    home.admin.grant("operator", chief)
    follow()
    assert home.roles("chief") == {"platform.operator"}
    assert home.roles("ann") == {"project.developer"}
    assert home.roles("boss") == {"tenant.owner"}
    assert not User.objects.filter(external_id=home.people["nobody"]).exists(), "who has no role here has no row"
    assert sync.follow_all() == sync.Outcome(given=0, ended=0)
    assert SyncState.objects.get().problem == ""


def test_admin_gives_nothing_even_under_another_name(home: Home) -> None:
    key = home.person("chief", "admin")
    RoleMapping.objects.create(
        place="project", keystone_role="boss", role="tenant.owner", external_id=home.admin.role("admin")
    )
    follow()
    assert not Grant.objects.filter(user__external_id=key).exists()


def test_doctor_sees_an_account_that_is_admin(home: Home, cloud: Cloud) -> None:
    def needed() -> dict[str, bool]:
        return {one["name"]: one["there"] for one in findings() if "no admin" in one["name"]}

    assert set(needed().values()) == {True}
    home.admin.grant("admin", cloud.sync_user)
    assert set(needed().values()) == {False}
    home.admin.revoke("admin", cloud.sync_user)
    tick()


def test_a_renamed_and_made_again_name_inherits_nothing(home: Home) -> None:
    ann = home.person("ann", "developer")
    follow()
    old, before = home.user("ann"), home.tenant()
    home.admin.change("user", ann, name="ann-of-before")
    home.admin.change("project", home.project, name="alpha-of-before")
    again = home.admin.project("alpha", home.domain)
    home.person("ann", "reader", project=again)
    follow()
    assert home.user("ann").pk != old.pk
    assert home.tenant(again).pk != before.pk
    assert home.roles("ann") == {"project.guest"}
    before.refresh_from_db()
    assert (before.title, before.state) == ("alpha-of-before", "active")
    assert set(Grant.objects.filter(user=old, ended_at=None).values_list("tenant", flat=True)) == {before.pk}


def test_a_role_of_the_same_name_made_later_gives_nothing(home: Home) -> None:
    home.person("ann", "developer")
    follow()
    RoleMapping.objects.filter(keystone_role="developer").update(external_id="of-an-earlier-role")
    follow()
    assert home.roles("ann") == set()


def test_a_vanished_project_disables_the_tenant_and_keeps_everything(home: Home, enter: Enter, client: Client) -> None:
    home.person("ann", "developer")
    other = home.admin.project("beta", home.domain)
    home.admin.grant("reader", home.people["ann"], project=other)
    enter(home, "ann")
    tenant = home.tenant()
    home.admin.delete("project", home.project)
    follow()
    tenant.refresh_from_db()
    assert tenant.state == "disabled"
    assert home.roles("ann") == {"project.guest"}
    assert client.get(f"/api/v1/tenants/{tenant.name}").status_code == 404
    assert client.get(f"/api/v1/tenants/{home.tenant(other).name}").status_code == 200


def test_disabled_and_enabled_again(home: Home) -> None:
    home.person("ann", "developer")
    follow()
    for kind, key in (("project", home.project), ("user", home.people["ann"]), ("domain", home.domain)):
        home.admin.change(kind, key, enabled=False)
        follow()
        assert home.roles("ann") == set(), kind
        home.admin.change(kind, key, enabled=True)
        follow()
        assert home.roles("ann") == {"project.developer"}, kind
        assert (home.tenant().state, home.user("ann").is_active) == ("active", True), kind


def test_who_was_disabled_here_stays_so(home: Home) -> None:
    home.person("ann", "developer")
    follow()
    from django.utils import timezone

    User.objects.filter(pk=home.user("ann").pk).update(is_active=False, disabled_at=timezone.now())
    follow()
    assert not home.user("ann").is_active


def test_only_what_came_from_keystone_is_taken_back(home: Home) -> None:
    home.person("ann", "developer")
    follow()
    Grant.objects.create(user=home.user("ann"), role="tenant.member", tenant=home.tenant(), granted_by="somebody")
    home.admin.revoke("developer", home.people["ann"], project=home.project)
    follow()
    assert home.roles("ann") == {"tenant.member"}


def test_changes_of_roles_are_on_record(home: Home, settings: Any) -> None:
    home.person("ann", "developer")
    follow()
    home.admin.revoke("developer", home.people["ann"], project=home.project)
    follow()
    assert not User.objects.filter(external_id=settings.KEYSTONE["user"]).exists(), "its own account is nobody here"
    given, ended = AuditEntry.objects.filter(tenant_id=home.tenant().pk).order_by("seq")
    said = {"person": f"ann@{home.name}", "role": "project.developer"}
    assert (given.action, given.actor_name, given.after) == ("grant.give", "keystone", said)
    assert (ended.action, ended.before) == ("grant.end", said)


def test_names_that_others_have_are_not_taken(home: Home) -> None:
    Tenant.objects.create(name="alpha", organization=Organization.objects.create(name=home.name))
    home.person("ann", "developer")
    follow()
    assert home.tenant().name == f"org-{home.name}-alpha"[:40]
    assert home.tenant().organization.name == f"org-{home.name}"


def test_what_is_given_and_taken_here_is_written_there(home: Home) -> None:
    home.person("boss", "manager", domain=home.domain)
    ann = home.person("ann", "reader")
    follow()
    owner = actor_of(home.user("boss"))
    grant = services.give_grant(owner, home.tenant(), user=home.user("ann"), role="tenant.auditor")
    assert KeystoneWrite.objects.filter(done_at=None).count() == 1
    follow()
    assert "tenant.auditor" in home.roles("ann"), "what is still to be written is not taken away meanwhile"
    assert outgoing.send() == 1
    assert home.admin.holds("auditor", ann, project=home.project)
    follow()
    grant.refresh_from_db()
    services.end_grant(owner, home.tenant(), grant=grant)
    follow()
    assert home.roles("ann") == {"project.guest"}, "what is still to be taken does not come back meanwhile"
    assert outgoing.send() == 1
    assert not home.admin.holds("auditor", ann, project=home.project)
    follow()
    assert home.roles("ann") == {"project.guest"}


def test_what_keystone_refuses_stays_open_with_the_reason(home: Home, cloud: Cloud) -> None:
    home.person("boss", "manager", domain=home.domain)
    home.person("ann", "reader")
    follow()
    services.give_grant(actor_of(home.user("boss")), home.tenant(), user=home.user("ann"), role="tenant.auditor")
    home.admin.revoke("manager", cloud.sync_user, domain=home.domain)
    tick()
    from tenants.identity import wire

    wire.forget()
    assert outgoing.send() == 0
    row = KeystoneWrite.objects.get(done_at=None)
    assert (row.attempts, "not manager" in row.problem) == (1, True)


def test_an_outage_changes_nothing(home: Home, settings: Any) -> None:
    home.person("ann", "developer")
    follow()
    settings.KEYSTONE = settings.KEYSTONE | {"url": "http://127.0.0.1:9/v3"}
    assert sync.follow_all() is None
    assert home.roles("ann") == {"project.developer"}
    assert home.user("ann").is_active
    assert SyncState.objects.get().problem == "identity_unavailable"


def test_another_keystone_at_the_same_address_knows_nobody(home: Home) -> None:
    """Restarted with other data: whoever came from the old one is out, and in again when it is back."""
    home.person("ann", "developer")
    follow()
    from tenants.identity import wire

    other = wire.everything()
    other.people.clear()
    other.projects.clear()
    other.assignments.clear()
    sync.apply(other)
    assert (home.user("ann").is_active, home.tenant().state, home.roles("ann")) == (False, "disabled", set())
    follow()
    assert (home.user("ann").is_active, home.roles("ann")) == (True, {"project.developer"})


# --- programs ----------------------------------------------------------------------------------------------------


def token_of(home: Home, name: str, *, project: str = "") -> str:
    from keystoneauth1 import session
    from keystoneauth1.identity import v3

    scope = {"project_id": project} if project else {"unscoped": True}
    auth = v3.Password(home.admin.url, username=name, user_domain_id=home.domain, password=password_of(name), **scope)
    return str(auth.get_token(session.Session(timeout=20)))


def with_token(text: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_X_AUTH_TOKEN=text)
    return client


def test_a_program_comes_with_a_token_of_its_project(home: Home) -> None:
    home.person("ann", "developer")
    other = home.admin.project("beta", home.domain)
    home.admin.grant("reader", home.people["ann"], project=other)
    tick()
    client = with_token(token_of(home, "ann", project=home.project))
    me = client.get("/api/v1/me").json()
    assert [row["name"] for row in me["tenants"]] == [home.tenant().name], "in this project only"
    assert "app.deploy" in me["tenants"][0]["permissions"]


def test_a_revoked_token_is_none_once_it_is_asked_about_again(home: Home) -> None:
    """Which is within a minute: so long an answer about a token is remembered."""
    home.person("ann", "developer")
    tick()
    text = token_of(home, "ann", project=home.project)
    client = with_token(text)
    assert client.get("/api/v1/me").status_code == 200
    both = {"X-Auth-Token": text, "X-Subject-Token": text}
    requests.delete(f"{home.admin.url}/auth/tokens", headers=both, timeout=20).raise_for_status()
    cache.clear()  # as the minute does
    assert client.get("/api/v1/me").status_code == 401


def test_a_token_of_keystone_makes_no_key_that_outlives_it(home: Home) -> None:
    """It ends in an hour, and may be of a credential with fewer roles: what it made would do more, and for longer."""
    home.person("boss", "manager")
    follow()
    boss = home.user("boss")
    tenant = home.tenant()
    Grant.objects.create(user=boss, role="tenant.owner", tenant=tenant)
    create_robot(actor_of(boss), create_project(actor_of(boss), tenant, name="web"), name="ci", role="project.guest")
    tick()
    client = with_token(token_of(home, "boss", project=home.project))
    assert "member.manage" in client.get("/api/v1/me").json()["tenants"][0]["permissions"]
    assert client.post("/api/v1/tokens", {"name": "x"}, format="json").status_code == 403
    assert client.patch("/api/v1/me", {"title": "Mine"}, format="json").status_code == 403
    tokens = f"/api/v1/tenants/{tenant.name}/projects/web/tokens"
    refused = client.post(tokens, {"robot": "ci", "name": "x"}, format="json")
    assert (refused.status_code, "outlive" in refused.json()["detail"]) == (403, True)
    assert not Token.objects.exists()


def test_tokens_that_are_no_good(home: Home, settings: Any) -> None:
    home.person("ann", "developer")
    tick()
    unscoped = with_token(token_of(home, "ann")).get("/api/v1/me")
    assert (unscoped.status_code, "project" in unscoped.json()["hint"]) == (401, True)
    for text in ("rubbish", "x" * 10_000, "gAAAA'"):
        assert with_token(text).get("/api/v1/me").status_code == 401
    good = token_of(home, "ann", project=home.project)
    assert with_token(good).get("/api/v1/me").status_code == 200
    home.admin.change("user", home.people["ann"], enabled=False)
    assert with_token(good).get("/api/v1/me").status_code == 401, "remembered, but its owner is looked at"
    settings.KEYSTONE = {"url": "", "user": "", "password": ""}
    recheck.memory.forget()
    assert with_token(good).get("/api/v1/me").status_code == 401
