"""Hosts over HTTP: looked at, closed, emptied and opened by operators, followed and called off."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from apps.models import AppEnvironment
from apps.observing import observe
from backends.fake import FakeDriver
from backends.models import Host
from operations.models import Operation
from tests.api.conftest import Committed, Settle
from tests.conftest import Cast

Api = Callable[[str], APIClient]


@pytest.fixture
def address(cast: Cast, running: AppEnvironment, driver: FakeDriver) -> str:
    driver.add_host("host-2")
    observe(cast.cluster)
    return f"/api/v1/clusters/local/hosts/{Host.objects.get(engine_id='host-1').pk}"


def test_a_host_says_how_much_is_there(api: Api, address: str) -> None:
    told = api("operator").get(address).json()
    assert (told["name"], told["schedulable"], told["operation"]) == ("fake", True, None)
    counted = {name: told[name] for name in ("instances", "apps", "projects", "tenants", "services_with_one_instance")}
    assert counted == {"instances": 3, "apps": 1, "projects": 1, "tenants": 1, "services_with_one_instance": 0}
    for name in ("owner", "developer", "auditor", "outsider"):
        assert api(name).get(address).status_code == 404
        assert api(name).post(f"{address}/drain").status_code == 404


def test_emptied_followed_and_opened(
    api: Api, address: str, committed: Committed, settle: Settle, driver: FakeDriver
) -> None:
    client = api("operator")
    begun = committed(client.post, f"{address}/drain", {"reason": "a new disk"}, format="json")
    assert (begun.status_code, begun.json()["kind"]) == (202, "host.drain.run")
    assert client.get(address).json()["operation"]["id"] == begun.json()["id"]
    settle()
    after = client.get(begun["Location"]).json()
    assert (after["state"], after["target_name"]) == ("succeeded", "fake")
    events = client.get(f"{begun['Location']}/events").json()["results"]
    assert [one["message"] for one in events][1:3] == ["fake takes nothing new from now on", "0 of 3 instances moved"]
    assert [one["id"] for one in client.get("/api/v1/operations?kind=host.drain.run").json()["results"]] == [
        begun.json()["id"]
    ]
    assert client.get(address).json()["schedulable"] is False
    committed(client.post, f"{address}/uncordon")
    settle()
    assert client.get(address).json()["schedulable"] is True


def test_nobody_else_sees_what_operators_do(api: Api, address: str, committed: Committed) -> None:
    begun = committed(api("operator").post, f"{address}/cordon")
    for name in ("owner", "developer", "auditor", "outsider"):
        client = api(name)
        assert client.get(begun["Location"]).status_code == 404
        assert client.post(f"{begun['Location']}/cancel").status_code == 404
        assert not [one for one in client.get("/api/v1/operations").json()["results"] if one["kind"].startswith("host")]


def test_the_same_key_is_one_operation_and_a_rehearsal_none(api: Api, address: str, committed: Committed) -> None:
    client = api("operator")
    rehearsed = client.post(f"{address}/drain?dry_run=true")
    assert (rehearsed.status_code, rehearsed.json()["ready"]) == (200, True)
    assert not Operation.objects.filter(kind="host.drain.run").exists()
    headers = {"Idempotency-Key": "once"}
    first = committed(client.post, f"{address}/drain", headers=headers)
    again = committed(client.post, f"{address}/drain", headers=headers)
    assert (first.status_code, again.json()["id"]) == (202, first.json()["id"])
    other = client.post(f"{address}/cordon")
    assert (other.status_code, other.json()["code"]) == (409, "operation_active")


def test_called_off(api: Api, address: str, committed: Committed, settle: Settle, driver: FakeDriver) -> None:
    client = api("operator")
    begun = committed(client.post, f"{address}/drain")
    assert committed(client.post, f"{begun['Location']}/cancel").status_code == 202
    settle()
    assert client.get(begun["Location"]).json()["state"] == "cancelled"
    assert all(host.schedulable for host in driver.hosts())


@pytest.mark.parametrize("body", [{"reason": "x" * 501}, {"leave_volumes": "perhaps"}, {"force": True}])
def test_what_is_no_order_is_refused(api: Api, address: str, body: dict[str, object]) -> None:
    assert api("operator").post(f"{address}/drain", body, format="json").status_code == 422
