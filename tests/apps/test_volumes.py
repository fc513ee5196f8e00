"""Sizes of volumes before, in and after a deployment: said, refused with a way out, counted, and shown."""

from collections.abc import Callable
from dataclasses import replace
from html import unescape
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from apps.models import AppEnvironment
from apps.preflight import Finding, mended, preflight
from apps.specification import Specification, read_data
from backends import registry
from backends.contract import Capabilities
from backends.fake import FakeDriver
from backends.models import Cluster
from tenants.quota.models import Quota
from tests.conftest import Cast, Wakeups
from tests.pages.test_deploy_page import filled

GIB = 1 << 30
OTHER = replace(Capabilities(), sizes_volumes=True, volumes_shared=False)
WHERE = "/api/v1/tenants/acme/projects/shop/apps/hello/deployments"
SIZES = {"size_not_kept", "volume_shrinks", "volume_keeps_size"}


@pytest.fixture
def other(driver: FakeDriver) -> None:
    """The fake cluster holds volumes to their size, one for each instance."""
    registry.register(Cluster.Kind.FAKE, lambda _cluster: driver, OTHER)


@pytest.fixture
def deploy(
    api: Callable[[str], APIClient],
    place: AppEnvironment,
    wakeups: Wakeups,
    django_capture_on_commit_callbacks: Any,
) -> Callable[..., Any]:
    """`deploy("10Gi")`: over HTTP, and to its end."""

    def run(size: str, *, instances: int = 1) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            body = {"environment": "dev", "spec": keeping(size, instances).canonical()}
            answer = api("developer").post(WHERE, body, format="json")
        with django_capture_on_commit_callbacks(execute=True):
            wakeups.drain()
        place.refresh_from_db()
        return answer

    return run


def keeping(size: str | None, instances: int = 1) -> Specification:
    service = {"image": "berth/hello:1", "volumes": ["data:/data"], "deploy": {"replicas": instances}}
    volume = {"x-berth": {"size": size}} if size else None
    return read_data({"services": {"web": service}, "volumes": {"data": volume}}).specification


def findings(cast: Cast, place: AppEnvironment, spec: Specification) -> dict[str, Finding]:
    found = {one.code: one for one in preflight(cast.actor("developer"), place, spec)}
    return {code: one for code, one in found.items() if code in SIZES}


def test_a_size_that_nothing_holds_to_is_said_and_no_more(cast: Cast, place: AppEnvironment) -> None:
    said = findings(cast, place, keeping("10Gi"))
    assert {code: one.level for code, one in said.items()} == {"size_not_kept": "warn"}
    assert findings(cast, place, keeping(None)) == {}


@pytest.mark.usefixtures("other")
def test_a_volume_never_becomes_smaller(cast: Cast, place: AppEnvironment, deploy: Callable[..., Any]) -> None:
    assert findings(cast, place, keeping("10Gi")) == {}
    assert deploy("10Gi").status_code == 202
    refused = deploy("9Gi")
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert (error["field"], error["code"]) == ("spec.volumes.data.x-berth.size", "volume_shrinks")
    assert "10 GB" in error["message"]
    assert "9 GB" in error["message"]
    assert place.release is not None
    assert place.release.number == 1
    finding = findings(cast, place, keeping("9Gi"))["volume_shrinks"]
    assert mended(keeping("9Gi"), finding.mend) == keeping("10Gi")


@pytest.mark.usefixtures("other")
@pytest.mark.parametrize(("grows", "status"), [(True, 202), (None, 202), (False, 422)])
def test_a_volume_grows_where_its_storage_can(
    cast: Cast, place: AppEnvironment, deploy: Callable[..., Any], grows: bool | None, status: int
) -> None:
    """Where nobody knows, the cluster is asked."""
    deploy("1Gi")
    Cluster.objects.update(volumes_grow=grows)
    place.environment.cluster.refresh_from_db()
    answer = deploy("2Gi")
    assert answer.status_code == status
    if status == 422:
        assert [one["code"] for one in answer.json()["errors"]] == ["volume_keeps_size"]
        finding = findings(cast, place, keeping("2Gi"))["volume_keeps_size"]
        assert mended(keeping("2Gi"), finding.mend) == keeping("1Gi")


@pytest.mark.usefixtures("other")
@pytest.mark.parametrize(
    ("grows", "said"),
    [
        (True, "can be made larger"),
        (False, "storage cannot make them larger"),
        (None, "whether they can be made larger is not known"),
    ],
)
def test_operators_read_whether_the_volumes_of_a_cluster_grow(
    browse: Callable[[str], Client], api: Callable[[str], APIClient], cast: Cast, grows: bool | None, said: str
) -> None:
    Cluster.objects.update(volumes_grow=grows)
    page = unescape(browse("operator").get(f"/clusters/{cast.cluster.name}/").content.decode())
    assert "have the size that is asked for" in page
    assert said in page
    told = api("operator").get(f"/api/v1/clusters/{cast.cluster.name}").json()
    assert (told["volumes_grow"], told["capabilities"]["sizes_volumes"]) == (grows, True)
    (row,) = api("operator").get("/api/v1/clusters").json()["results"]
    assert row["volumes_grow"] is grows
    assert api("owner").get(f"/api/v1/clusters/{cast.cluster.name}").status_code == 404


def test_where_volumes_have_no_size_nothing_is_said_of_growing(
    browse: Callable[[str], Client], api: Callable[[str], APIClient], cast: Cast
) -> None:
    page = browse("operator").get(f"/clusters/{cast.cluster.name}/").content.decode()
    assert "take what their host has" in page
    assert "larger" not in page
    assert api("operator").get(f"/api/v1/clusters/{cast.cluster.name}").json()["volumes_grow"] is None


@pytest.mark.usefixtures("other")
def test_each_instance_s_own_volume_counts(cast: Cast, place: AppEnvironment, deploy: Callable[..., Any]) -> None:
    Quota.objects.create(tenant=cast.acme, project=cast.shop, resource="storage", limit=10 * GIB)
    assert deploy("3Gi", instances=3).status_code == 202
    assert Quota.objects.get(project=cast.shop, resource="storage").used == 9 * GIB
    refused = deploy("4Gi", instances=3)
    assert (refused.status_code, refused.json()["code"]) == (409, "quota_exceeded")


@pytest.mark.usefixtures("other")
def test_the_form_shows_sizes_and_takes_others(
    browse: Callable[[str], Client], cast: Cast, place: AppEnvironment, deploy: Callable[..., Any]
) -> None:
    deploy("10Gi")
    developer = browse("developer")
    address = "/t/acme/p/shop/deploy/?app=hello&environment=dev"
    shown = filled(developer, address)
    assert shown["storage"] == "data 10Gi"
    for typed, said in (
        ("data lots", "is not the size of a volume"),
        ("other 1Gi", "The service has no volume other; it has: data."),
        ("data 9Gi", "cannot become smaller"),
    ):
        page = developer.post("/t/acme/p/shop/deploy/", shown | {"storage": typed, "go": "check"})
        assert said in page.content.decode(), typed
    asked = shown | {"storage": "data 12Gi", "go": "deploy"}
    assert developer.post("/t/acme/p/shop/deploy/", asked).status_code in (204, 302)
    latest = place.app.releases.order_by("-number").first()
    assert latest is not None
    assert latest.specification["volumes"] == {"data": {"x-berth": {"size": "12Gi"}}}


@pytest.mark.usefixtures("other")
def test_the_app_s_page_shows_the_size(browse: Callable[[str], Client], deploy: Callable[..., Any]) -> None:
    deploy("10Gi")
    page = browse("developer").get("/t/acme/p/shop/apps/hello/?topology=list")
    assert "/data · 10 GB" in page.content.decode()
