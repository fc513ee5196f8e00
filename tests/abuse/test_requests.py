"""Malformed, oversized and forged requests: refused with a 4xx, never a 5xx, and never a change by another way."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from apps.models import AppEnvironment
from audit.models import AuditEntry
from operations.models import Operation
from portal.api.reference import description
from tenants.models import Token
from tests.abuse.test_isolation import addresses, known
from tests.conftest import PASSWORD, Cast

__all__ = ["known"]

Api = Callable[[str], APIClient]
P = "/api/v1/tenants/acme/projects/shop"
E = f"{P}/apps/hello/environments/dev"
WRITES = re.compile(r"^\s*(INSERT|UPDATE|DELETE|REPLACE)\b", re.IGNORECASE)
NOTED = 'UPDATE "tenants_token" SET "last_used_at"'


def refused(answer: Any, *statuses: int) -> None:
    assert answer.status_code in statuses, (answer.status_code, answer.content[:500])
    if answer.status_code != 405:
        assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "search",
    [
        "%",
        "_",
        "\\",
        "'",
        '"',
        "';--",
        "(a+)+$",
        "[",
        "\u202e",
        "\U0001f6a2",
        "ｈｅｌｌｏ",
        "\x1b[31m",
        "${7*7}",
        "{{7*7}}",
    ],
)
def test_searches_are_only_text(search: str, place: AppEnvironment, api: Api) -> None:
    answer = api("developer").get(f"{P}/apps?search={quote(search)}")
    assert answer.status_code == 200
    assert answer.json()["results"] == []


@pytest.mark.parametrize("search", ["a" * 101, "a" * 100_000, "a\0b", "\ud800".encode("utf-8", "surrogatepass")])
def test_impossible_searches(search: Any, place: AppEnvironment, api: Api) -> None:
    answer = api("developer").get(f"{P}/apps?search={quote(search)}")
    assert answer.status_code in (200, 400)  # bytes that are no text are read as U+FFFD, which finds nothing
    assert answer.status_code == 400 or answer.json()["results"] == []


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/tenants/acme%00",
        "/api/v1/tenants/" + "a" * 10_000,
        "/api/v1/tenants/Acme",
        "/api/v1/tenants/acme%2F..%2Fglobex",
        "/api/v1/tenants/..%2f..%2fetc%2fpasswd",
        f"{P}/apps/%ff%fe",
        f"{P}/apps/hello/releases/99999999999999999999999",
        f"{P}/apps/hello/releases/0",
        f"{P}/apps/hello/releases/-1",
        f"{P}/apps/hello/deployments/{2**63}",
        f"{P}/images/..%2f..%2fetc%2fpasswd/tags",
        f"{P}/images/{'a/' * 2000}/tags",
        f"{P}/images/hello/artifacts/%00",
        "/api/v1/operations/1",
        "/api/v1/operations/01a1fe2d-496b-753c-9e98-7987a07631b3%00",
        f"{E}/instances/..%2f1",
    ],
)
def test_impossible_addresses_lead_nowhere(path: str, running: AppEnvironment, api: Api) -> None:
    refused(api("developer").get(path), 404)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000 + b"]" * 100_000, 400),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, 400),
        (b'{"service": "web", "instances": NaN}', 400),
        (b'{"service": "web", "instances": 1e999}', 400),
        (b'{"service": "web", "instances": ' + b"9" * 5000 + b"}", 400),
        (b'{"service": "\\ud800", "instances": 1}', 400),
        (b'{"service": "web\\u0000", "instances": 1}', 422),
        (b'{"service": "' + b"x" * 10_000 + b'", "instances": 1}', 422),
        (b'{"service": "web", "instances": {"$gt": 0}}', 422),
        (b'{"service": ["web"], "instances": [1]}', 422),
        (b'{"service": "web", "instances": 1, "' + b"x" * 50_000 + b'": 1}', 422),
        (b"{" + b",".join(b'"k%d": 1' % n for n in range(20_000)) + b"}", 422),
        (b"x" * (1024 * 1024 + 1), 413),
    ],
    ids=lambda value: value[:20].decode(errors="replace") if isinstance(value, bytes) else str(value),
)
def test_impossible_bodies(body: bytes, status: int, running: AppEnvironment, api: Api) -> None:
    answer = api("developer").generic("POST", f"{E}/scale", body, content_type="application/json")
    refused(answer, status)
    assert len(answer.content) < 4 * len(body) + 20_000
    assert not Operation.objects.filter(kind="app.scale.run").exists()


@pytest.mark.parametrize("instances", [10**9, 1001, -1, 1.5, "1e3", "0x10", "٣", True, None, [], 2**64])
def test_impossible_numbers_of_instances(instances: Any, running: AppEnvironment, api: Api) -> None:
    refused(api("developer").post(f"{E}/scale", {"service": "web", "instances": instances}, format="json"), 422)


@pytest.mark.parametrize("replicas", [10**9, -1, 1.5, "many", 2**64])
def test_impossible_numbers_in_a_specification(replicas: Any, place: AppEnvironment, api: Api) -> None:
    spec = {"services": {"web": {"image": "berth/hello:1", "deploy": {"replicas": replicas}}}}
    refused(
        api("developer").post(f"{P}/apps/hello/deployments", {"environment": "dev", "spec": spec}, format="json"), 422
    )


@pytest.mark.parametrize(
    "name",
    [
        "",
        "A",
        "Admin",
        "-a",
        "a-",
        "1a",
        "a" * 41,
        "a" * 10_000,
        "а",
        "a\u202eb",
        "a b",
        "a/b",
        "a.b",
        "a\n",
        "a\0",
        "ａ",
        "_",
    ],
)
def test_impossible_names(name: str, cast: Cast, api: Api) -> None:
    refused(api("developer").post(f"{P}/apps", {"name": name}, format="json"), 422)
    refused(api("owner").post("/api/v1/tenants/acme/projects", {"name": name}, format="json"), 422)
    refused(api("owner").post(f"{P}/environments", {"name": name, "stage": "dev"}, format="json"), 422)


def test_ten_thousand_parameters(place: AppEnvironment, api: Api) -> None:
    query = "&".join(f"p{number}=1" for number in range(10_000))
    refused(api("developer").get(f"{P}/apps?{query}"), 400)


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer a b"},
        {"Authorization": "Bearer " + "x" * 5000},
        {"Authorization": "Bearer ÿþ"},
        {"Authorization": "Basic b3duZXI6b3duZXI="},
        {"Authorization": "Bearer berth_"},
        {"Cookie": "berth_session=' OR 1=1"},
    ],
)
def test_impossible_tokens(headers: dict[str, str], cast: Cast) -> None:
    answer = APIClient().get("/api/v1/me", headers=headers)
    refused(answer, 401)
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_token_in_the_address_is_not_taken(cast: Cast) -> None:
    _token, text = Token.objects.create(cast.owner, name="t")
    for query in (f"token={text}", f"access_token={text}", f"authorization=Bearer%20{text}"):
        refused(APIClient().get(f"/api/v1/me?{query}"), 401)


@pytest.fixture
def browser(cast: Cast) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.login(username="owner", password=PASSWORD)
    return client


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("text/plain", b"{}"),
        ("application/x-www-form-urlencoded", b"a=1"),
        ("multipart/form-data; boundary=x", b"--x--\r\n"),
    ],
)
def test_another_site_cannot_post_with_the_readers_session(
    content_type: str, body: bytes, running: AppEnvironment, browser: Client
) -> None:
    answer = browser.generic(
        "POST", f"{E}/stop", body, content_type=content_type, headers={"Origin": "https://evil.example"}
    )
    refused(answer, 403)
    assert browser.get("/api/v1/me").status_code == 200
    assert not Operation.objects.filter(kind="app.stop.run").exists()


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "text/yaml", "application/xml"]
)
def test_only_json_is_read(content_type: str, running: AppEnvironment, api: Api) -> None:
    refused(api("developer").generic("POST", f"{E}/scale", b'{"service": "web"}', content_type=content_type), 415)


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
def test_no_header_turns_one_method_into_another(header: str, running: AppEnvironment, api: Api) -> None:
    client = api("owner")
    assert client.get(f"{P}/apps/hello", headers={header: "DELETE"}).status_code == 200
    refused(client.post(f"{P}/apps/hello", {}, format="json", headers={header: "PATCH"}), 405)
    refused(client.post(f"{P}/apps/hello?_method=DELETE"), 405)
    refused(client.get(f"{P}/apps/hello?_method=DELETE"), 400)
    refused(client.post(f"{E}/scale", {"_method": "DELETE", "service": "web", "instances": 1}, format="json"), 422)
    assert client.get(f"{P}/apps/hello").status_code == 200


def test_looking_writes_nothing(known: dict[str, str], api: Api) -> None:
    """Every GET of the description, once as the owner."""
    client = api("owner")
    client.get("/api/v1/me")
    before = AuditEntry.objects.count()
    paths = [path for path, methods in description()["paths"].items() if "get" in methods and "/logs" not in path]
    for path in paths:
        with CaptureQueriesContext(connection) as queries:
            client.get(path.format(**known | {"code": "denied"}))
        written = [one["sql"] for one in queries if WRITES.match(one["sql"]) and NOTED not in one["sql"]]
        assert not written, (path, written)
    assert len(paths) > 25
    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize("host", ["evil.example", "testserver.evil.example", "testserver@evil.example", "", "a b"])
def test_a_forged_host_is_refused(host: str, cast: Cast, api: Api) -> None:
    refused(api("owner").get("/api/v1/me", headers={"Host": host}), 400)


def test_forwarding_headers_of_strangers_mean_nothing(place: AppEnvironment, cast: Cast, api: Api) -> None:
    forged = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-For": "9.9.9.9",
        "X-Forwarded-Proto": "https",
        "X-Original-URL": "/api/v1/tenants/globex",
        "X-Remote-User": "operator",
        "Impersonate-User": "operator",
        "X-Request-ID": "mine\r\nSet-Cookie: a=b",
    }
    client = api("developer")
    for number in range(2):
        made = client.post(f"{P}/apps", {"name": f"app-{number}"}, format="json", headers=forged)
    assert b"evil.example" not in made.content + str(made.headers).encode()
    assert "mine" not in made["X-Request-ID"]
    assert client.get(f"{P}/apps?limit=1", headers=forged).json()["next"].startswith("/api/v1/")
    entry = AuditEntry.objects.filter(action="app.create").latest("seq")
    assert (entry.actor_name, entry.address) == ("developer", "127.0.0.1")


def test_what_a_tenant_sees_is_kept_nowhere(known: dict[str, str], api: Api) -> None:
    client = api("owner")
    for _method, path in addresses():
        answer = client.get(path.format(**known))
        assert answer["Cache-Control"] == "private, no-store", path


def test_answers_carry_their_request(cast: Cast, api: Api) -> None:
    one, other = (api("owner").get("/api/v1/me") for _each in range(2))
    assert one["X-Request-ID"] != other["X-Request-ID"]
    refusal = api("guest").get("/api/v1/tenants/acme/audit")
    assert refusal.json()["request_id"] == refusal["X-Request-ID"]
