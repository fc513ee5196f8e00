"""Planted secrets are found nowhere but where they belong: in no answer, no log, no message and no other column."""

import base64
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.core import serializers
from django.db import connection
from rest_framework.test import APIClient

from apps.models import AppEnvironment
from backends.fake import FakeDriver
from backends.models import Cluster
from core.secrets import Secret, ring
from portal.api.reference import description
from portal.checks import our_models
from tenants.models import Token, User
from tests.abuse.test_isolation import known
from tests.conftest import Cast, Wakeups
from tests.replication.known import KEPT

__all__ = ["known"]

PASSWORD = "canary-password-4711"
KEY = "canary-key-4711"


@dataclass
class Planted:
    token: str
    needles: list[str]

    def found_in(self, text: str) -> list[str]:
        return [needle for needle in self.needles if needle in text]


@pytest.fixture
def planted(known: dict[str, str], cast: Cast, far: FakeDriver, api: Callable[[str], APIClient]) -> Planted:
    """A password, a cluster's key and a token that were really sent through the front door."""
    cast.guest.set_password(PASSWORD)
    cast.guest.save()
    APIClient().post("/accounts/sign-in/", {"username": "guest", "password": PASSWORD})
    APIClient().post("/accounts/sign-in/", {"username": "nobody", "password": PASSWORD})
    operator = api("operator")
    body = {"name": "vault", "kind": "kubernetes", "address": "https://10.0.0.5:6443", "client_key": KEY}
    headers = {"Idempotency-Key": "vault"}
    assert operator.post("/api/v1/clusters", body, format="json", headers=headers).status_code == 201
    operator.post("/api/v1/clusters", body, format="json", headers=headers)
    operator.patch("/api/v1/clusters/vault", {"client_key": KEY, "title": "x" * 200}, format="json")
    operator.patch("/api/v1/clusters/vault", {"client_key": KEY, "unknown": KEY}, format="json")
    registry = "/api/v1/tenants/acme/projects/shop/registries/elsewhere"
    for more in ({"unknown": KEPT}, {"address": "https://127.0.0.1"}, {"address": f"https://x:{KEPT}@x.test"}):
        api("owner").patch(registry, {"password": KEPT} | more, format="json")
    made = api("owner").post("/api/v1/tokens", {"name": "canary"}, format="json", headers=headers).json()["token"]
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {made}")
    client.get("/api/v1/tenants/acme/audit")
    needles = [PASSWORD, KEY, KEPT, made, made[20:], base64.b64encode(KEY.encode()).decode()]
    return Planted(made, needles)


def rows() -> Iterator[tuple[str, str, str]]:
    """(table, column, text) of everything in the database."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608  the database's own names
            columns = [one[0] for one in cursor.description]
            for row in cursor.fetchall():
                for column, value in zip(columns, row, strict=True):
                    yield table, column, str(value)


def test_no_column_holds_one_in_plain_text(planted: Planted) -> None:
    found = {(table, column) for table, column, text in rows() if planted.found_in(text)}
    assert not found
    stored = [text for table, column, text in rows() if (table, column) == ("backends_cluster", "client_key")]
    kept = [text for text in stored if text not in ("None", "")]
    assert [ring().decrypt(text.encode()).decode() for text in kept] == [KEY], "it is there, encrypted"


@pytest.mark.wide
def test_no_answer_holds_one(planted: Planted, known: dict[str, str], api: Callable[[str], APIClient]) -> None:
    paths = [path for path, methods in description()["paths"].items() if "get" in methods and "/logs" not in path]
    for name in ("owner", "operator", "auditor", "outsider"):
        client = api(name)
        for path in paths:
            address = path.format(**known | {"code": "denied", "cluster": "vault"})
            answer = client.get(address)
            body = b"".join(answer) if answer.streaming else answer.content
            assert not planted.found_in(body.decode() + str(answer.headers)), address


def test_no_refusal_repeats_one(planted: Planted, api: Callable[[str], APIClient], cast: Cast) -> None:
    answers = [
        api("operator").post("/api/v1/clusters", {"client_key": KEY, "name": "BAD"}, format="json"),
        api("operator").post("/api/v1/clusters", {"client_key": [KEY], "name": "bad", "kind": "swarm"}, format="json"),
        api("owner").post("/api/v1/tokens", {"name": "n", "scopes": ["x"], "token": planted.token}, format="json"),
        APIClient().get("/api/v1/me", headers={"Authorization": f"Bearer {planted.token}x"}),
        APIClient().post("/accounts/sign-in/", {"username": "guest", "password": PASSWORD + "x"}),
    ]
    for answer in answers:
        assert not planted.found_in(answer.content.decode()), answer.request


def test_no_log_line_holds_one(
    planted: Planted, caplog: pytest.LogCaptureFixture, api: Callable[[str], APIClient]
) -> None:
    with caplog.at_level(logging.DEBUG):
        api("operator").post("/api/v1/clusters", {"client_key": KEY, "name": "BAD"}, format="json")
        APIClient().get("/api/v1/me", headers={"Authorization": f"Bearer {planted.token}x"})
        APIClient().post("/accounts/sign-in/", {"username": "guest", "password": PASSWORD + "x"})
    assert not planted.found_in(caplog.text)


def test_nothing_printed_holds_one(planted: Planted) -> None:
    cluster = Cluster.objects.get(name="vault")
    shown = [repr(cluster), str(vars(cluster)), f"{cluster.client_key}", repr(Secret(KEY)), repr([Secret(KEY)])]
    shown += [serializers.serialize("json", model._default_manager.all()) for model in our_models()]
    shown += [repr(row) for row in (*User.objects.all(), *Token.objects.all())]
    for text in shown:
        assert not planted.found_in(text)


def test_a_message_to_a_worker_is_an_id(
    running: AppEnvironment, api: Callable[[str], APIClient], monkeypatch: pytest.MonkeyPatch, wakeups: Wakeups,
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    sent: list[Any] = []
    monkeypatch.setattr("operations.wakeup.current_app.send_task", lambda *args, **more: sent.append((args, more)))
    with django_capture_on_commit_callbacks(execute=True):
        body = {"environment": "dev", "image": "berth/hello:2", "note": KEY}
        answer = api("developer").post("/api/v1/tenants/acme/projects/shop/apps/hello/deployments", body, format="json")
    assert sent
    assert all(KEY not in str(one) for one in sent)
    assert any(answer.json()["id"] in str(one) for one in sent)
