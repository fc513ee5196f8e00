"""A cluster is forgotten only where nothing of ours is left."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.models import AppEnvironment
from audit.models import AuditEntry
from backends.contract import EnvironmentRef, ServiceRef, ServiceSpec
from backends.fake import FakeDriver, Mood
from backends.models import Cluster
from tests.clusters.given import kubeconfig
from tests.conftest import Cast

Api = Callable[[str], APIClient]
EAST = "/api/v1/clusters/east"


@pytest.fixture
def east(cast: Cast, far: FakeDriver, api: Api) -> Any:
    body = {"name": "east", "credentials": kubeconfig()}
    return api("operator").post("/api/v1/clusters", body, format="json")


def remove(api: Api, name: str = "east", **more: Any) -> Any:
    return api("operator").delete(f"/api/v1/clusters/{name}", {"typed_name": name} | more, format="json")


def test_an_empty_one(east: Any, api: Api) -> None:
    assert remove(api, typed_name="other").json()["errors"][0]["code"] == "not_the_name"
    assert remove(api).status_code == 204
    assert not Cluster.objects.filter(name="east").exists()
    entry = AuditEntry.objects.get(action="cluster.remove", result="accepted")
    assert entry.before["name"] == "east"


def test_one_that_environments_are_bound_to(running: AppEnvironment, api: Api) -> None:
    refused = remove(api, "local")
    assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
    assert "acme / shop / dev" in refused.json()["environments"]
    assert "6 environments are bound to local" in refused.json()["detail"]


def test_one_that_holds_services_of_ours(east: Any, far: FakeDriver, api: Api) -> None:
    far.ensure_environment(EnvironmentRef("eleft"))
    ref = ServiceRef(app="aleft", environment="eleft", service="web")
    far.apply(ServiceSpec(ref=ref, image="x@sha256:1", instances=1))
    refused = remove(api)
    assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
    assert refused.json()["services"] == [f"eleft/{ref.engine_name}"]
    far.remove(ref)
    assert remove(api).status_code == 204


def test_one_that_is_away_only_when_it_is_gone_for_good(east: Any, far: FakeDriver, api: Api) -> None:
    far.mood = Mood.AWAY
    refused = remove(api)
    assert (refused.status_code, refused.json()["code"]) == (409, "cluster_silent")
    assert AuditEntry.objects.filter(action="cluster.remove", result="refused").exists()
    assert remove(api, gone=True).status_code == 204


def test_a_stale_version_and_others(east: Any, api: Api) -> None:
    Cluster.objects.filter(name="east").update(version=7)
    late = api("operator").delete(EAST, {"typed_name": "east"}, format="json", headers={"If-Match": east["ETag"]})
    assert late.status_code == 412
    for name in ("owner", "outsider"):
        assert api(name).delete(EAST, {"typed_name": "east"}, format="json").status_code == 404
