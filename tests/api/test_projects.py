"""Projects over HTTP: made with their environments, changed, suspended, deleted and brought back."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.models import AppEnvironment, ClusterOffer, Environment
from audit.models import AuditEntry
from backends.models import Cluster
from operations.models import Operation
from tenants.models import Project
from tests.api.conftest import Committed, Settle
from tests.conftest import Cast

Api = Callable[[str], APIClient]
T = "/api/v1/tenants/acme/projects"
P = f"{T}/shop"
STAGES = [{"name": "dev", "stage": "dev"}, {"name": "live", "stage": "prod", "cluster": "local"}]


def test_a_project_is_made_with_its_environments(cast: Cast, api: Api) -> None:
    client = api("owner")
    made = client.post(T, {"name": "web", "title": "Web", "environments": STAGES}, format="json")
    assert (made.status_code, made["Location"], made.json()["state"]) == (201, f"{T}/web", "active")
    rows = client.get(f"{T}/web/environments").json()["results"]
    assert [(row["name"], row["stage"], row["protected"], row["cluster"]) for row in rows] == [
        ("dev", "dev", False, "local"),
        ("live", "prod", True, "local"),
    ]
    actions = AuditEntry.objects.filter(project_id=made.json()["id"]).values_list("action", flat=True)
    assert list(actions.order_by("seq")) == ["project.create", "environment.create", "environment.create"]


@pytest.mark.parametrize(
    ("environments", "field"),
    [
        ([{"name": "Dev", "stage": "dev"}], "environments[0].name"),
        ([{"name": "dev", "stage": "dev"}, {"name": "dev", "stage": "test"}], "environments[1].name"),
        ([{"name": "dev", "stage": "dev", "cluster": "nowhere"}], "environments[0].cluster"),
    ],
)
def test_all_of_it_is_made_or_nothing(environments: list[Any], field: str, cast: Cast, api: Api) -> None:
    answer = api("owner").post(T, {"name": "web", "environments": environments}, format="json")
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == [field]
    assert not Project.objects.filter(name="web").exists()


def test_a_refusal_stays_on_record(cast: Cast, api: Api) -> None:
    answer = api("owner").post(T, {"name": "shop", "environments": STAGES}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")
    assert AuditEntry.objects.filter(action="project.create", result="refused").count() == 1
    assert api("developer").post(T, {"name": "web", "environments": STAGES}, format="json").status_code == 403


def test_an_environment_is_changed_on_top_of_what_was_read(running: AppEnvironment, cast: Cast, api: Api) -> None:
    client, dev = api("owner"), f"{P}/environments/dev"
    before = client.get(dev)
    changed = client.patch(dev, {"protected": True}, format="json", headers={"If-Match": before["ETag"]})
    assert (changed.status_code, changed.json()["protected"]) == (200, True)
    assert (
        client.patch(dev, {"protected": False}, format="json", headers={"If-Match": before["ETag"]}).status_code == 412
    )
    assert api("developer").patch(dev, {"protected": False}, format="json").status_code == 403
    entry = AuditEntry.objects.get(action="environment.update", result="accepted")
    assert (entry.before, entry.after) == ({"protected": False}, {"protected": True})


def test_the_cluster_of_an_environment_changes_while_nothing_is_there(
    running: AppEnvironment, cast: Cast, api: Api
) -> None:
    other = Cluster.objects.create(name="other", kind="fake")
    ClusterOffer.objects.create(cluster=other, tenant=cast.globex)
    Environment.objects.filter(project=cast.store, name="dev").update(cluster=other)
    client = api("outsider")
    store = "/api/v1/tenants/globex/projects/store/environments"
    assert client.patch(f"{store}/test", {"cluster": "other"}, format="json").json()["cluster"] == "other"
    foreign = api("owner").patch(f"{P}/environments/test", {"cluster": "other"}, format="json")
    assert foreign.json()["errors"][0]["code"] == "unknown"
    ClusterOffer.objects.create(cluster=other, tenant=cast.acme)
    busy = api("owner").patch(f"{P}/environments/dev", {"cluster": "other"}, format="json")
    assert (busy.status_code, busy.json()["code"]) == (409, "in_use")


def test_an_environment_without_history_can_be_removed(running: AppEnvironment, cast: Cast, api: Api) -> None:
    client = api("owner")
    kept = client.delete(f"{P}/environments/dev")
    assert (kept.status_code, kept.json()["code"]) == (409, "has_history")
    assert client.delete(f"{P}/environments/test").status_code == 204
    assert client.get(f"{P}/environments/test").status_code == 404
    assert client.get(f"{P}/apps/hello").status_code == 200


def test_suspended_and_resumed(
    running: AppEnvironment, cast: Cast, api: Api, settle: Settle, committed: Committed
) -> None:
    client = api("owner")
    accepted = committed(client.post, f"{P}/suspend", {"reason": "the move"}, format="json")
    assert accepted.status_code == 202
    settle()
    shown = client.get(P).json()
    assert (shown["state"], shown["state_by"], shown["state_reason"]) == ("suspended", "owner", "the move")
    assert client.get(f"/api/v1/operations/{accepted.json()['id']}").json()["state"] == "succeeded"
    body = {"environment": "dev", "image": "berth/hello:2"}
    refused = api("developer").post(f"{P}/apps/hello/deployments", body, format="json")
    assert (refused.status_code, refused.json()["code"]) == (409, "project_not_active")
    assert client.patch(P, {"title": "x"}, format="json").json()["code"] == "project_not_active"
    assert api("developer").get(f"{P}/apps/hello/environments/dev").json()["stopped"] is True
    again = client.post(f"{P}/suspend", format="json")
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")
    committed(client.post, f"{P}/resume", format="json")
    settle()
    assert client.get(P).json()["state"] == "active"


def test_deleted_and_brought_back(
    running: AppEnvironment, cast: Cast, api: Api, settle: Settle, committed: Committed
) -> None:
    client = api("owner")
    assert client.delete(P).json()["errors"][0]["code"] == "not_the_name"
    stale = client.delete(P, {"typed_name": "acme/shop"}, format="json", headers={"If-Match": '"99"'})
    assert stale.status_code == 412
    assert committed(client.delete, P, {"typed_name": "acme/shop"}, format="json").status_code == 202
    settle()
    assert client.get(P).status_code == 404
    assert client.get(T).json()["results"] == []
    deleted = client.get(f"{T}?state=deleted").json()["results"]
    assert [(row["name"], row["state"]) for row in deleted] == [("shop", "deleted")]
    assert api("developer").get(f"{T}?state=deleted").json()["results"] == []
    assert api("developer").post(f"{P}/restore", format="json").status_code == 404
    assert api("outsider").post(f"{P}/restore", format="json").status_code == 404
    assert committed(client.post, f"{P}/restore", format="json").status_code == 202
    settle()
    assert client.get(P).json()["state"] == "active"


def test_a_rehearsal_changes_nothing(running: AppEnvironment, cast: Cast, api: Api) -> None:
    client = api("owner")
    before = Operation.objects.count()
    for deed, body in (("suspend", {}), ("archive", {})):
        answer = client.post(f"{P}/{deed}?dry_run=true", body, format="json")
        assert (answer.status_code, answer.json()["ready"]) == (200, True)
    assert client.delete(f"{P}?dry_run=true", {"typed_name": "acme/shop"}, format="json").json()["ready"] is True
    assert (client.get(P).json()["state"], Operation.objects.count()) == ("active", before)
