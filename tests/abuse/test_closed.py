"""Addresses about the portal itself say nothing to strangers, and a key is used once however often it is sent."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from apps.models import AppEnvironment, Deployment
from operations.models import Operation
from tenants.models import Token
from tests.conftest import Cast

IN_MEMORY = "SQLite in memory has no waiting writers; tests/faults/behind_proxy/test_once.py asks one in a file"
E = "/api/v1/tenants/acme/projects/shop/apps/hello/environments/dev"


@pytest.mark.parametrize(
    "path", ["/api/v1/schema", "/api/v1/docs", "/api/v1/schemas/app", "/api/v1/problems/denied", "/api/v1/clusters"]
)
def test_the_api_tells_strangers_nothing_of_itself(path: str, cast: Cast) -> None:
    answer = APIClient().get(path)
    assert answer.status_code in (401, 302)
    assert len(answer.content) < 500


@pytest.mark.parametrize(
    "path", ["/metrics", "/admin/", "/debug", "/api/", "/api/v1/", "/__debug__/", "/server-status"]
)
def test_there_are_no_side_doors(path: str, cast: Cast, api: Callable[[str], APIClient]) -> None:
    for client in (APIClient(), api("operator")):
        assert client.get(path).status_code in (302, 404)


def test_health_says_only_that(cast: Cast) -> None:
    alive, ready = APIClient().get("/healthz"), APIClient().get("/readyz")
    assert (alive.status_code, alive.content) == (200, b"ok\n")
    assert set(ready.json()) == {"ready", "checks"}
    assert all(isinstance(value, bool) for value in ready.json()["checks"].values())
    for answer in (alive, ready):
        assert b"sqlite" not in answer.content.lower() + str(answer.headers).lower().encode()
        assert "server" not in {name.lower() for name in answer.headers}


def test_whoever_is_not_signed_in_learns_only_that(cast: Cast) -> None:
    there = APIClient().get("/api/v1/tenants/acme")
    nowhere = APIClient().get("/api/v1/tenants/nowhere")
    assert (there.status_code, nowhere.status_code) == (401, 401)
    assert there.json() | {"request_id": ""} == nowhere.json() | {"request_id": ""}


@pytest.mark.skipif(connection.vendor == "sqlite", reason=IN_MEMORY)
@pytest.mark.django_db(transaction=True)
def test_twenty_equal_requests_at_once_are_one(running: AppEnvironment, cast: Cast) -> None:
    _token, text = Token.objects.create(cast.developer, name="twenty")

    def send(_each: int) -> tuple[int, Any]:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}", HTTP_IDEMPOTENCY_KEY="one")
        try:
            answer = client.post(f"{E}/scale", {"service": "web", "instances": 5}, format="json")
            return answer.status_code, answer.json().get("id")
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as threads:
        answers = set(threads.map(send, range(20)))
    assert len(answers) == 1, answers
    ((status, operation),) = answers
    assert (status, operation) == (202, str(Operation.objects.get(kind="app.scale.run").pk))


@pytest.mark.skipif(connection.vendor == "sqlite", reason=IN_MEMORY)
@pytest.mark.django_db(transaction=True)
def test_fifty_different_changes_at_once_are_one(running: AppEnvironment, cast: Cast) -> None:
    """Without a key: one is accepted, the others meet it and are told which it is."""
    _token, text = Token.objects.create(cast.developer, name="fifty")

    def send(instances: int) -> tuple[int, Any]:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
        try:
            answer = client.post(f"{E}/scale", {"service": "web", "instances": instances}, format="json")
            return answer.status_code, answer.json().get("operation") or answer.json().get("id")
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(send, range(1, 51)))
    operation = Operation.objects.get(kind="app.scale.run")
    assert sorted(status for status, _id in answers) == [202] + [409] * 49
    assert {found for _status, found in answers} == {str(operation.pk)}
    assert Deployment.objects.filter(kind="scale").count() == 1
