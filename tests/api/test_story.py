"""The story of the first deploy over HTTP: deploy, watch, scale, update, roll back, audit."""

from collections.abc import Callable
from typing import Any

from rest_framework.test import APIClient

from tests.api.conftest import Committed, Settle

P = "/api/v1/tenants/acme/projects/shop"
SPEC = {"services": {"web": {"image": "berth/hello:1", "ports": ["8080"], "deploy": {"replicas": 3}}}}


def test_the_first_deploy(api: Callable[[str], APIClient], settle: Settle, committed: Committed) -> None:
    client = api("developer")
    body = {"name": "hello", "environment": "dev", "spec": SPEC}
    accepted = committed(client.post, f"{P}/apps", body, format="json")
    assert accepted.status_code == 202, accepted.content
    assert accepted["Location"] == f"/api/v1/operations/{accepted.json()['id']}"
    settle()
    assert client.get(accepted["Location"]).json()["state"] == "succeeded"
    place = client.get(f"{P}/apps/hello/environments/dev").json()
    assert (place["release_number"], place["running"], place["state"]["status"]) == (1, 3, "running")
    instances = client.get(f"{P}/apps/hello/environments/dev/instances").json()["results"]
    assert [(one["number"], one["state"]) for one in instances] == [(1, "running"), (2, "running"), (3, "running")]


def test_the_second_version_and_back(
    running: Any, api: Callable[[str], APIClient], settle: Settle, committed: Committed
) -> None:
    client, place = api("developer"), f"{P}/apps/hello/environments/dev"
    updated = committed(
        client.post, f"{P}/apps/hello/deployments", {"environment": "dev", "image": "berth/hello:2"}, format="json"
    )
    assert updated.status_code == 202, updated.content
    settle()
    assert client.get(place).json()["services"][0]["image"] == "berth/hello:2"
    back = committed(client.post, f"{place}/rollback", {"release": 1}, format="json")
    assert back.status_code == 202, back.content
    settle()
    assert client.get(place).json()["release_number"] == 1
    scaled = committed(client.post, f"{place}/scale", {"service": "web", "instances": 5}, format="json")
    assert scaled.status_code == 202, scaled.content
    settle()
    assert client.get(place).json()["running"] == 5
    kinds = [row["kind"] for row in client.get(f"{P}/apps/hello/deployments").json()["results"]]
    assert kinds == ["scale", "rollback", "deploy", "deploy"]
    diff = client.get(f"{P}/apps/hello/releases/2/diff?with=1").json()["differences"]
    assert diff == [{"path": "services.web.image", "before": "berth/hello:1", "after": "berth/hello:2"}]
    audit = api("auditor").get("/api/v1/tenants/acme/audit?action=app.scale").json()["results"]
    assert [(row["actor_name"], row["result"]) for row in audit] == [("developer", "done"), ("developer", "accepted")]
    assert api("auditor").get("/api/v1/tenants/acme/audit/verify").json()["holds"] is True
