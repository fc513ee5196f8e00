"""The door, with a real Keystone behind it."""

import base64
import hashlib
import hmac
import secrets
import sqlite3
import struct
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from django.test import Client

from audit.models import AuditEntry
from tenants.models import Grant, Session, User
from tests.conftest import PASSWORD, Cast
from tests.identity.conftest import SIGN_IN, Cloud, Home, password_of, tick

pytestmark = [pytest.mark.keystone, pytest.mark.django_db]
Enter = Callable[..., Any]
WRONG = "User name or password is wrong"


def test_a_person_of_keystone_comes_in_and_holds_what_keystone_says(home: Home, enter: Enter, client: Client) -> None:
    home.person("ann", "developer")
    answer = enter(home, "ann")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    user = home.user("ann")
    assert (user.username, user.has_usable_password()) == (f"ann@{home.name}", False)
    assert home.roles("ann") == {"project.developer"}
    assert home.tenant().organization.external_id == home.domain
    me = client.get("/api/v1/me").json()
    assert [row["name"] for row in me["tenants"]] == [home.tenant().name]
    assert "app.deploy" in me["tenants"][0]["permissions"]


def test_the_session_holds_neither_token_nor_password(home: Home, enter: Enter, client: Client) -> None:
    home.person("ann", "developer")
    enter(home, "ann")
    kept = str(dict(client.session.items()))
    assert "gAAAA" not in kept
    assert password_of("ann") not in kept


def test_whatever_is_wrong_looks_alike(home: Home, enter: Enter) -> None:
    home.person("ann", "developer")
    home.person("off", "developer", enabled=False)
    answers = [
        enter(home, "ann", "not hers"),
        enter(home, "nobody"),
        enter(Home(home.admin, "no-such-organization", "", "", home.folder), "ann"),
        enter(home, "off"),
        enter(home, "ann", "x" * 200),
        enter(home, "ann'\"<b>"),
    ]
    assert {answer.status_code for answer in answers} == {200}
    assert all(WRONG in answer.content.decode() for answer in answers)
    assert not User.objects.filter(source="keystone").exists()


def test_refusals_are_on_record_without_what_was_typed(home: Home, enter: Enter) -> None:
    home.person("ann", "developer")
    enter(home, "ann", "a wrong one, canary")
    entry = AuditEntry.objects.filter(action="session.sign_in").latest("id")
    assert (entry.result, entry.detail["tried"]) == ("denied", "ann")
    assert "canary" not in str(entry.detail)


def test_a_password_that_only_begins_rightly_is_wrong(home: Home, enter: Enter) -> None:
    """bcrypt looks at 72 bytes; we refuse what is longer."""
    long = "x" * 72
    home.people["ann"] = home.admin.user("ann", home.domain, long)
    assert enter(home, "ann", long).status_code == 302
    assert WRONG in Client().post(
        SIGN_IN, {"organization": home.name, "username": "ann", "password": long + "y"}
    ).content.decode()  # fmt: skip


def test_a_local_account_comes_in_without_an_organization_only(home: Home, enter: Enter, cast: Cast) -> None:
    home.person("operator", "developer")
    assert WRONG in enter(home, "operator", PASSWORD).content.decode()
    client = Client()
    assert client.post(SIGN_IN, {"username": "operator", "password": PASSWORD}).status_code == 302
    assert client.get("/api/v1/me").json()["id"] == str(cast.operator.pk)


def test_an_expired_password_is_changed_on_the_spot(home: Home, enter: Enter, client: Client) -> None:
    home.person("ann", "developer")
    expire_password(home, "ann")
    assert WRONG in enter(home, "ann", "not hers").content.decode(), "only who knows the password learns of it"
    answer = enter(home, "ann", follow=True)
    assert answer.redirect_chain == [("/accounts/sign-in/expired/", 302)]
    page = "/accounts/sign-in/expired/"
    wrong = client.post(page, {"old": "not hers", "new": "a new one 1", "again": "a new one 1"})
    assert "not the present password" in wrong.content.decode()
    differing = client.post(page, {"old": password_of("ann"), "new": "a new one 1", "again": "a new one 2"})
    assert "not the same" in differing.content.decode()
    assert (
        client.post(page, {"old": password_of("ann"), "new": "a new one 1", "again": "a new one 1"}).status_code == 302
    )
    assert client.get("/api/v1/me").json()["name"] == f"ann@{home.name}"
    assert "door" not in client.session
    assert enter(home, "ann").status_code in {200, 302}


def test_after_a_changed_password_nobody_waits_for_the_next_second(home: Home, enter: Enter, client: Client) -> None:
    """Keystone takes back what it gave out in the second of the change; coming in needs none of it, nor does a code."""
    secret = second_factor(home, "ann")
    expire_password(home, "ann")
    changed = {"old": password_of("ann"), "new": "a new one 1", "again": "a new one 1"}
    assert enter(home, "ann", follow=True).redirect_chain == [("/accounts/sign-in/expired/", 302)]
    tick()  # what follows happens in one second, or, on a slow machine, in few
    answer = client.post("/accounts/sign-in/expired/", changed)
    assert answer.headers["Location"] == "/accounts/sign-in/code/"
    assert client.post("/accounts/sign-in/code/", {"code": totp(secret)}).status_code == 302
    assert client.get("/api/v1/me").json()["name"] == f"ann@{home.name}"


def test_nobody_walks_into_the_steps_between(home: Home, client: Client) -> None:
    for page in ("/accounts/sign-in/expired/", "/accounts/sign-in/code/"):
        assert client.get(page).headers["Location"] == SIGN_IN
        assert client.post(page, {"code": "1", "old": "x", "new": "y", "again": "y"}).headers["Location"] == SIGN_IN


def test_a_second_factor_is_asked_for_after_the_right_password(home: Home, enter: Enter, client: Client) -> None:
    secret = second_factor(home, "ann")
    assert WRONG in enter(home, "ann", "not hers").content.decode()
    assert enter(home, "ann", follow=True).redirect_chain == [("/accounts/sign-in/code/", 302)]
    assert client.get("/api/v1/me").status_code == 401
    wrong = client.post("/accounts/sign-in/code/", {"code": "000000"})
    assert "wrong or too old" in wrong.content.decode()
    assert client.post("/accounts/sign-in/code/", {"code": totp(secret)}).status_code == 302
    assert client.get("/api/v1/me").json()["name"] == f"ann@{home.name}"


def test_a_flood_is_refused_before_keystone_is_asked(home: Home, enter: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    home.person("ann", "developer")
    for _turn in range(5):
        assert enter(home, "ann", "not hers").status_code == 200
    asked: list[str] = []
    monkeypatch.setattr("tenants.identity.wire.sign_in", lambda *who: asked.append("asked"))
    refused = enter(home, "ann")
    assert (refused.status_code, refused.headers["Retry-After"], asked) == (429, "300", [])
    assert "Too many wrong sign-ins" in refused.content.decode()
    assert enter(home, "berta", "not hers").status_code == 200, "others at this address go on"
    assert asked == ["asked"]


def test_an_address_with_many_names_is_refused_too(home: Home, enter: Enter, settings: Any) -> None:
    settings.AXES_ADDRESS_LIMIT = 3
    assert [enter(home, f"nobody-{turn}").status_code for turn in range(4)] == [200, 200, 200, 429]


def test_down_is_not_wrong(home: Home, cloud: Cloud, enter: Enter, cast: Cast, client: Client, settings: Any) -> None:
    """Sign-ins say so and do not count; who is in stays in for the grace; a local operator comes in."""
    home.person("ann", "developer")
    assert enter(home, "ann").status_code == 302
    cloud.server.stop()
    try:
        assert client.get("/api/v1/me").status_code == 200
        stranger = Client()
        typed = {"organization": home.name, "username": "ann", "password": password_of("ann")}
        answers = [stranger.post(SIGN_IN, typed) for _turn in range(7)]
        assert {answer.status_code for answer in answers} == {503}
        assert "identity service is not available" in answers[-1].content.decode()
        assert WRONG not in answers[-1].content.decode()
        assert stranger.post(SIGN_IN, {"username": "operator", "password": PASSWORD}).status_code == 302
        settings.KEYSTONE_GRACE_SECONDS = 0
        assert client.get("/api/v1/me").status_code == 401
    finally:
        cloud.server.start()
    from tenants.identity import wire

    wire.breaker.worked()  # as after its pause
    assert enter(home, "ann").status_code == 302, "what came while it was down was no failure"


def test_hanging_is_down_too(home: Home, cloud: Cloud, enter: Enter, settings: Any) -> None:
    home.person("ann", "developer")
    settings.KEYSTONE_TIMEOUT_SECONDS = 0.5
    from tenants.identity import wire

    cloud.server.freeze()
    try:
        assert enter(home, "ann").status_code == 503
    finally:
        cloud.server.thaw()
        wire.forget()


def test_disabled_people_are_out_at_their_next_request(home: Home, enter: Enter, client: Client) -> None:
    key = home.person("ann", "developer")
    enter(home, "ann")
    home.admin.change("user", key, enabled=False)
    assert client.get("/api/v1/me").status_code == 401
    assert not home.user("ann").is_active
    assert not Session.objects.filter(user=home.user("ann")).exists()
    home.admin.change("user", key, enabled=True)
    tick()
    assert enter(home, "ann").status_code == 302


@pytest.mark.parametrize("kind", ["project", "domain"])
def test_disabled_places_are_closed_at_the_next_request(home: Home, enter: Enter, client: Client, kind: str) -> None:
    home.person("ann", "developer")
    enter(home, "ann")
    address = f"/api/v1/tenants/{home.tenant().name}"
    assert client.get(address).status_code == 200
    home.admin.change(kind, home.project if kind == "project" else home.domain, enabled=False)
    assert client.get(address).status_code == (404 if kind == "project" else 401)
    assert home.tenant().state == "disabled"
    assert Grant.objects.filter(tenant=home.tenant()).exists(), "nothing is deleted"


def expire_password(home: Home, name: str) -> None:
    """As its clock would: Keystone's own table says that it ended an hour ago."""
    past = time.time() - 3600
    with closing(sqlite3.connect(home.folder / "keystone.db")) as database, database:
        database.execute(
            "UPDATE password SET expires_at_int = ?, expires_at = datetime(?, 'unixepoch') WHERE local_user_id ="
            " (SELECT id FROM local_user WHERE user_id = ?)",
            (int(past * 1_000_000), past, home.people[name]),
        )


def second_factor(home: Home, name: str) -> bytes:
    """Give a person a password and a code generator; gives back the generator's secret."""
    rules = {"multi_factor_auth_enabled": True, "multi_factor_auth_rules": [["password", "totp"]]}
    key, secret = home.person(name, "developer", options=rules), secrets.token_bytes(20)
    blob = base64.b32encode(secret).decode().rstrip("=")
    home.admin.call("POST", "/credentials", {"credential": {"user_id": key, "type": "totp", "blob": blob}})
    return secret


def totp(secret: bytes) -> str:
    mark = hmac.new(secret, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    at = mark[-1] & 15
    return f"{(struct.unpack('>I', mark[at : at + 4])[0] & 0x7FFFFFFF) % 10**6:06}"
