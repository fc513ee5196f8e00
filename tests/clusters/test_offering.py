"""Which tenants may put environments on which clusters; the others cannot tell that these are there."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from apps.models import ClusterOffer, Environment
from apps.services import create_environment
from audit.models import AuditEntry
from backends.models import Cluster
from core.errors import Invalid
from tests.conftest import Cast

Api = Callable[[str], APIClient]
Browse = Callable[[str], Client]
OFFER = "/api/v1/clusters/hidden/offer"
SHOP = "/api/v1/tenants/acme/projects/shop/environments"


@pytest.fixture
def hidden(cast: Cast) -> Cluster:
    """A cluster that nobody is offered."""
    return Cluster.objects.create(name="hidden", title="Hidden one", kind="fake", address="fake://")


def offer(api: Api, **asked: Any) -> Any:
    return api("operator").put(OFFER, asked, format="json")


def new(api: Api, who: str = "owner", path: str = SHOP, **asked: Any) -> Any:
    return api(who).post(path, {"name": "x", "stage": "dev"} | asked, format="json")


def test_one_that_is_not_offered_is_as_one_that_is_not_there(hidden: Cluster, cast: Cast, api: Api) -> None:
    refused = [new(api, cluster=name) for name in ("hidden", "nothing")]
    assert [answer.status_code for answer in refused] == [422, 422]
    errors = [answer.json()["errors"] for answer in refused]
    assert errors[0] == errors[1]
    assert errors[0][0]["code"] == "unknown"
    moved = [api("owner").patch(f"{SHOP}/test", {"cluster": name}, format="json") for name in ("hidden", "nothing")]
    assert [answer.json()["errors"] for answer in moved] == [errors[0], errors[0]]
    body = {"name": "more", "environments": [{"name": "dev", "stage": "dev", "cluster": "hidden"}]}
    whole = api("owner").post("/api/v1/tenants/acme/projects", body, format="json")
    assert whole.json()["errors"][0]["field"] == "environments[0].cluster"


def test_the_service_itself_refuses(hidden: Cluster, cast: Cast) -> None:
    with pytest.raises(Invalid):
        create_environment(cast.actor("owner"), cast.shop, name="x", stage="dev", cluster=hidden)


def test_offered_to_some(hidden: Cluster, cast: Cast, api: Api, browse: Browse) -> None:
    assert offer(api, everyone=False, tenants=["acme"]).json() == {"everyone": False, "tenants": ["acme"], "version": 2}
    assert new(api, cluster="hidden").status_code == 201
    store = "/api/v1/tenants/globex/projects/store/environments"
    assert new(api, "outsider", store, cluster="hidden").json()["errors"][0]["code"] == "unknown"
    pages = ("/t/globex/projects/new/", "/t/globex/p/store/settings/")
    own = ("/t/acme/projects/new/", "/t/acme/p/shop/settings/")
    client = browse("outsider")
    assert not [path for path in pages if "Hidden one" in client.get(path).content.decode()]
    client = browse("owner")
    assert all("Hidden one" in client.get(path).content.decode() for path in own)


def test_what_a_page_does_not_offer_it_does_not_take(hidden: Cluster, cast: Cast, browse: Browse) -> None:
    client = browse("owner")
    asked = {"name": "x", "stage": "dev", "cluster": "hidden"}
    assert client.post("/t/acme/p/shop/settings/environments/", asked).status_code == 422
    assert client.post("/t/acme/projects/new/", {"name": "more", "dev": "hidden"}).status_code == 422
    assert not Environment.objects.filter(cluster=hidden).exists()


def test_offered_to_everyone_and_to_nobody_again(hidden: Cluster, cast: Cast, api: Api) -> None:
    offer(api, everyone=True)
    assert new(api, cluster="hidden").status_code == 201
    assert offer(api, everyone=False).json()["tenants"] == []
    assert new(api, name="y", cluster="hidden").status_code == 422
    assert api("owner").patch(f"{SHOP}/x", {"protected": True}, format="json").status_code == 200, "what is there stays"
    entries = AuditEntry.objects.filter(action="cluster.offer").order_by("seq")
    assert [(one.before, one.after) for one in entries] == [
        ({"everyone": False, "tenants": []}, {"everyone": True, "tenants": []}),
        ({"everyone": True, "tenants": []}, {"everyone": False, "tenants": []}),
    ]


def test_the_one_that_is_used_comes_first(hidden: Cluster, cast: Cast, api: Api) -> None:
    offer(api, everyone=True)
    Environment.objects.filter(tenant=cast.acme).update(cluster=hidden)
    assert new(api).json()["cluster"] == "hidden"
    ClusterOffer.objects.all().delete()
    assert new(api, name="y").json()["errors"][0]["code"] == "unknown"


def test_what_is_wrong_is_named(hidden: Cluster, cast: Cast, api: Api) -> None:
    unknown = offer(api, everyone=False, tenants=["acme", "nobody"])
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "tenants")
    assert "nobody" in unknown.json()["errors"][0]["message"]
    assert offer(api, everyone=True, tenants=["acme"]).status_code == 422
    assert not ClusterOffer.objects.filter(cluster=hidden).exists()


def test_a_stale_version_is_refused(hidden: Cluster, cast: Cast, api: Api) -> None:
    client = api("operator")
    read = client.get(OFFER)
    assert read.json() == {"everyone": False, "tenants": [], "version": 1}
    Cluster.objects.filter(pk=hidden.pk).update(version=2)
    late = client.put(OFFER, {"everyone": True}, format="json", headers={"If-Match": read["ETag"]})
    assert late.status_code == 412


def test_others_do_not_see_offers(hidden: Cluster, cast: Cast, api: Api) -> None:
    for name in ("owner", "auditor", "outsider"):
        assert api(name).get(OFFER).status_code == 404
        assert api(name).put(OFFER, {"everyone": True}, format="json").status_code == 404
