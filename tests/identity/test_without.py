"""What needs no Keystone: the table and its page, floods, and a service that is no good."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from audit.models import AuditEntry
from launcher.paths import ROOT
from tenants.identity import breaker, recheck, tokens, wanted
from tenants.identity.errors import IdentityUnavailable
from tenants.identity.facts import Assignment, Domain, Person, Project, Snapshot
from tenants.identity.models import RoleMapping
from tenants.identity.rows import label
from tenants.models import User
from tests.conftest import PASSWORD, Cast

SIGN_IN = "/accounts/sign-in/"
Api = Callable[[str], APIClient]


# --- floods ------------------------------------------------------------------------------------------------------


def test_a_flood_is_refused_before_a_password_is_looked_at(
    cast: Cast, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _turn in range(5):
        assert client.post(SIGN_IN, {"username": "developer", "password": "wrong"}).status_code == 200
    looked: list[str] = []
    monkeypatch.setattr(User, "check_password", lambda user, password: looked.append(password))
    entries = AuditEntry.objects.count()
    refused = client.post(SIGN_IN, {"username": "developer", "password": PASSWORD})
    assert (refused.status_code, refused.headers["Retry-After"], looked) == (429, "300", [])
    assert "Too many wrong sign-ins" in refused.content.decode()
    assert AuditEntry.objects.count() == entries, "a flood does not fill the audit"
    assert 'value="developer"' in refused.content.decode()
    assert PASSWORD not in refused.content.decode()
    elsewhere = client.post(SIGN_IN, {"username": "developer", "password": PASSWORD}, REMOTE_ADDR="192.0.2.7")
    assert elsewhere.status_code == 200
    assert looked, "the same person at another address is looked at"


def test_an_address_that_tries_many_names_is_refused(cast: Cast, client: Client, settings: Any) -> None:
    settings.AXES_ADDRESS_LIMIT = 4
    answers = [client.post(SIGN_IN, {"username": f"name-{n}", "password": "x"}).status_code for n in range(5)]
    assert answers == [200, 200, 200, 200, 429]


def test_coming_in_forgets_earlier_failures(cast: Cast, client: Client) -> None:
    for _round in range(3):
        for _turn in range(3):
            client.post(SIGN_IN, {"username": "developer", "password": "wrong"})
        assert client.post(SIGN_IN, {"username": "developer", "password": PASSWORD}).status_code == 302
        client.logout()


def test_what_was_typed_as_password_is_kept_nowhere(cast: Cast, client: Client) -> None:
    client.post(SIGN_IN, {"username": "developer", "password": "canary-in-a-coal-mine"})
    assert "canary" not in str(list(AccessAttempt.objects.values()))


@pytest.mark.parametrize(("size", "status"), [(1025, 200), (1 << 20, 400)])
def test_an_endless_password_is_not_even_looked_at(
    cast: Cast, client: Client, monkeypatch: pytest.MonkeyPatch, size: int, status: int
) -> None:
    looked: list[int] = []
    monkeypatch.setattr("django.contrib.auth.hashers.MD5PasswordHasher.encode", lambda *_: looked.append(1))
    answer = client.post(SIGN_IN, {"username": "developer", "password": "x" * size})
    assert (answer.status_code, looked) == (status, [])


def test_an_unknown_name_costs_a_hash_like_a_known_one(
    cast: Cast, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the time would tell which names there are."""
    counts = []
    encode = MD5PasswordHasher.encode
    for name in ("developer", "nobody-here"):
        made: list[int] = []
        monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *what, made=made: made.append(1) or encode(*what))
        client.post(SIGN_IN, {"username": name, "password": "wrong"})
        counts.append(len(made))
    assert counts[0] == counts[1] > 0


# --- the table ---------------------------------------------------------------------------------------------------


def test_operators_map_roles_and_others_do_not_even_look(cast: Cast, browse: Callable[[str], Client], api: Api) -> None:
    assert browse("owner").get("/keystone/").status_code == 403
    assert api("owner").get("/api/v1/identity/drift").status_code == 403
    client = browse("operator")
    assert "No Keystone is connected" in client.get("/keystone/").content.decode()
    sent = {"keystone_role": "tester", "place": "project", "role": "project.tester"}
    assert client.post("/keystone/mappings/", sent).status_code == 302
    row = RoleMapping.objects.get(keystone_role="tester")
    assert "is mapped there already" in client.post("/keystone/mappings/", sent).content.decode()
    assert "tester" in client.get("/keystone/").content.decode()
    assert client.post(f"/keystone/mappings/{row.pk}/remove/").status_code == 302
    assert not RoleMapping.objects.filter(pk=row.pk).exists()
    assert list(AuditEntry.objects.filter(action__startswith="identity.").values_list("action", "result")) == [
        ("identity.map", "accepted"),
        ("identity.map", "refused"),
        ("identity.unmap", "accepted"),
    ]


@pytest.mark.parametrize("name", ["admin", "Admin", " admin "])
def test_admin_is_refused_everywhere(cast: Cast, browse: Callable[[str], Client], api: Api, name: str) -> None:
    sent = {"keystone_role": name, "place": "project", "role": "tenant.owner"}
    page = browse("operator").post("/keystone/mappings/", sent)
    assert page.status_code == 422
    assert "admin of the whole cloud wherever it is held" in page.content.decode()
    answer = api("operator").post("/api/v1/identity/mappings", sent, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "keystone_role")


def test_a_tenant_role_is_not_given_on_the_platform(cast: Cast, api: Api) -> None:
    for place, role in (("system", "tenant.owner"), ("project", "platform.operator"), ("domain", "nonsense")):
        sent = {"keystone_role": "x", "place": place, "role": role}
        assert api("operator").post("/api/v1/identity/mappings", sent, format="json").status_code == 422


def test_the_table_over_http(cast: Cast, api: Api) -> None:
    client = api("operator")
    sent = {"keystone_role": "tester", "place": "project", "role": "project.tester"}
    made = client.post("/api/v1/identity/mappings", sent, format="json")
    assert made.status_code == 201
    assert "tester" in {row["keystone_role"] for row in client.get("/api/v1/identity/mappings").json()["results"]}
    assert client.delete(made["Location"]).status_code == 204
    assert client.get("/api/v1/identity/drift").json()["configured"] is False
    assert client.post("/api/v1/identity/mend", {}, format="json").status_code == 202


# --- what follows from what --------------------------------------------------------------------------------------


def snapshot(*given: Assignment) -> Snapshot:
    return Snapshot(
        domains={"d": Domain("d", "acme", True)},
        projects={"p": Project("p", "shop", "d", True), "off": Project("off", "off", "d", False)},
        people={"u": Person("u", "ann", "d", True), "gone": Person("gone", "eve", "d", False)},
        roles={"1": "admin", "2": "manager", "3": "member"},
        implied={"1": {"2"}, "2": {"3"}},
        assignments=set(given),
    )


RULES = {("project", "2"): ["tenant.admin"], ("project", "3"): ["tenant.member"], ("domain", "2"): ["tenant.owner"]}


@pytest.mark.parametrize(
    ("given", "roles"),
    [
        (Assignment("u", "project", "p", "2"), {"tenant.admin", "tenant.member"}),
        (Assignment("u", "project", "p", "1"), set()),
        (Assignment("u", "project", "off", "2"), set()),
        (Assignment("gone", "project", "p", "2"), set()),
        (Assignment("u", "domain", "d", "2"), {"tenant.owner"}),
        (Assignment("nobody", "project", "p", "2"), set()),
    ],
)
def test_wishes(given: Assignment, roles: set[str]) -> None:
    assert {wish.role for wish in wanted.wishes(snapshot(given), RULES)} == roles


@pytest.mark.parametrize(
    ("text", "name"),
    [("Shop One", "shop-one"), ("42", "t-42"), ("订单", "t"), ("-a-", "a"), ("x" * 60, "x" * 40), ("", "t")],
)
def test_names_become_labels(text: str, name: str) -> None:
    assert label(text) == name


def test_the_breaker_opens_after_three_and_closes_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("tenants.identity.breaker.time.monotonic", lambda: now)
    one = breaker.Breaker()
    one.failed()
    one.failed()
    assert not one.open
    one.failed()
    assert one.open
    now += breaker.PAUSE_SECONDS
    assert not one.open
    one.worked()
    one.failed()
    assert not one.open


def test_what_is_not_used_is_not_even_loaded() -> None:
    """Libraries of Keystone and Redis cost memory."""
    program = (
        "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'portal.settings'; django.setup();"
        "from django.urls import get_resolver; get_resolver().url_patterns; import portal.urls;"
        "import portal.asgi; sys.exit(bool({'keystoneclient', 'keystoneauth1', 'redis'} & set(sys.modules)))"
    )
    alone = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=alone, check=False).returncode == 0


# --- a service that is no good -----------------------------------------------------------------------------------


class Bad(BaseHTTPRequestHandler):
    """Answers everything with what the test asked for."""

    status, body = 200, b""
    headers_too: ClassVar[dict[str, str]] = {}

    def do_POST(self) -> None:
        self.send_response(self.status)
        for name, value in self.headers_too.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.body)

    do_GET = do_POST  # noqa: N815  as the library calls it

    def log_message(self, *_: Any) -> None:
        """Not in the test's output."""


@pytest.fixture
def bad(settings: Any) -> Iterator[type[Bad]]:
    from tenants.identity import wire

    server = ThreadingHTTPServer(("127.0.0.1", 0), Bad)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.KEYSTONE = {"url": f"http://127.0.0.1:{server.server_port}/v3", "user": "u", "password": "p"}
    wire.forget()
    recheck.memory.forget()
    yield Bad
    server.shutdown()
    server.server_close()
    wire.forget()
    recheck.memory.forget()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<html>hello</html>"),
        (201, b"{}"),
        (201, b'{"token": {}}'),
        (404, b""),
        (500, b"oops"),
        (502, b""),
        (503, b"{}"),
    ],
)
def test_rubbish_is_an_outage_and_counts_as_no_failure(
    cast: Cast, client: Client, bad: type[Bad], status: int, body: bytes
) -> None:
    bad.status, bad.body = status, body
    typed = {"organization": "acme", "username": "ann", "password": "right"}
    answer = client.post(SIGN_IN, typed)
    assert answer.status_code == 503
    assert "identity service is not available" in answer.content.decode()
    assert not AccessAttempt.objects.exists()
    assert client.post(SIGN_IN, {"username": "operator", "password": PASSWORD}).status_code == 302


def token_of(name: str, domain: str) -> dict[str, Any]:
    person = {"id": f"id-of-{name}", "name": name, "domain": {"id": "d", "name": domain}}
    return {"token": {"methods": ["password"], "user": person, "expires_at": "2040-01-01T00:00:00.000000Z"}}


@pytest.mark.parametrize(
    ("name", "domain", "comes_in"),
    [("ann", "acme", True), ("Ann", "ACME", True), ("boss", "acme", False), ("ann", "globex", False)],
)
def test_a_right_answer_about_somebody_else_lets_nobody_in(
    bad: type[Bad], monkeypatch: pytest.MonkeyPatch, name: str, domain: str, comes_in: bool
) -> None:
    """As a cache between us would give it: 201, and the token of whoever asked before."""
    from tenants.identity import wire

    monkeypatch.setattr(bad, "status", 201)
    monkeypatch.setattr(bad, "headers_too", {"X-Subject-Token": "a-token"})
    monkeypatch.setattr(bad, "body", json.dumps(token_of(name, domain)).encode())
    if comes_in:
        assert wire.sign_in("ann", "acme", "right") == f"id-of-{name}"
        return
    with pytest.raises(IdentityUnavailable):
        wire.sign_in("ann", "acme", "right")


def test_a_token_that_is_over_is_none_whatever_is_said_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute is left for clocks that differ."""

    def validated_at(seconds: int) -> Any:
        until = (timezone.now() + timedelta(seconds=seconds)).isoformat()
        answer = token_of("ann", "acme")["token"] | {"expires_at": until}
        monkeypatch.setattr("tenants.identity.wire.whose_token", lambda _token: answer)
        return tokens.validated(f"token {seconds}")

    monkeypatch.setattr("tenants.identity.tokens.sync.follow", lambda _user: None)
    assert validated_at(-30) is not None
    assert validated_at(-90) is None


def test_a_person_of_keystone_without_a_keystone_is_out(db: None, client: Client) -> None:
    user = User.objects.create_user("ann@acme", source="keystone", external_id="x")
    client.force_login(user)
    assert client.get("/api/v1/me").status_code == 401
