"""Filling what all share: hosts with logs and volumes, the audit with failing sign-ins, the queue with requests."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from apps.models import AppEnvironment, Deployment
from audit.models import AuditEntry
from backends.contract import VOLUME_BYTES
from backends.fake import FakeDriver
from backends.swarm import manifests
from tenants.quota.models import Quota
from tests.conftest import Cast

Api = Callable[[str], APIClient]
P = "/api/v1/tenants/acme/projects/shop"
SIGN_IN = "/accounts/sign-in/"


def test_what_an_instance_writes_is_bounded_by_us(running: AppEnvironment, driver: FakeDriver, api: Api) -> None:
    """However the engine was set up; and nobody sets it otherwise."""
    said = manifests.service_body(driver.applied[0], attempt="1", files={})["TaskTemplate"]["LogDriver"]
    assert said == {"Name": "json-file", "Options": {"max-size": "100m", "max-file": "5"}}
    logging = {"driver": "json-file", "options": {"max-size": "1000g"}}
    spec = {"services": {"web": {"image": "berth/hello:1", "logging": logging}}}
    answer = api("owner").post(f"{P}/apps/hello/deployments", {"environment": "dev", "spec": spec}, format="json")
    assert answer.status_code == 422


def test_volumes_beyond_the_quota_are_not_made(place: AppEnvironment, cast: Cast, driver: FakeDriver, api: Api) -> None:
    Quota.objects.create(tenant=cast.acme, project=cast.shop, resource="storage", limit=2 * VOLUME_BYTES)
    names = ["one", "two", "three"]
    web = {"image": "berth/hello:1", "volumes": [f"{name}:/{name}" for name in names]}
    spec = {"services": {"web": web}, "volumes": {name: {} for name in names}}
    answer = api("owner").post(f"{P}/apps/hello/deployments", {"environment": "dev", "spec": spec}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "quota_exceeded")
    assert not Deployment.objects.exists()
    assert driver.applied == []


def test_failing_sign_ins_do_not_fill_the_audit(cast: Cast, client: Client, settings: Any) -> None:
    """Of one name five, of one address as many as it may: all that come after leave nothing."""
    settings.AXES_ADDRESS_LIMIT = 12
    before = AuditEntry.objects.count()
    for turn in range(60):
        client.post(SIGN_IN, {"username": f"name-{turn % 20}", "password": "wrong"})
    assert AuditEntry.objects.count() - before == 12


def test_what_is_sent_is_bounded_before_it_is_kept(running: AppEnvironment, api: Api) -> None:
    document = '{"note": "%s"}' % ("x" * (2 << 20))
    answer = api("owner").post(f"{P}/apps/hello/deployments", document, content_type="application/json")
    assert answer.status_code == 413
    assert Deployment.objects.count() == 1


@pytest.mark.parametrize("who", ["guest", "outsider"])
def test_refused_attempts_are_kept_short(who: str, running: AppEnvironment, api: Api) -> None:
    """Each leaves a row, which is what the audit is for; what was sent with it does not grow that row."""
    address = f"{P}/apps/hello/deployments"
    body = {"environment": "dev", "image": "berth/hello:1", "note": "n" * 100_000}
    api(who).post(address, body, format="json")
    rows = AuditEntry.objects.filter(actor_name=who)
    assert all(len(f"{row.detail}{row.before}{row.after}") < 10_000 for row in rows)
