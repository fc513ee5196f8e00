"""Lists: pages by cursor that fit only their own list, filters by name, and as many queries for 100 rows as for 10."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from apps.models import App, AppEnvironment, Environment, ObservedInstance, ObservedService
from audit.models import AuditEntry
from audit.services import Line, record, register_action
from core.rows import new_id
from operations.models import Operation
from tests.conftest import Cast

P = "/api/v1/tenants/acme/projects/shop"
MOST_QUERIES = 6
Api = Callable[[str], APIClient]
LOOKED = register_action("test.looked")


@pytest.fixture
def apps(cast: Cast) -> list[str]:
    """110 apps of shop with their places and one running service in each, names in the order of their making."""
    names = [f"app-{number:03d}" for number in range(110)]
    whose = {"tenant": cast.acme, "project": cast.shop}
    made = App.objects.bulk_create([App(name=name, title=name.upper(), **whose) for name in names])
    environments = list(Environment.objects.filter(project=cast.shop))
    places = [AppEnvironment(app=app, environment=one, **whose) for app in made for one in environments]
    for place in places:
        place.engine_name = f"a{place.pk.hex[-20:]}"
    AppEnvironment.objects.bulk_create(places)
    ObservedService.objects.bulk_create(
        ObservedService(place=place, service="web", wanted=2, running=1, phase="progressing", seen_at=now(), **whose)
        for place in places
    )
    return names


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def operations(cast: Cast) -> None:
    later = now() + timedelta(hours=1)
    Operation.objects.bulk_create(
        Operation(
            kind="app.deploy.run",
            tenant_id=cast.acme.pk,
            project_id=cast.shop.pk,
            target=f"place:{new_id()}",
            target_name="hello in dev",
            state="failed" if number % 2 else "running",
            failure={"code": "unhealthy", "params": {"service": "web"}} if number % 2 else None,
            deadline_at=later,
        )
        for number in range(110)
    )


@pytest.fixture
def entries(cast: Cast) -> None:
    for _each in range(110):
        line = Line(LOOKED, tenant_id=cast.acme.pk, target_kind="app", target_name="hello")
        record(cast.actor("developer"), line, result=AuditEntry.Result.DONE)


@pytest.fixture
def instances(running: AppEnvironment) -> None:
    whose = {"tenant_id": running.tenant_id, "project_id": running.project_id, "place": running, "seen_at": now()}
    ObservedInstance.objects.bulk_create(
        ObservedInstance(
            service="web", number=10 + number, engine_id=str(number), state="running", wanted=True, **whose
        )
        for number in range(110)
    )


def queries_of(client: APIClient, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(path)
    assert answer.status_code == 200, answer.content
    return len(queries)


@pytest.mark.parametrize(
    ("path", "filled"),
    [
        (f"{P}/apps", "apps"),
        (f"{P}/apps/hello/environments/dev/instances", "instances"),
        ("/api/v1/operations", "operations"),
        ("/api/v1/tenants/acme/audit", "entries"),
    ],
)
def test_hot_lists_ask_a_constant_number_of_queries(
    path: str, filled: str, request: pytest.FixtureRequest, api: Api
) -> None:
    request.getfixturevalue(filled)
    client = api("owner")
    client.get(path)  # the first use of a token is noted
    few, many = (queries_of(client, f"{path}?limit={limit}") for limit in (10, 100))
    assert len(client.get(f"{path}?limit=100").json()["results"]) == 100
    assert few == many <= MOST_QUERIES


def walk(client: APIClient, address: str | None, way: str) -> list[list[str]]:
    """Names of each page, following `next` or `previous` to its end."""
    pages = []
    while address:
        page = client.get(address).json()
        pages.append([row["name"] for row in page["results"]])
        address = page[way]
    return pages


@pytest.mark.parametrize("ordering", ["name", "-name", "created_at", "-created_at"])
def test_pages_there_and_back(ordering: str, apps: list[str], api: Api) -> None:
    client = api("developer")
    there = walk(client, f"{P}/apps?limit=25&ordering={ordering}", "next")
    wanted = apps[::-1] if ordering.startswith("-") else apps
    assert [name for page in there for name in page] == wanted
    assert [len(page) for page in there] == [25, 25, 25, 25, 10]
    last = client.get(f"{P}/apps?limit=25&ordering={ordering}").json()
    while last["next"]:
        last = client.get(last["next"]).json()
    assert walk(client, last["previous"], "previous") == there[-2::-1]


def test_what_is_added_meanwhile_moves_no_page(apps: list[str], cast: Cast, api: Api) -> None:
    client = api("developer")
    first = client.get(f"{P}/apps?limit=10").json()
    App.objects.create(tenant=cast.acme, project=cast.shop, name="aaa")
    assert [row["name"] for row in client.get(first["next"]).json()["results"]] == apps[10:20]


def test_a_page_beyond_the_end_is_empty(apps: list[str], api: Api) -> None:
    client = api("developer")
    page = client.get(f"{P}/apps?limit=200").json()
    assert len(page["results"]) == 110
    assert (page["next"], page["previous"]) == (None, None)


def test_an_app_of_a_list_says_what_runs_where(apps: list[str], api: Api) -> None:
    row = api("developer").get(f"{P}/apps?limit=1").json()["results"][0]
    place = {"release_number": None, "stopped": False, "wanted": 2, "running": 1}
    assert row["environments"] == [{"name": name} | place for name in ("dev", "test", "prod")]


def test_search_finds_names_and_titles(apps: list[str], api: Api) -> None:
    client = api("developer")
    assert [row["name"] for row in client.get(f"{P}/apps?search=PP-00").json()["results"]] == apps[:10]
    for without_meaning in ("%25", "_", "%5C", "(a%2B)%2B%24"):
        assert client.get(f"{P}/apps?search={without_meaning}").json()["results"] == []


def test_operations_are_filtered(operations: None, cast: Cast, api: Api) -> None:
    client = api("developer")
    failed = client.get("/api/v1/operations?state=failed&limit=200").json()["results"]
    assert len(failed) == 55
    assert failed[0]["failure"]["code"] == "unhealthy"
    assert "health check" in failed[0]["failure"]["message"]
    assert len(client.get("/api/v1/operations?state=active&limit=200").json()["results"]) == 55
    assert client.get(f"/api/v1/operations?project_id={cast.store.pk}").json()["results"] == []
    assert api("outsider").get("/api/v1/operations").json()["results"] == []


def test_audit_is_filtered(entries: None, running: Any, cast: Cast, api: Api) -> None:
    client, audit = api("auditor"), "/api/v1/tenants/acme/audit"

    def found(query: str) -> set[str]:
        return {row["action"] for row in client.get(f"{audit}?limit=200&{query}").json()["results"]}

    assert found("action=app.deploy") == {"app.deploy", "app.deploy.run"}
    assert found("action=app.dep") == set()
    assert found("actor=owner") == {"project.create", "environment.create"}
    assert found(f"actor={cast.owner.pk}") == {"project.create", "environment.create"}
    assert found("target=hello%20in%20dev&result=accepted") == {"app.deploy"}
    assert found("since=2099-01-01T00:00:00Z") == found("until=2001-01-01T00:00:00Z") == set()
    operation = Operation.objects.get(deployment__place=running)
    assert found(f"operation={operation.pk}") == {"app.deploy", "app.deploy.run"}
    assert found("request=test") >= {"app.create"}
