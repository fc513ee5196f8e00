"""Clusters, images, the audit as a file, and what the API says of itself."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from rest_framework.test import APIClient

from apps.models import AppEnvironment
from audit.models import AuditEntry
from audit.services import Line, record, register_action
from backends.fake import FakeDriver
from backends.models import Cluster
from core.api.problem_types import PROBLEM_TYPES
from images.models import Artifact, Repository, Tag
from portal.api.reference import description
from tenants.models import Grant
from tests.conftest import Cast

Api = Callable[[str], APIClient]
ROOT = Path(__file__).resolve().parents[2]
P = "/api/v1/tenants/acme/projects/shop"
KEY = "canary-of-the-key"
DIGEST = "sha256:" + "a" * 64
ERRORS = r"\b(?:Conflict|Invalid|BadRequest|TooMany|Unavailable|Denied)"
RAISES = (
    re.compile(ERRORS + r"\((?:[^()]|\([^()]*\))*?code=\"(\w+)\""),
    re.compile(r"^    code, status = \"(\w+)\"", re.MULTILINE),
)
NOTED = register_action("test.noted")


def test_clusters_are_for_operators(running: AppEnvironment, api: Api) -> None:
    assert api("owner").get("/api/v1/clusters").json()["results"] == []
    assert api("owner").get("/api/v1/clusters/local").status_code == 404
    assert api("owner").post("/api/v1/clusters", {"name": "mine", "kind": "swarm"}, format="json").status_code == 403
    client = api("operator")
    assert [row["name"] for row in client.get("/api/v1/clusters").json()["results"]] == ["local"]
    assert client.get("/api/v1/clusters/local").json()["state"] == "ready"
    assert client.get("/api/v1/clusters/local/health").json()["state"] == "ready"
    assert client.get("/api/v1/clusters/local/hosts").status_code == 200


def test_the_life_of_a_cluster(cast: Cast, far: FakeDriver, api: Api) -> None:
    client = api("operator")
    body = {"name": "east", "kind": "kubernetes", "address": "https://10.0.0.5:6443", "client_key": KEY}
    made = client.post("/api/v1/clusters", body, format="json")
    assert (made.status_code, made["Location"]) == (201, "/api/v1/clusters/east")
    row = Cluster.objects.get(name="east")
    assert row.client_key.reveal() == KEY
    same = client.patch("/api/v1/clusters/east", {"title": "East"}, format="json", headers={"If-Match": made["ETag"]})
    assert (same.status_code, same.json()["version"]) == (200, 2)
    assert Cluster.objects.get(name="east").client_key.reveal() == KEY
    moved = client.patch("/api/v1/clusters/east", {"address": "https://10.0.0.6:6443"}, format="json")
    assert moved.json()["errors"][0]["code"] == "key_needed", "an old key is not sent to a new address"
    answers = client.get("/api/v1/clusters").content + made.content + same.content
    entries = str(list(AuditEntry.objects.values("detail", "before", "after")))
    assert "canary" not in answers.decode() + entries
    assert client.delete("/api/v1/clusters/east", {"typed_name": "east"}, format="json").status_code == 204
    assert client.delete("/api/v1/clusters/local", {"typed_name": "local"}, format="json").json()["code"] == "in_use"


@pytest.mark.parametrize("address", ["ssh://host", "file:///etc/passwd", "tcp://a b", "unix://\0", "host:1"])
def test_impossible_addresses(address: str, cast: Cast, api: Api) -> None:
    body = {"name": "east", "kind": "swarm", "address": address}
    assert api("operator").post("/api/v1/clusters", body, format="json").status_code == 422
    assert api("operator").post("/api/v1/clusters", body | {"kind": "fake"}, format="json").status_code == 422


def offer(name: str, tenant: Any = None) -> Artifact:
    home = Repository.objects.create(name=name, tenant=tenant)
    artifact = Artifact.objects.create(repository=home, digest=DIGEST, pinned=f"{name}@{DIGEST}", ports=["8080/tcp"])
    Tag.objects.create(repository=home, name="1", artifact=artifact)
    return artifact


def test_images(cast: Cast, api: Api) -> None:
    offer("berth/hello")
    offer("own", cast.acme)
    offer("theirs", cast.globex)
    client = api("developer")
    listed = client.get(f"{P}/images").json()["results"]
    assert [(row["name"], row["shared"]) for row in listed] == [("berth/hello", True), ("own", False)]
    tags = client.get(f"{P}/images/berth/hello/tags").json()["results"]
    assert [(row["reference"], row["digest"]) for row in tags] == [("berth/hello:1", DIGEST)]
    assert client.get(f"{P}/images/berth/hello/artifacts/{DIGEST}").json()["ports"] == ["8080/tcp"]
    foreign = client.get(f"{P}/images/theirs/tags")
    missing = client.get(f"{P}/images/no-such/tags")
    assert (foreign.status_code, foreign.content) == (404, missing.content)
    assert client.get(f"{P}/images/a%00b/tags").status_code == 404
    assert api("guest").get(f"{P}/images").status_code == 403


def body_of(answer: Any) -> bytes:
    return b"".join(answer)


@pytest.fixture
def noted(cast: Cast) -> list[str]:
    """Entries whose names would be formulas in a spreadsheet, and more of them than one piece of an export."""
    names = ["=HYPERLINK(1)", "+1", "-1", "@SUM", "\t=1", 'plain, with "quotes"']
    names += [f"name {number}" for number in range(600)]
    for name in names:
        line = Line(NOTED, tenant_id=cast.acme.pk, target_kind="app", target_name=name)
        record(cast.actor("owner"), line, result=AuditEntry.Result.DONE)
    return names


def test_the_audit_as_csv(noted: list[str], api: Api) -> None:
    answer = api("auditor").get("/api/v1/tenants/acme/audit/export?format=csv&action=test.noted")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="audit-acme.csv"'
    rows = list(csv.DictReader(io.StringIO(body_of(answer).decode(), newline="")))
    assert [row["target_name"] for row in rows] == [f"'{name}" if name[0] in "=+-@\t" else name for name in noted]


def test_the_audit_as_json_lines(noted: list[str], api: Api) -> None:
    answer = api("auditor").get("/api/v1/tenants/acme/audit/export?format=jsonl&action=test.noted")
    rows = [json.loads(line) for line in body_of(answer).splitlines()]
    assert [row["target_name"] for row in rows] == noted
    assert [row["seq"] for row in rows] == sorted(row["seq"] for row in rows)
    assert rows[1]["previous_hash"] == rows[0]["hash"]


def test_an_export_of_nothing_has_its_heading(cast: Cast, api: Api) -> None:
    body = body_of(api("auditor").get("/api/v1/tenants/acme/audit/export?action=no.such"))
    assert body.startswith(b"id,happened_at,chain,seq,")
    assert body.count(b"\r\n") == 1


def test_who_may_read_which_audit(cast: Cast, api: Api) -> None:
    Grant.objects.create(user=cast.guest, role="platform.auditor")
    whole = api("guest").get("/api/v1/audit?limit=200").json()["results"]
    assert {row["tenant_id"] for row in whole} == {str(cast.acme.pk), str(cast.globex.pk)}
    one = api("guest").get(f"/api/v1/audit?tenant_id={cast.globex.pk}&limit=200").json()["results"]
    assert {row["tenant_id"] for row in one} == {str(cast.globex.pk)}
    assert api("guest").get(f"/api/v1/audit/verify?chain=tenant:{cast.acme.pk}").json()["holds"] is True
    assert body_of(api("guest").get("/api/v1/audit/export?format=jsonl"))
    for path in ("/api/v1/audit", "/api/v1/audit/export", "/api/v1/audit/verify"):
        assert api("owner").get(path).status_code == 403
    for path in ("", "/export", "/verify"):
        assert api("developer").get(f"/api/v1/tenants/acme/audit{path}").status_code == 403
        assert api("outsider").get(f"/api/v1/tenants/acme/audit{path}").status_code == 404


def test_the_description_is_whole() -> None:
    complaints = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=io.StringIO(), stderr=complaints)
    assert complaints.getvalue() == ""


def test_every_operation_is_described() -> None:
    document = description()
    assert document["openapi"].startswith("3.1")
    operations = [one for path in document["paths"].values() for one in path.values()]
    assert len(operations) > 50
    for one in operations:
        assert one["summary"], one["operationId"]
        assert {"400", "401", "403", "404"} <= set(one["responses"])
        assert one["security"] == [{"token": []}, {"keystone": []}, {"session": []}]
        problem = one["responses"]["404"]["content"]["application/problem+json"]["schema"]
        assert problem == {"$ref": "#/components/schemas/Problem"}
    assert len({one["operationId"] for one in operations}) == len(operations)


def test_the_description_and_its_pages_are_for_people_who_signed_in(cast: Cast, api: Api, browse: Any) -> None:
    assert APIClient().get("/api/v1/schema").status_code == 401
    assert api("guest").get("/api/v1/schema").json()["info"]["title"] == "Berth"
    assert Client().get("/api/v1/docs").status_code == 302
    page = browse("guest").get("/api/v1/docs")
    assert page.status_code == 200
    scripts = re.findall(r"<script\b([^>]*)>([^<]*)</script>", page.content.decode())
    assert len(scripts) == 2
    assert all('src="/static/' in attributes and not text.strip() for attributes, text in scripts)
    assert "http" not in page.content.decode().replace("http-equiv", "")
    assert "'unsafe-inline'" not in page["Content-Security-Policy"]


def test_the_schema_of_the_specification(cast: Cast, api: Api) -> None:
    schema = api("guest").get("/api/v1/schemas/app").json()
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert "services" in schema["properties"]


def test_every_problem_has_a_meaning(cast: Cast, api: Api) -> None:
    """Codes that the source raises, found in it, are all documented."""
    packages = ("core", "audit", "operations", "backends", "tenants", "images", "apps", "portal")
    files = [path for package in packages for path in (ROOT / package).rglob("*.py")]
    raised: set[str] = set()
    for file in files:
        for pattern in RAISES:
            raised |= set(pattern.findall(file.read_text()))
    assert len(raised) > 15
    assert raised <= set(PROBLEM_TYPES), raised - set(PROBLEM_TYPES)
    answer = api("guest").get("/api/v1/problems/denied").json()
    assert (answer["status"], answer["type"]) == (403, "/api/v1/problems/denied")
    assert api("guest").get("/api/v1/problems/no_such").status_code == 404
