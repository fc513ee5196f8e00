"""A real cluster of the second kind is connected, its missing rights told, its token changed, and removed."""

import base64
import html
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from backends.contract import CheckCode
from backends.kubernetes.driver import KubernetesDriver
from backends.kubernetes.rights import ACCOUNT, PLACE, objects
from backends.models import Cluster
from backends.registry import driver_for
from tests.backends.world import new_world
from tests.cluster import LiveCluster
from tests.conftest import Cast

pytestmark = [pytest.mark.kubernetes, pytest.mark.django_db]
Api = Callable[[str], APIClient]
CLUSTERS = "/api/v1/clusters"
SMALL = "berth-small"
LACKING = ("pods/exec", "pods/eviction", "secrets")
PATIENCE_SECONDS = 60.0
Account = Callable[[str, str], str]


@pytest.fixture(scope="module")
def role(kubernetes: LiveCluster) -> Iterator[LiveCluster]:
    """The account of Berth, and a second one whose role lacks something."""
    kubernetes.kubectl("delete", "namespace", PLACE, "--ignore-not-found", "--timeout=60s")  # of tests before these
    kubernetes.administer(*objects(), *_lacking())
    yield kubernetes
    kubernetes.kubectl("delete", "namespace", PLACE, "--wait=false")
    kubernetes.kubectl("delete", "clusterrole,clusterrolebinding", ACCOUNT, SMALL)


def _lacking() -> list[dict[str, Any]]:
    """No console, no usage, no secrets, and pods and hosts only read."""
    text = json.dumps([one for one in objects(usage=False) if one["kind"] != "Namespace"])
    small: list[dict[str, Any]] = json.loads(text.replace(f'"name": "{ACCOUNT}", "', f'"name": "{SMALL}", "'))
    for one in small:
        one["metadata"]["name"] = SMALL
        if "roleRef" in one:
            one["roleRef"]["name"] = one["subjects"][0]["name"] = SMALL
        for rule in one.get("rules", ()):
            rule["resources"] = [name for name in rule["resources"] if name not in LACKING]
            if rule["resources"] in (["pods"], ["nodes"]):
                rule["verbs"] = ["get", "list", "watch"]
        if "rules" in one:
            one["rules"] = [rule for rule in one["rules"] if rule["resources"]]
    return small


def token(cluster: LiveCluster, account: str = ACCOUNT, *more: str) -> str:
    return cluster.kubectl("-n", PLACE, "create", "token", account, *more).strip()


def kubeconfig(cluster: LiveCluster, text: str) -> str:
    authority = base64.b64encode(cluster.access.authority.encode()).decode()
    there = {"server": cluster.access.server, "certificate-authority-data": authority}
    return json.dumps(
        {
            "current-context": "berth",
            "clusters": [{"name": "c", "cluster": there}],
            "users": [{"name": "berth", "user": {"token": text}}],
            "contexts": [{"name": "berth", "context": {"cluster": "c", "user": "berth"}}],
        }
    )


def test_connected_in_the_page_with_the_role_that_is_offered(
    cast: Cast, role: LiveCluster, browse: Callable[[str], Client]
) -> None:
    client, text = browse("operator"), token(role)
    step = {"name": "east", "credentials": kubeconfig(role, text)}
    checked = client.post("/connect/by/kubernetes/", step | {"go": "check"})
    said = html.unescape(checked.content.decode())
    assert "It answers, version 1." in said
    assert "A right is missing" not in said
    assert "may do everything" not in said
    assert text not in said
    assert client.post("/connect/by/kubernetes/", step | {"go": "save"}).status_code == 302
    assert driver_for(Cluster.objects.get(name="east")).health().ready


def test_rights_that_are_missing_are_told_with_what_lacks(cast: Cast, role: LiveCluster, api: Api) -> None:
    body = {"name": "east", "credentials": kubeconfig(role, token(role, SMALL))}
    told = api("operator").post(f"{CLUSTERS}?dry_run=true", body, format="json").json()
    assert told["ready"] is False
    found = {(one["level"], one["code"], one["message"]) for one in told["findings"]}
    missing = "A right is missing: %s."
    assert {
        ("bad", "right_missing", missing % "create, patch, delete pods"),
        ("bad", "right_missing", missing % "get, list, create, patch, delete, deletecollection secrets"),
        ("warn", "no_console", missing % "get, create pods/exec"),
        ("warn", "no_emptying", missing % "create pods/eviction"),
        ("warn", "no_emptying", missing % "patch nodes"),
        ("warn", "no_usage", missing % "get nodes/proxy"),
    } <= found
    assert [one["level"] for one in told["findings"]] == sorted(one["level"] for one in told["findings"])
    refused = api("operator").post(CLUSTERS, body, format="json")
    assert (refused.status_code, refused.json()["code"]) == (409, "cluster_not_usable")


def test_the_administrator_is_more_than_is_needed(role: LiveCluster) -> None:
    found = KubernetesDriver(role.access).checks()
    assert found.passed
    assert CheckCode.ALL_RIGHTS in {one.code for one in found.findings}
    assert found.hosts_ready >= 1


def test_nobody_and_nothing_there(cast: Cast, role: LiveCluster, api: Api) -> None:
    def codes(text: str) -> list[str]:
        answer = api("operator").post(CLUSTERS, {"name": "east", "credentials": text}, format="json")
        assert answer.status_code == 409, answer.content
        return [one["code"] for one in answer.json()["findings"]]

    good = json.loads(kubeconfig(role, token(role)))
    assert codes(kubeconfig(role, "not-a-token")) == ["credentials_unknown"]
    good["clusters"][0]["cluster"].pop("certificate-authority-data")
    assert codes(json.dumps(good)) == ["cluster_untrusted"]
    port = role.access.server.rpartition(":")[0] + ":1"
    assert codes(kubeconfig(role, "t").replace(role.access.server, port)) == ["cluster_away"]


def test_a_new_token_while_the_old_one_is_taken_back(cast: Cast, role: LiveCluster, api: Api) -> None:
    client = api("operator")
    role.kubectl("-n", PLACE, "create", "secret", "generic", "old")
    old = token(role, ACCOUNT, "--bound-object-kind=Secret", "--bound-object-name=old")
    made = client.post(CLUSTERS, {"name": "east", "credentials": kubeconfig(role, old)}, format="json")
    assert made.status_code == 201, made.content
    role.kubectl("-n", PLACE, "delete", "secret", "old")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (told := client.post(f"{CLUSTERS}/east/check", {}, format="json").json())["ready"]:
        assert time.monotonic() < deadline, "the old token is still taken"
    assert [one["code"] for one in told["findings"]] == ["credentials_unknown"]
    refused = client.patch(f"{CLUSTERS}/east", {"credentials": kubeconfig(role, old)}, format="json")
    assert refused.json()["code"] == "cluster_not_usable"
    fresh = {"credentials": kubeconfig(role, token(role))}
    changed = client.patch(f"{CLUSTERS}/east", fresh, format="json", headers={"If-Match": made["ETag"]})
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    assert driver_for(Cluster.objects.get(name="east")).health().ready


def test_removed_only_when_nothing_of_ours_runs_there(cast: Cast, role: LiveCluster, api: Api) -> None:
    client = api("operator")
    body = {"name": "east", "credentials": kubeconfig(role, token(role)), "everyone": True}
    assert client.post(CLUSTERS, body, format="json").status_code == 201
    shop = "/api/v1/tenants/acme/projects/shop/environments"
    assert api("owner").post(shop, {"name": "far", "stage": "dev", "cluster": "east"}, format="json").status_code == 201
    asked = {"typed_name": "east"}
    bound = client.delete(f"{CLUSTERS}/east", asked, format="json")
    assert (bound.status_code, bound.json()["environments"]) == (409, ["acme / shop / far"])
    assert api("owner").delete(f"{shop}/far").status_code == 204
    world = new_world(KubernetesDriver(role.access))
    try:
        spec = world.saying("sleep 100000", instances=1)
        world.run(spec)
        held = client.delete(f"{CLUSTERS}/east", asked, format="json")
        assert (held.status_code, held.json()["code"]) == (409, "in_use")
        assert f"{spec.ref.environment}/{spec.ref.engine_name}" in held.json()["services"]
    finally:
        world.clear()
    assert client.delete(f"{CLUSTERS}/east", asked, format="json").status_code == 204
