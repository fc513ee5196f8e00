"""A release as a file: read, downloaded, imported again; and the import of documents in the deploy panel."""

from collections.abc import Callable

import pytest
import yaml
from django.test import Client
from rest_framework.test import APIClient

from apps.models import App, AppEnvironment, Release
from apps.specification import stored
from audit.models import AuditEntry
from tests.apps.specification.test_foreign import FILE
from tests.pages.test_deploy_page import filled

RELEASE = "/t/acme/p/shop/apps/hello/releases/1/"
P = "/api/v1/tenants/acme/projects/shop"
API = f"{P}/apps/hello/releases/1/export"
PANEL = "/t/acme/p/shop/deploy/"
Browse = Callable[[str], Client]
Api = Callable[[str], APIClient]


@pytest.mark.parametrize(("form", "label"), [("compose", "Compose"), ("kubernetes", "Kubernetes YAML")])
def test_a_release_can_be_read_and_taken_along(
    form: str, label: str, running: AppEnvironment, browse: Browse, api: Api
) -> None:
    client = browse("guest")
    page = client.get(f"{RELEASE}export/?environment=dev&as={form}").content.decode()
    assert label in page
    assert f"as={form}&amp;file" in page
    file = client.get(f"{RELEASE}export/?environment=dev&as={form}&file")
    assert file.headers["Content-Disposition"] == 'attachment; filename="hello-1.yaml"'
    answer = api("guest").get(f"{API}?format={form}")
    assert answer.content == file.content
    assert answer.headers["Content-Type"].startswith("text/plain")
    imported = api("owner").post(f"{P}/import", {"text": answer.content.decode()}, format="json").json()
    assert imported["ready"], imported["lines"]
    assert imported["speaks"] == label
    assert imported["spec"] == stored(Release.objects.get().specification).canonical()


def test_the_release_leads_there(running: AppEnvironment, browse: Browse) -> None:
    assert f"{RELEASE}export/?environment=dev" in browse("guest").get(RELEASE).content.decode()


def test_others_get_nothing(running: AppEnvironment, browse: Browse, api: Api) -> None:
    assert api("outsider").get(API).status_code == 404
    assert browse("outsider").get(f"{RELEASE}export/").status_code == 404
    assert api("guest").get(f"{API}?format=nothing").status_code == 400
    assert "Compose" in browse("guest").get(f"{RELEASE}export/?as=nothing").content.decode()


def test_the_panel_imports_documents_and_shows_each_line(place: AppEnvironment, browse: Browse) -> None:
    client = browse("developer")
    sent = filled(client, mode="import", name="", go="see")
    page = client.post(PANEL, sent | {"compose": FILE}).content.decode()
    assert "nothing stands in the way" in page
    assert "the port of web is published" in page
    assert page.count("canary-of-import") == 1, "only in the field it was pasted into"
    bad = FILE.replace("nodeSelector: {disk: ssd}", "hostNetwork: true")
    page = client.post(PANEL, sent | {"compose": bad}).content.decode()
    number = next(n for n, line in enumerate(bad.splitlines(), 1) if "hostNetwork" in line)
    assert f"Line {number} · " in page
    assert 'value="[3].spec.template.spec.hostNetwork"' in page
    taken = client.post(PANEL, sent | {"go": "take", "compose": FILE}).content.decode()
    assert "canary-of-import" not in taken
    assert "Imported from Kubernetes YAML" in taken
    assert 'value="shop"' in taken


def test_what_was_left_out_stands_in_the_audit(place: AppEnvironment, api: Api) -> None:
    text = yaml.safe_dump_all(
        [one for one in yaml.safe_load_all(FILE) if one["kind"] not in ("Secret",)], sort_keys=False
    ).replace("terminationGracePeriodSeconds: 20", "hostNetwork: true")
    base = "[2].spec.template.spec"
    ways = [f"{base}.hostNetwork", f"{base}.containers[0].volumeMounts[2]", f"{base}.volumes[2]"]
    found = api("developer").post(f"{P}/import", {"text": text, "leaving_out": ways}, format="json").json()
    assert found["ready"], [line for line in found["lines"] if line["kind"] == "refused"]
    assert sorted(found["left_out"]) == sorted(ways)
    made = api("developer").post(
        f"{P}/apps",
        {"name": "moved", "environment": "dev", "spec": found["spec"], "left_out": found["left_out"]},
        format="json",
    )
    assert made.status_code == 202, made.content
    assert App.objects.filter(name="moved").exists()
    assert any(f"{base}.hostNetwork" in str(one.detail) for one in AuditEntry.objects.all())
