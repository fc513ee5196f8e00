"""Changes over HTTP: once per key, on top of the version that was read, rehearsed, and refused in full."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.models import App, AppEnvironment, Deployment, Release
from audit.models import AuditEntry
from operations.models import Operation, RememberedAnswer
from tests.api.conftest import Committed, Settle
from tests.conftest import Cast

P = "/api/v1/tenants/acme/projects/shop"
E = f"{P}/apps/hello/environments/dev"
SPEC = {"services": {"web": {"image": "berth/hello:1", "ports": ["8080"]}}}
Api = Callable[[str], APIClient]


def test_the_same_key_gets_the_first_answer_again(running: AppEnvironment, api: Api) -> None:
    client, body = api("developer"), {"service": "web", "instances": 4}
    answers = [client.post(f"{E}/scale", body, format="json", headers={"Idempotency-Key": "k1"}) for _each in range(20)]
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert len({answer["Location"] for answer in answers}) == 1
    assert [answer.headers.get("Idempotency-Replayed") for answer in answers[:2]] == [None, "true"]
    assert Operation.objects.filter(kind="app.scale.run").count() == 1


def test_the_same_key_with_another_body_is_refused(running: AppEnvironment, api: Api) -> None:
    client, key = api("developer"), {"Idempotency-Key": "k1"}
    client.post(f"{E}/scale", {"service": "web", "instances": 4}, format="json", headers=key)
    for path, body in ((f"{E}/scale", {"service": "web", "instances": 5}), (f"{E}/stop", {})):
        answer = client.post(path, body, format="json", headers=key)
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


def test_a_key_belongs_to_one_person(running: AppEnvironment, api: Api) -> None:
    body, key = {"service": "web", "instances": 4}, {"Idempotency-Key": "k1"}
    assert api("developer").post(f"{E}/scale", body, format="json", headers=key).status_code == 202
    other = api("owner").post(f"{E}/scale", body, format="json", headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "operation_active")


def test_a_refusal_is_not_remembered(place: AppEnvironment, api: Api, committed: Committed, settle: Settle) -> None:
    client, key = api("developer"), {"Idempotency-Key": "k1"}
    assert client.post(f"{E}/stop", headers=key).json()["code"] == "not_deployed"
    committed(client.post, f"{P}/apps/hello/deployments", {"environment": "dev", "spec": SPEC}, format="json")
    settle()
    assert client.post(f"{E}/stop", headers=key).status_code == 202


@pytest.mark.parametrize("key", ["", "x" * 201, "with space", "ümlaut"])
def test_impossible_keys(key: str, running: AppEnvironment, api: Api) -> None:
    answer = api("developer").post(f"{E}/stop", headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_idempotency_key")


def test_a_new_token_is_not_remembered(cast: Cast, api: Api) -> None:
    client, key = api("developer"), {"Idempotency-Key": "k1"}
    first = client.post("/api/v1/tokens", {"name": "ci"}, format="json", headers=key)
    assert (first.status_code, first.json()["token"][:6]) == (201, "berth_")
    again = client.post("/api/v1/tokens", {"name": "ci"}, format="json", headers=key)
    assert (again.status_code, again.json()["code"]) == (409, "name_taken")
    assert not RememberedAnswer.objects.exists()


def test_if_match(running: AppEnvironment, api: Api) -> None:
    client = api("developer")
    etag = client.get(E)["ETag"]
    assert etag == f'"{running.version}"'
    body = {"service": "web", "instances": 4}
    stale = client.post(f"{E}/scale", body, format="json", headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "changed_meanwhile")
    assert stale.json()["version"] == running.version
    assert client.post(f"{E}/scale", body, format="json", headers={"If-Match": "1"}).json()["code"] == "bad_if_match"
    assert client.post(f"{E}/scale", body, format="json", headers={"If-Match": etag}).status_code == 202


@pytest.mark.parametrize(
    ("path", "who"),
    [(f"{P}/apps/hello", "developer"), (P, "owner"), ("/api/v1/tenants/acme", "owner")],
)
def test_titles_are_edited_on_top_of_what_was_read(path: str, who: str, place: AppEnvironment, api: Api) -> None:
    client = api(who)
    etag = client.get(path)["ETag"]
    changed = client.patch(path, {"title": "One"}, format="json", headers={"If-Match": etag})
    assert (changed.status_code, changed.json()["title"]) == (200, "One")
    assert changed["ETag"] != etag
    lost = client.patch(path, {"title": "Two"}, format="json", headers={"If-Match": etag})
    assert (lost.status_code, client.get(path).json()["title"]) == (412, "One")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"{P}/apps", {"name": "other", "environment": "dev", "spec": SPEC}),
        (f"{P}/apps/hello/deployments", {"environment": "dev", "image": "berth/hello:2"}),
        (f"{P}/apps/hello/deployments", {"environment": "dev", "spec": SPEC}),
        (f"{E}/scale", {"service": "web", "instances": 9}),
        (f"{E}/restart", {}),
        (f"{E}/stop", {}),
        (f"{E}/withdraw", {}),
        (f"{E}/rollback", {"release": 1}),
    ],
)
def test_a_rehearsal_changes_nothing(path: str, body: dict[str, Any], running: AppEnvironment, api: Api) -> None:
    counted = (App, Release, Deployment, Operation, AuditEntry)
    before = [model._default_manager.count() for model in counted]
    answer = api("developer").post(f"{path}?dry_run=true", body, format="json", headers={"Idempotency-Key": "k"})
    assert answer.status_code == 200, answer.content
    assert (answer.json()["dry_run"], answer.json()["ready"]) == (True, True)
    assert [model._default_manager.count() for model in counted] == before
    version = running.version
    running.refresh_from_db()
    assert running.version == version


def test_a_rehearsal_of_a_deployment_tells_what_preflight_finds(running: AppEnvironment, api: Api) -> None:
    body = {"environment": "dev", "spec": {"services": {"web": {"image": "registry.example/no:1"}}}}
    answer = api("developer").post(f"{P}/apps/hello/deployments?dry_run=true", body, format="json").json()
    assert answer["ready"] is True
    assert {finding["code"] for finding in answer["findings"]} >= {"image_unknown"}
    assert all(
        set(finding) == {"level", "code", "message", "field", "hint", "mend", "link"} for finding in answer["findings"]
    )


@pytest.mark.parametrize("what", [{"image": "registry.example/no:1"}, {"release": 1}])
def test_a_rehearsal_looks_at_images_and_releases_too(what: dict[str, Any], running: AppEnvironment, api: Api) -> None:
    body = {"environment": "dev"} | what
    answer = api("developer").post(f"{P}/apps/hello/deployments?dry_run=true", body, format="json").json()
    assert answer["ready"] is True
    assert answer["findings"]


def test_a_rehearsal_refuses_like_the_real_thing(running: AppEnvironment, api: Api) -> None:
    client = api("developer")
    assert client.post(f"{E}/start?dry_run=true").json()["code"] == "already_started"
    assert client.post(f"{E.replace('dev', 'prod')}/stop?dry_run=true").status_code == 403
    denied = AuditEntry.objects.get(result="denied")
    assert (denied.action, denied.actor_name) == ("app.stop", "developer")


def test_everything_that_is_wrong_is_told_at_once(running: AppEnvironment, api: Api) -> None:
    answer = api("developer").post(f"{E}/scale", {"instances": "many", "replicas": 3}, format="json")
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    found = {(problem["field"], problem["code"]) for problem in answer.json()["errors"]}
    assert found == {("service", "required"), ("instances", "invalid"), ("replicas", "unknown_field")}


def test_a_bad_specification_is_answered_with_all_that_stands_in_the_way(place: AppEnvironment, api: Api) -> None:
    service = {"image": "a b", "privileged": True, "volumes": ["/etc:/etc"], "ports": ["70000"]}
    body = {"environment": "dev", "spec": {"services": {"web": service}}}
    answer = api("developer").post(f"{P}/apps/hello/deployments", body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, "specification_invalid")
    fields = {problem["field"] for problem in answer.json()["errors"]}
    assert fields >= {f"spec.services.web.{name}" for name in ("image", "privileged", "volumes[0]", "ports[0]")}


def test_a_specification_may_be_yaml(place: AppEnvironment, api: Api) -> None:
    text = "services:\n  web:\n    image: berth/hello:1\n    ports: ['8080']\n"
    answer = api("developer").post(f"{P}/apps/hello/deployments", {"environment": "dev", "spec": text}, format="json")
    assert answer.status_code == 202, answer.content
    assert Release.objects.get().specification["services"]["web"]["image"] == "berth/hello:1"


@pytest.mark.parametrize(
    "body",
    [
        {"environment": "dev"},
        {"environment": "dev", "image": "berth/hello:2", "release": 1},
        {"environment": "dev", "release": 1, "service": "web"},
        {"spec": SPEC},
        {"environment": "dev", "release": 0},
        {"environment": "dev", "release": 99},
        {"environment": "dev", "release": 10**30},
        {"environment": "moon", "release": 1},
        {"environment": "dev", "image": "--privileged"},
        [],
        "text",
        None,
    ],
)
def test_impossible_deployments(body: Any, running: AppEnvironment, api: Api) -> None:
    answer = api("developer").post(f"{P}/apps/hello/deployments", body, format="json")
    assert answer.status_code == 422, answer.content
    assert answer.json()["errors"]


def test_a_second_deployment_names_the_one_in_the_way(running: AppEnvironment, api: Api) -> None:
    client = api("developer")
    first = client.post(f"{E}/restart")
    second = client.post(f"{E}/stop")
    assert (second.status_code, second.json()["code"]) == (409, "operation_active")
    assert second.json()["operation"] == first.json()["id"]


def test_cancelling(running: AppEnvironment, api: Api, committed: Committed, settle: Settle) -> None:
    client = api("developer")
    started = committed(client.post, f"{E}/restart").json()
    number = Deployment.objects.get(operation=started["id"]).number
    asked = committed(client.post, f"{P}/apps/hello/deployments/{number}/cancel")
    assert (asked.status_code, asked.json()["cancel_requested"]) == (202, True)
    settle()
    done = client.get(f"/api/v1/operations/{started['id']}").json()
    assert (done["state"], done["failure"]["code"]) == ("cancelled", "cancelled")
    again = client.post(f"/api/v1/operations/{started['id']}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "not_cancellable")
    events = client.get(f"/api/v1/operations/{started['id']}/events").json()["results"]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert "developer" in next(event["message"] for event in events if event["code"] == "cancel_asked")
    later = client.get(f"/api/v1/operations/{started['id']}/events?after={len(events) - 1}").json()["results"]
    assert later == events[-1:]


def test_deleting_an_app(running: AppEnvironment, api: Api, committed: Committed, settle: Settle) -> None:
    client = api("owner")
    refused = client.delete(f"{P}/apps/hello")
    assert (refused.status_code, refused.json()["code"]) == (409, "still_running")
    assert committed(client.post, f"{E}/withdraw").status_code == 202
    settle()
    assert client.get(E).json()["state"]["status"] == "empty"
    assert client.delete(f"{P}/apps/hello").status_code == 204
    assert client.get(f"{P}/apps/hello").status_code == 404
    assert client.post(f"{P}/apps", {"name": "hello"}, format="json").status_code == 201


def test_an_event_stands_for_each_thing_that_happened(running: AppEnvironment, api: Api) -> None:
    client = api("developer")
    first = client.get(f"{E}/events?limit=2").json()
    rest = client.get(first["next"]).json()
    whole = client.get(f"{E}/events").json()["results"]
    assert (first["results"] + rest["results"])[:4] == whole[:4]
    assert whole[0]["code"] == "succeeded"
    assert whole[-1]["code"] == "accepted"
    assert client.get(rest["previous"]).json()["results"] == first["results"]
    assert [row["happened_at"] for row in whole] == sorted((row["happened_at"] for row in whole), reverse=True)


def test_an_unknown_id_is_nothing(cast: Cast, api: Api) -> None:
    assert api("owner").get(f"/api/v1/operations/{uuid.uuid4()}").status_code == 404
