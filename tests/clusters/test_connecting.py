"""A cluster is connected over the API: what is sent is read, the cluster is asked, and only then it is kept."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from apps.clusters import checking
from apps.models import ClusterOffer
from audit.models import AuditEntry
from backends.contract import CheckCode, Finding, Level
from backends.fake import FakeDriver, Mood
from backends.models import Cluster, Host
from tests.certificates import signed
from tests.clusters.given import ENGINE, SERVER, TOKEN, kubeconfig, tls_parts, with_user
from tests.conftest import Cast

Api = Callable[[str], APIClient]
CLUSTERS = "/api/v1/clusters"
EAST = f"{CLUSTERS}/east"
NO_STORAGE = Finding(CheckCode.NO_STORAGE, Level.WARN)
NO_RIGHT = Finding(CheckCode.RIGHT_MISSING, Level.BAD, {"right": "create pods"})


def post(api: Api, body: dict[str, Any], query: str = "") -> Any:
    return api("operator").post(f"{CLUSTERS}{query}", {"name": "east"} | body, format="json")


def test_by_one_file(cast: Cast, far: FakeDriver, api: Api) -> None:
    made = post(api, {"credentials": kubeconfig()})
    assert (made.status_code, made["Location"]) == (201, EAST)
    assert (made.json()["kind"], made.json()["address"]) == ("kubernetes", SERVER)
    row = Cluster.objects.get(name="east")
    assert row.client_key is not None
    assert row.client_key.reveal() == TOKEN
    assert row.authority.startswith("-----BEGIN CERTIFICATE")
    entry = AuditEntry.objects.get(action="cluster.register", result="accepted")
    assert entry.after["client_key"] == "changed"
    assert TOKEN not in str([entry.after, entry.detail, made.content])


def test_another_of_its_contexts(cast: Cast, far: FakeDriver, api: Api) -> None:
    assert post(api, {"credentials": kubeconfig(), "context_name": "dev"}).status_code == 201
    row = Cluster.objects.get(name="east")
    assert row.client_key is not None
    assert row.client_key.reveal() == f"{TOKEN}-dev"
    refused = post(api, {"name": "west", "credentials": kubeconfig(), "context_name": "none"})
    assert refused.json()["errors"][0]["code"] == "missing_part"


def test_by_an_address_and_tls_files(cast: Cast, far: FakeDriver, api: Api) -> None:
    parts = tls_parts()
    made = post(api, {"kind": "swarm", "address": ENGINE} | parts)
    assert made.status_code == 201, made.content
    row = Cluster.objects.get(name="east")
    assert row.client_key is not None
    assert row.client_key.reveal() == parts["client_key"].strip()
    assert "PRIVATE KEY" not in made.content.decode() + api("operator").get(EAST).content.decode()


@pytest.mark.parametrize(
    ("user", "code"),
    [
        ({"exec": {"command": "sh"}}, "runs_a_program"),
        ({"auth-provider": {"name": "oidc"}}, "asks_elsewhere"),
        ({"tokenFile": "/etc/passwd"}, "other_file"),
        ({"client-certificate": "/keys/c", "client-key": "/keys/k"}, "other_file"),
        ({"token": TOKEN, "as": "system:masters"}, "acts_as_another"),
        ({"username": "a", "password": TOKEN}, "password"),
        ({}, "no_credentials"),
        ({"client-certificate-data": "aGk=", "client-key-data": "aGk="}, "bad_text"),
    ],
)
def test_credentials_that_lead_elsewhere(
    user: dict[str, Any], code: str, cast: Cast, far: FakeDriver, api: Api
) -> None:
    refused = post(api, {"credentials": with_user(**user)})
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert (error["field"], error["code"]) == ("credentials", code)
    assert error["hint"]
    assert TOKEN not in refused.content.decode()
    assert not Cluster.objects.filter(name="east").exists()


@pytest.mark.parametrize(
    ("server", "code"),
    [
        ("https://127.0.0.1:6443", "loopback"),
        ("https://localhost:6443", "loopback"),
        ("https://[::1]:6443", "loopback"),
        ("https://2130706433:6443", "loopback"),
        ("https://169.254.169.254", "nowhere"),
        ("https://[fe80::1]", "nowhere"),
        ("http://10.0.0.1", "bad_address"),
    ],
)
def test_servers_that_only_the_machine_itself_is_to_call(
    server: str, code: str, cast: Cast, far: FakeDriver, api: Api
) -> None:
    whole = post(api, {"credentials": kubeconfig(server=server)})
    parts = post(api, {"kind": "kubernetes", "address": server, "client_key": TOKEN})
    assert [answer.json()["errors"][0]["code"] for answer in (whole, parts)] == [code, code]
    assert parts.json()["errors"][0]["field"] == "address"


@pytest.mark.parametrize(
    "address",
    ["ssh://host", "file:///etc/passwd", "tcp://a b:1", "unix://\0", "host:1", "tcp://a", "http://a:1", "tcp://u@a:1",
     "tcp://169.254.169.254:80", "tcp://0.0.0.0:2375", "unix://etc/passwd"],
)  # fmt: skip
def test_addresses_where_no_engine_is(address: str, cast: Cast, far: FakeDriver, api: Api) -> None:
    refused = post(api, {"kind": "swarm", "address": address})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "address"


def test_certificates_are_looked_at_first(cast: Cast, far: FakeDriver, api: Api) -> None:
    def code(**parts: str) -> tuple[str, str]:
        (error,) = post(api, {"kind": "swarm", "address": ENGINE} | parts).json()["errors"]
        return error["field"], error["code"]

    parts, other = tls_parts(), tls_parts()
    over = signed("over", days=-1)
    assert code(**parts | {"client_key": other["client_key"]}) == ("credentials", "not_a_pair")
    assert code(**parts | {"client_key": "-----BEGIN nothing"}) == ("client_key", "bad_text")
    assert code(**parts | {"authority": "text"}) == ("authority", "bad_text")
    assert code(client_key=parts["client_key"]) == ("client_certificate", "bad_text")
    assert code(client_certificate=parts["client_certificate"]) == ("client_key", "bad_text")
    assert code(**parts | {"client_certificate": over.pem, "client_key": over.key_pem}) == (
        "client_certificate",
        "expired",
    )


def test_a_cluster_that_does_not_answer_is_not_kept(cast: Cast, far: FakeDriver, api: Api) -> None:
    far.mood = Mood.AWAY
    refused = post(api, {"credentials": kubeconfig()})
    assert (refused.status_code, refused.json()["code"]) == (409, "cluster_not_usable")
    assert "does not answer" in refused.json()["detail"]
    assert [one["code"] for one in refused.json()["findings"]] == ["cluster_away"]
    assert not Cluster.objects.filter(name="east").exists()
    assert AuditEntry.objects.filter(action="cluster.register", result="refused").exists()


def test_a_rehearsal_tells_and_keeps_nothing(cast: Cast, far: FakeDriver, api: Api) -> None:
    far.found = (NO_STORAGE, NO_RIGHT)
    told = post(api, {"credentials": kubeconfig()}, "?dry_run=true").json()
    assert (told["ready"], told["engine_version"], told["hosts_ready"]) == (False, "fake", 1)
    assert [(one["level"], one["code"]) for one in told["findings"]] == [
        ("bad", "right_missing"),
        ("warn", "no_storage"),
    ]
    assert "create pods" in told["findings"][0]["message"]
    far.found = (NO_STORAGE,)
    assert post(api, {"credentials": kubeconfig()}, "?dry_run=true").json()["ready"] is True
    assert not Cluster.objects.filter(name="east").exists()
    assert post(api, {"credentials": kubeconfig()}).status_code == 201
    assert AuditEntry.objects.get(action="cluster.register", result="accepted").detail["found"] == ["no_storage"]
    taken = post(api, {"credentials": kubeconfig()}, "?dry_run=true")
    assert taken.json()["code"] == "name_taken"


def test_only_operators_have_a_cluster_asked(cast: Cast, far: FakeDriver, api: Api) -> None:
    far.mood = Mood.AWAY
    for name in ("owner", "auditor", "outsider"):
        for query in ("", "?dry_run=true"):
            refused = api(name).post(f"{CLUSTERS}{query}", {"name": "x", "credentials": kubeconfig()}, format="json")
            assert refused.status_code == 403, "before the cluster was asked, which is away"


@pytest.mark.parametrize(
    "body",
    [{}, {"kind": "swarm"}, {"kind": "fake", "address": "fake://"}, {"credentials": "x", "address": ENGINE},
     {"kind": "swarm", "credentials": kubeconfig()}, {"kind": "kubernetes", "address": SERVER}],
)  # fmt: skip
def test_what_says_too_little_or_too_much(body: dict[str, Any], cast: Cast, far: FakeDriver, api: Api) -> None:
    assert post(api, body).status_code == 422


def test_offered_to_everyone_at_once_or_to_nobody(cast: Cast, far: FakeDriver, api: Api) -> None:
    post(api, {"credentials": kubeconfig(), "everyone": True})
    post(api, {"name": "west", "credentials": kubeconfig()})
    assert [offer.cluster.name for offer in ClusterOffer.objects.exclude(cluster=cast.cluster)] == ["east"]


@pytest.fixture
def east(cast: Cast, far: FakeDriver, api: Api) -> Any:
    """The answer with which `east` was connected."""
    return post(api, {"credentials": kubeconfig()})


def test_new_credentials_once_the_cluster_answers_with_them(east: Any, far: FakeDriver, api: Api) -> None:
    client, fresh = api("operator"), {"credentials": kubeconfig(token="canary-new")}
    far.mood = Mood.AWAY
    refused = client.patch(EAST, fresh, format="json")
    assert refused.json()["code"] == "cluster_not_usable"
    assert key_of("east") == TOKEN, "the old ones stay"
    far.mood = Mood.WELL
    changed = client.patch(EAST, fresh, format="json", headers={"If-Match": east["ETag"]})
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    assert key_of("east") == "canary-new"
    late = client.patch(EAST, fresh, format="json", headers={"If-Match": east["ETag"]})
    assert (late.status_code, late.json()["version"]) == (412, 2)
    entry = AuditEntry.objects.filter(action="cluster.update", result="accepted").latest("seq")
    assert entry.after["client_key"] == "changed"


def key_of(name: str) -> str:
    key = Cluster.objects.get(name=name).client_key
    return key.reveal() if key else ""


def test_a_key_goes_to_no_other_address(east: Any, far: FakeDriver, api: Api) -> None:
    client, other = api("operator"), "https://10.9.9.9:6443"
    refused = client.patch(EAST, {"address": other}, format="json")
    assert refused.json()["errors"][0]["code"] == "key_needed"
    assert client.patch(EAST, {"address": other, "client_key": "canary-b"}, format="json").status_code == 200
    assert (Cluster.objects.get(name="east").address, key_of("east")) == (other, "canary-b")


def test_a_title_needs_no_answer(east: Any, far: FakeDriver, api: Api) -> None:
    far.mood = Mood.AWAY
    changed = api("operator").patch(EAST, {"title": "East"}, format="json")
    assert (changed.status_code, changed.json()["title"]) == (200, "East")
    assert key_of("east") == TOKEN


def test_a_check_at_any_time(east: Any, far: FakeDriver, api: Api) -> None:
    client = api("operator")
    assert client.post(f"{EAST}/check", {}, format="json").json()["findings"] == []
    far.found = (NO_STORAGE,)
    told = client.post(f"{EAST}/check", {"credentials": kubeconfig(token="x")}, format="json").json()
    assert (told["ready"], [one["code"] for one in told["findings"]]) == (True, ["no_storage"])
    assert key_of("east") == TOKEN
    assert api("owner").post(f"{EAST}/check", {}, format="json").status_code == 404


def test_another_cluster_under_the_same_name_is_told(east: Any, far: FakeDriver, api: Api, cast: Cast) -> None:
    row = Cluster.objects.get(name="east")
    Host.objects.create(cluster=row, engine_id="long-gone", name="n", seen_at=row.created_at)
    told = api("operator").post(f"{EAST}/check", {}, format="json").json()
    assert [one["code"] for one in told["findings"]] == ["other_cluster"]
    Host.objects.create(cluster=row, engine_id="host-1", name="m", seen_at=row.created_at)
    assert api("operator").post(f"{EAST}/check", {}, format="json").json()["findings"] == []


def test_only_so_many_checks_at_once(cast: Cast, far: FakeDriver, api: Api) -> None:
    for _turn in range(checking.AT_ONCE):
        assert checking._turns.acquire(blocking=False)
    try:
        busy = post(api, {"credentials": kubeconfig()})
        assert (busy.status_code, busy.json()["code"]) == (429, "too_many")
        assert busy["Retry-After"]
    finally:
        for _turn in range(checking.AT_ONCE):
            checking._turns.release()
    assert post(api, {"credentials": kubeconfig()}).status_code == 201


def test_a_check_that_hangs_is_given_up(cast: Cast, far: FakeDriver, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    monkeypatch.setattr(checking, "WHOLE_SECONDS", 0.05)
    monkeypatch.setattr(far, "checks", lambda: ended.wait(10))
    try:
        refused = post(api, {"credentials": kubeconfig()})
    finally:
        ended.set()
    assert [one["code"] for one in refused.json()["findings"]] == ["cluster_slow"]


def test_the_role_is_there_to_apply(cast: Cast, api: Api) -> None:
    document = api("operator").get("/api/v1/cluster-rights").json()
    assert {one["kind"] for one in document["items"]} >= {"ClusterRole", "ClusterRoleBinding", "ServiceAccount"}
    assert "nodes/proxy" in str(document)
    assert "nodes/proxy" not in str(api("operator").get("/api/v1/cluster-rights?usage=false").json())
    assert api("owner").get("/api/v1/cluster-rights").status_code == 403


def test_no_column_answer_or_entry_holds_a_secret(east: Any, far: FakeDriver, api: Api) -> None:
    client = api("operator")
    client.patch(EAST, {"credentials": kubeconfig(token="canary-other"), "nothing": "x"}, format="json")
    client.patch(EAST, {"credentials": with_user(token="canary-third", exec={"command": "x"})}, format="json")
    answers = [client.get(path).content.decode() for path in (CLUSTERS, EAST, f"{EAST}/health", f"{EAST}/offer")]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608  the database's own names
            answers.append(str(cursor.fetchall()))
    assert not [text for text in answers if "canary" in text]
