"""A real Keystone that differs, is away, slow, or another one; and what programs and open sockets make of it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from core.access import Actor
from launcher.identity.dev import sync_account
from launcher.identity.server import PrivateKeystone
from tenants import services, tasks
from tenants.identity import outgoing, recheck, sync
from tenants.identity.models import KeystoneWrite, SyncState
from tenants.models import User
from tenants.presence import Comer, actors_again
from tests.conftest import Cast, actor_of
from tests.identity.conftest import PYTHON, Cloud, Home, password_of, tick

pytestmark = [pytest.mark.keystone, pytest.mark.django_db]
Browse = Callable[[str], Client]
Enter = Callable[..., Any]
DRIFT = "/api/v1/identity/drift"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the tasks that were sent off; `mend_by` runs them."""
    names: list[str] = []
    monkeypatch.setattr("tenants.identity.services.current_app.send_task", lambda name, **_more: names.append(name))
    return names


@pytest.fixture
def operator(cast: Cast, browse: Browse) -> Client:
    return browse("operator")


def differing(client: Client, home: Home) -> set[tuple[str, str]]:
    """(kind, role) of what the API says differs for people of this test's organization; the page shows each of them."""
    told = client.get(DRIFT).json()
    found = {
        (one["kind"], one["role"]) for one in told["differences"] if one["tenant"] in (home.tenant().name, "alpha")
    }
    assert (len(client.get("/keystone/").context["differences"]) > 0) == bool(told["differences"])
    return found


def mend(client: Client, sent: list[str], on_commit: Any) -> None:
    """The button of the page, and then what it sent off."""
    sent.clear()
    with on_commit(execute=True):
        assert client.post("/keystone/mend/").status_code == 302
    assert sent == ["tenants.follow_keystone"]
    tasks.follow_keystone()


def test_what_changed_behind_our_back_is_shown_and_followed(
    home: Home, operator: Client, sent: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    ann = home.person("ann", "developer")
    assert sync.follow_all() is not None
    assert differing(operator, home) == set()
    home.admin.grant("auditor", ann, project=home.project)
    home.admin.revoke("developer", ann, project=home.project)
    assert home.roles("ann") == {"project.developer"}, "not looked at yet"
    assert differing(operator, home) == {("missing", "tenant.auditor"), ("extra", "project.developer")}
    mend(operator, sent, django_capture_on_commit_callbacks)
    assert home.roles("ann") == {"tenant.auditor"}
    assert differing(operator, home) == set()


def test_what_could_not_be_written_is_shown_and_written(
    home: Home, cloud: Cloud, operator: Client, sent: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    """One role given and one taken here while Keystone stands still: both go out with the button, once it is back."""
    home.person("boss", "manager", domain=home.domain)
    ann, bob = home.person("ann", "reader"), home.person("bob", "auditor")
    assert sync.follow_all() is not None
    owner = actor_of(home.user("boss"))
    cloud.server.stop()
    try:
        services.give_grant(owner, home.tenant(), user=home.user("ann"), role="tenant.auditor")
        held = home.user("bob").grants.get(role="tenant.auditor", ended_at=None)
        services.end_grant(owner, home.tenant(), grant=held)
        assert outgoing.send() == 0
        told = operator.get(DRIFT).json()
        assert (told["reachable"], {one["kind"] for one in told["differences"]}) == (False, {"unwritten"})
        assert "on its way to Keystone" in operator.get("/keystone/").content.decode()
    finally:
        cloud.server.start()
    from tenants.identity import wire

    wire.breaker.worked()  # as after its pause
    assert not home.admin.holds("auditor", ann, project=home.project)
    assert home.admin.holds("auditor", bob, project=home.project)
    mend(operator, sent, django_capture_on_commit_callbacks)
    assert home.admin.holds("auditor", ann, project=home.project)
    assert not home.admin.holds("auditor", bob, project=home.project)
    assert not KeystoneWrite.objects.filter(done_at=None).exists()
    assert (home.roles("ann"), home.roles("bob")) == ({"project.guest", "tenant.auditor"}, set())
    assert differing(operator, home) == set()


# --- programs ----------------------------------------------------------------------------------------------------


def credential(home: Home, name: str, *, roles: list[str]) -> dict[str, str]:
    """An application credential that somebody makes for the project, with some of their roles."""
    from keystoneauth1 import session
    from keystoneauth1.identity import v3

    auth = v3.Password(
        home.admin.url, username=name, user_domain_id=home.domain, password=password_of(name), project_id=home.project
    )  # type: ignore[arg-type]  # fmt: skip
    asked = {"name": "pipeline", "roles": [{"name": role} for role in roles]}
    made = session.Session(auth=auth, timeout=20).post(
        f"{home.admin.url}/users/{home.people[name]}/application_credentials", json={"application_credential": asked}
    )
    found: dict[str, str] = made.json()["application_credential"]
    return found


def program(home: Home, made: dict[str, str]) -> APIClient:
    """An API client with a fresh token of the credential."""
    from keystoneauth1 import session
    from keystoneauth1.identity import v3

    auth = v3.ApplicationCredential(
        home.admin.url, application_credential_id=made["id"], application_credential_secret=made["secret"]
    )
    client = APIClient()
    client.credentials(HTTP_X_AUTH_TOKEN=str(auth.get_token(session.Session(timeout=20))))
    return client


def test_an_application_credential_gives_its_own_roles_and_no_more(home: Home) -> None:
    ann = home.person("ann", "developer")
    home.admin.grant("auditor", ann, project=home.project)
    tick()
    client = program(home, credential(home, "ann", roles=["auditor"]))
    (tenant,) = client.get("/api/v1/me").json()["tenants"]
    assert "audit.view" in tenant["permissions"]
    assert "app.deploy" not in tenant["permissions"]
    address = f"/api/v1/tenants/{home.tenant().name}"
    assert client.get(f"{address}/audit").status_code == 200
    assert client.get(f"{address}/projects").json()["results"] == []
    assert client.post(f"{address}/projects", {"name": "x"}, format="json").status_code == 403
    assert home.roles("ann") == {"tenant.auditor", "project.developer"}, "of which she holds more"
    home.admin.revoke("auditor", ann, project=home.project)
    tick()
    recheck.memory.forget()
    assert sync.follow_all() is not None
    assert client.get(f"{address}/audit").status_code in {401, 403, 404}, "at once, although the token was remembered"


def test_an_application_credential_ends_with_its_owner(home: Home) -> None:
    ann = home.person("ann", "developer")
    tick()
    client = program(home, credential(home, "ann", roles=["developer"]))
    assert client.get("/api/v1/me").status_code == 200
    home.admin.change("user", ann, enabled=False)
    assert client.get("/api/v1/me").status_code == 401


# --- open sockets ------------------------------------------------------------------------------------------------


def listening(user: User) -> Comer:
    """Somebody who came in with a browser, and has nothing but a socket open."""
    browser = Client()
    browser.force_login(user)
    return Actor(user.pk, user.get_username(), session=browser.session.session_key or ""), None


def test_who_is_disabled_and_only_listens_is_put_out(home: Home) -> None:
    """Nobody asks for anything: the look every 15 seconds finds it, and open sockets are told."""
    ann = home.person("ann", "developer")
    home.person("bob", "developer")
    assert sync.follow_all() is not None
    comers = [listening(home.user(name)) for name in ("ann", "bob")]
    assert None not in actors_again(comers)
    home.admin.change("user", ann, enabled=False)
    tasks.heed_disabled()
    gone, stays = actors_again(comers)
    assert gone is None
    assert stays is not None
    assert (home.user("ann").is_active, home.user("bob").is_active) == (False, True)


def test_while_keystone_is_away_nobody_is_put_out(home: Home, settings: Any) -> None:
    home.person("ann", "developer")
    assert sync.follow_all() is not None
    settings.KEYSTONE = settings.KEYSTONE | {"url": "http://127.0.0.1:9/v3"}
    recheck.memory.forget()
    tasks.heed_disabled()
    assert home.user("ann").is_active


# --- slow, and started anew --------------------------------------------------------------------------------------


def test_slow_is_away_for_those_inside_too(
    home: Home, cloud: Cloud, enter: Enter, client: Client, settings: Any
) -> None:
    """It takes every connection and answers none: pages go on within the grace, following says what is wrong."""
    home.person("ann", "developer")
    assert enter(home, "ann").status_code == 302
    settings.KEYSTONE_TIMEOUT_SECONDS = 0.5
    from tenants.identity import wire

    cloud.server.freeze()
    try:
        wire.forget()
        assert client.get("/api/v1/me").status_code == 200
        assert sync.follow_all() is None
        assert SyncState.objects.get().problem == "identity_unavailable"
        assert home.roles("ann") == {"project.developer"}
    finally:
        cloud.server.thaw()
        wire.forget()
    settings.KEYSTONE_TIMEOUT_SECONDS = 20
    assert sync.follow_all() is not None
    assert SyncState.objects.get().problem == ""


def test_started_again_with_the_same_data_nothing_changes(home: Home, cloud: Cloud, enter: Enter) -> None:
    home.person("ann", "developer")
    assert enter(home, "ann").status_code == 302
    assert sync.follow_all() is not None
    cloud.server.stop()
    cloud.server.start()
    from tenants.identity import wire

    wire.forget()
    assert sync.follow_all() == sync.Outcome(given=0, ended=0)
    assert home.roles("ann") == {"project.developer"}


@pytest.fixture
def other(tmp_path: Path) -> Iterator[PrivateKeystone]:
    """A second Keystone that knows nobody but the account Berth reads with."""
    server = PrivateKeystone(tmp_path, Path(PYTHON))
    try:
        server.start()
        yield server
    finally:
        server.destroy()


def test_started_with_other_data_lets_nobody_of_before_in(
    home: Home, enter: Enter, client: Client, other: PrivateKeystone, settings: Any
) -> None:
    """The same names there are other people: who came from the old one is out, and in again when it is back."""
    home.person("ann", "developer")
    assert enter(home, "ann").status_code == 302
    before, admin = settings.KEYSTONE, other.admin()
    for role in ("developer", "auditor", "operator"):
        admin.role(role)
    reader = sync_account(admin, "another long password", domains=[])
    there = admin.domain(home.name)
    ann = admin.user("ann", there, password_of("ann"))
    admin.grant("developer", ann, project=admin.project("alpha", there))
    tick()
    from tenants.identity import wire

    settings.KEYSTONE = {"url": other.url, "user": reader, "password": "another long password"}
    wire.forget()
    recheck.memory.forget()
    try:
        assert client.get("/api/v1/me").status_code == 401, "her id is not known there"
        assert sync.follow_all() is not None
        assert (home.user("ann").is_active, home.tenant().state, home.roles("ann")) == (False, "disabled", set())
    finally:
        settings.KEYSTONE = before
        wire.forget()
        recheck.memory.forget()
    assert sync.follow_all() is not None
    assert (home.user("ann").is_active, home.tenant().state) == (True, "active")
    assert home.roles("ann") == {"project.developer"}
