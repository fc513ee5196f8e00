"""The pages and the API of quotas, and the lines of the preflight that lead there."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from apps.models import AppEnvironment
from apps.preflight import preflight
from apps.specification import from_image
from tenants.quota import services
from tenants.quota.models import Quota, QuotaLoan
from tenants.requests.models import Request
from tenants.services import create_project
from tests.conftest import Cast

Browse = Callable[[str], Client]
Api = Callable[[str], APIClient]
PAGE = "/t/acme/quota/"
URL = "/api/v1/tenants/acme/quota"
SHOP = "/api/v1/tenants/acme/projects/shop"


@pytest.fixture
def limits(cast: Cast, running: AppEnvironment) -> None:
    """Three instances run, without limits of their own: 0.4 cores and 512 MB are taken."""
    services.limit_tenant(cast.actor("operator"), cast.acme, limits={"cpu": 8000})
    services.limit_project(cast.actor("owner"), cast.shop, limits={"cpu": 1000, "memory": 1 << 30, "instances": 4})


def test_the_preflight_says_what_is_left(cast: Cast, running: AppEnvironment, limits: None) -> None:
    spec = from_image("berth/hello:1", name="web", instances=3, cpu="0.1", memory="128Mi")
    found = preflight(cast.actor("developer"), running, spec)
    line = next(one for one in found if one.code == "quota")
    assert line.message == "0.6 of 1 core left, 512 MB of 1 GB left, 1 of 4 instances left"
    assert line.level == "ok"


def test_what_does_not_fit_leads_to_asking(cast: Cast, running: AppEnvironment, limits: None, browse: Browse) -> None:
    spec = from_image("berth/hello:1", name="web", instances=5, cpu="0.5", memory="16Mi")
    found = {one.message: one for one in preflight(cast.actor("developer"), running, spec) if one.level == "bad"}
    line = found["CPU: 2.6 cores more needed, 0.6 of 1 core left in shop."]
    assert line.button == "Ask for more"
    assert line.link == "/t/acme/quota/?ask=more&resource=cpu&limit=3000&project=shop"
    assert "Instances: 2 more needed, 1 of 4 instances left in shop." in found
    page = browse("developer").get(line.link).content.decode()
    assert 'value="3"' in page
    assert '<option value="cpu" selected>' in page


def test_the_deploy_panel_has_the_button(cast: Cast, running: AppEnvironment, limits: None, browse: Browse) -> None:
    data = {"name": "second", "environment": "dev", "mode": "form", "image": "berth/hello:1", "instances": "9"}
    answer = browse("developer").post("/t/acme/p/shop/deploy/", data | {"go": "check"})
    assert "instances left in shop" in answer.content.decode()
    assert "/t/acme/quota/?ask=more&amp;resource=instances" in answer.content.decode()


def test_a_service_without_limits_is_told_of(cast: Cast, running: AppEnvironment, limits: None) -> None:
    spec = from_image("berth/hello:1", name="web")
    found = [one for one in preflight(cast.actor("developer"), running, spec) if one.code == "limit_unsaid"]
    assert [one.mend for one in found] == [
        {"spec.services.web.deploy.resources.limits.cpus": "0.1"},
        {"spec.services.web.deploy.resources.limits.memory": "128Mi"},
    ]


def test_the_api_answers_409_with_what_is_left(api: Api, limits: None) -> None:
    answer = api("developer").post(
        f"{SHOP}/apps/hello/environments/dev/scale", {"service": "web", "instances": 9}, format="json"
    )
    assert answer.status_code == 409
    said = answer.json()
    assert said["code"] == "quota_exceeded"
    assert {"resource": "instances", "project": "shop", "needed": 6, "left": 1, "limit": 4} in said["quota"]
    assert "Ask for more" in said["hint"]


def test_the_page_shows_each_what_is_theirs(cast: Cast, limits: None, browse: Browse) -> None:
    create_project(cast.actor("owner"), cast.acme, name="billing")
    owner = browse("owner").get(PAGE).content.decode()
    assert "acme, all projects" in owner
    assert "billing" in owner
    assert "Set limits of shop" in owner
    assert "Lend between projects" in owner
    developer = browse("developer").get(PAGE).content.decode()
    assert "0.4 of 1 core" in developer
    for hidden in ("billing", "acme, all projects", "Set limits of shop", "Lend between projects"):
        assert hidden not in developer
    assert browse("outsider").get(PAGE).status_code == 404
    assert browse("guest").get(PAGE).status_code == 403


def test_asking_on_the_page(cast: Cast, limits: None, browse: Browse) -> None:
    asked = {"project": "shop", "resource": "memory", "limit": "4", "reason": "black week"}
    assert browse("developer").post(f"{PAGE}ask/", asked).status_code == 302
    row = Request.objects.get(kind="quota")
    assert row.payload == {"resource": "memory", "limit": 4 << 30, "before": 1 << 30}
    again = browse("developer").post(f"{PAGE}ask/?ask=more", asked)
    assert again.status_code == 422
    assert "asked for already" in again.content.decode()
    for wrong in ({"limit": "-1"}, {"limit": "0.5"}, {"project": "store"}, {"project": ""}, {"resource": "x"}):
        assert browse("developer").post(f"{PAGE}ask/", asked | wrong).status_code == 422
    assert Request.objects.count() == 1


def test_lending_and_taking_back_on_the_page(cast: Cast, limits: None, browse: Browse) -> None:
    other = create_project(cast.actor("owner"), cast.acme, name="billing")
    services.limit_project(cast.actor("owner"), other, limits={"memory": 4 << 30})
    until = (timezone.localdate() + timedelta(days=3)).isoformat()
    asked = {
        "lender": "billing",
        "borrower": "shop",
        "resource": "memory",
        "amount": "2",
        "until": until,
        "reason": "x",
    }
    offered = browse("owner").get(PAGE).context["lent"]
    chosen = {name: offered[name].initial or offered[name].field.choices[0][0] for name in ("lender", "borrower")}
    assert chosen == {"lender": "billing", "borrower": "shop"}, "two that differ"
    assert browse("developer").post(f"{PAGE}lend/", asked).status_code == 403
    assert browse("owner").post(f"{PAGE}lend/", asked | {"amount": "9"}).status_code == 422
    assert browse("owner").post(f"{PAGE}lend/", asked).status_code == 302
    page = browse("owner").get(PAGE).content.decode()
    assert "billing lends 2 GB to shop" in page
    assert "2 GB from billing" in page
    loan = QuotaLoan.objects.get()
    assert browse("developer").post(f"{PAGE}loans/{loan.pk}/return/").status_code == 404
    assert browse("owner").post(f"{PAGE}loans/{loan.pk}/return/").status_code == 302
    assert Quota.objects.get(project=cast.shop, resource="memory").borrowed == 0


def test_limits_are_set_on_the_page(cast: Cast, limits: None, browse: Browse) -> None:
    address = f"{PAGE}limits/?project=shop"
    page = browse("owner").get(address)
    assert page.context["form"]["cpu"].value() == 1
    version = page.context["place"].version
    filled = {"cpu": "2.5", "memory": "", "instances": "40", "storage": "", "routes": "", "version": version}
    assert browse("owner").post(address, filled).status_code == 302
    kept = dict(Quota.objects.filter(project=cast.shop).values_list("resource", "limit"))
    assert (kept["cpu"], kept["memory"], kept["instances"]) == (2500, None, 40)
    stale = browse("owner").post(address, filled)
    assert stale.status_code == 422
    assert "changed" in stale.content.decode()
    assert browse("developer").get(address).status_code == 403
    assert browse("owner").get(f"{PAGE}limits/").status_code == 403
    assert browse("operator").get(f"{PAGE}limits/").status_code == 200


def test_operators_see_every_tenant(cast: Cast, limits: None, browse: Browse) -> None:
    page = browse("operator").get("/tenants/").content.decode()
    assert "acme" in page
    assert "globex" in page
    assert "0.4 of 8 cores" in page
    assert browse("owner").get("/tenants/").status_code == 403


def test_the_api(cast: Cast, limits: None, api: Api) -> None:
    create_project(cast.actor("owner"), cast.acme, name="billing")
    owner = api("owner")
    whole = owner.get(URL)
    assert whole.json()["resources"][0] == {
        "resource": "cpu", "unit": "cores", "limit": 8.0, "used": 0.4, "borrowed": 0.0, "lent": 0.0, "left": 7.6,
    }  # fmt: skip
    assert [one["project"] for one in whole.json()["projects"]] == ["billing", "shop"]
    shop = owner.get(f"{SHOP}/quota")
    changed = owner.put(
        f"{SHOP}/quota", {"limits": {"cpu": 2, "memory": "2Gi"}}, format="json", HTTP_IF_MATCH=shop["ETag"]
    )
    assert changed.status_code == 200, changed.content
    assert changed["ETag"] != shop["ETag"]
    stale = owner.put(f"{SHOP}/quota", {"limits": {"cpu": 3}}, format="json", HTTP_IF_MATCH=shop["ETag"])
    assert stale.status_code == 412
    for wrong in ({"cpu": -1}, {"cpu": "much"}, {"petrol": 1}, {"memory": 1.5}, {"cpu": [1]}):
        assert owner.put(f"{SHOP}/quota", {"limits": wrong}, format="json").status_code == 422, wrong
    assert owner.put(URL, {"limits": {"cpu": 1}}, format="json").status_code == 403
    assert api("operator").put(URL, {"limits": {"cpu": 16}}, format="json").status_code == 200
    assert api("developer").get(f"{SHOP}/quota").status_code == 200
    assert api("guest").get(f"{SHOP}/quota").status_code == 403


def test_loans_by_the_api(cast: Cast, limits: None, api: Api) -> None:
    other = create_project(cast.actor("owner"), cast.acme, name="billing")
    services.limit_project(cast.actor("owner"), other, limits={"memory": 4 << 30})
    until = (timezone.now() + timedelta(days=3)).isoformat()
    body: dict[str, Any] = {
        "lender": "billing", "borrower": "shop", "resource": "memory", "amount": "1Gi", "until": until,
    }  # fmt: skip
    assert api("developer").post(f"{URL}/loans", body, format="json").status_code == 403
    assert api("owner").post(f"{URL}/loans", body | {"lender": "store"}, format="json").status_code == 422
    made = api("owner").post(f"{URL}/loans", body, format="json")
    assert made.status_code == 201, made.content
    assert api("owner").get(made["Location"]).json()["amount"] == float(1 << 30)
    assert api("owner").delete(made["Location"]).status_code == 204
    assert api("owner").get(made["Location"]).status_code == 404
