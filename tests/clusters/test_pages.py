"""The operators' pages: connect a cluster step by step, new credentials, who may use it, remove."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.clusters.carried import opened, sealed
from apps.models import AppEnvironment, ClusterOffer
from backends.contract import CheckCode, Finding, Level
from backends.fake import FakeDriver, Mood
from backends.models import Cluster
from tests.clusters.given import ENGINE, TOKEN, kubeconfig, tls_parts, with_user
from tests.conftest import Cast

Browse = Callable[[str], Client]
BY_FILE, BY_ADDRESS = "/connect/by/kubernetes/", "/connect/by/swarm/"
ONE_CONTEXT = with_user(token=TOKEN)


def said(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def carried(answer: Any) -> str:
    """What the page keeps between two steps."""
    found = re.search(r'name="carried" value="([^"]*)"', answer.content.decode())
    assert found
    return found[1]


def upload(name: str, text: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text.encode())


def test_the_way_leads_from_the_list_to_a_cluster_that_is_connected(
    cast: Cast, far: FakeDriver, browse: Browse
) -> None:
    client = browse("operator")
    assert 'href="/connect/"' in said(client.get("/clusters/"))
    ways = said(client.get("/connect/"))
    assert f'href="{BY_FILE}"' in ways
    assert f'href="{BY_ADDRESS}"' in ways
    assert "create token" in said(client.get(BY_FILE))
    chooser = client.post(BY_FILE, {"name": "east", "credentials": kubeconfig(), "go": "check"})
    assert "Choose which context is meant" in said(chooser)
    assert "Which of its contexts" in said(chooser)
    assert TOKEN not in said(chooser)
    far.found = (Finding(CheckCode.NO_STORAGE, Level.WARN),)
    step = {"name": "east", "title": "East", "carried": carried(chooser), "context_name": "dev"}
    checked = client.post(BY_FILE, step | {"go": "check"})
    assert "It answers, version fake" in said(checked)
    assert "no default storage class" in said(checked)
    assert "will not start there" in said(checked)
    assert not Cluster.objects.filter(name="east").exists()
    assert checked["Cache-Control"] == "no-store"
    saved = client.post(BY_FILE, step | {"carried": carried(checked), "go": "save"})
    assert (saved.status_code, saved["Location"]) == (302, "/clusters/east/")
    row = Cluster.objects.get(name="east")
    assert row.client_key is not None
    assert (row.title, row.client_key.reveal()) == ("East", f"{TOKEN}-dev")
    assert TOKEN not in said(checked) + said(client.get("/clusters/east/"))


def test_a_file_may_be_sent_and_offered_to_everyone(cast: Cast, far: FakeDriver, browse: Browse) -> None:
    step = {"name": "east", "file": upload("config", ONE_CONTEXT), "everyone": "on", "go": "save"}
    assert browse("operator").post(BY_FILE, step).status_code == 302
    assert ClusterOffer.objects.filter(cluster__name="east", tenant=None).exists()


def test_an_address_with_tls_files(cast: Cast, far: FakeDriver, browse: Browse) -> None:
    client, parts = browse("operator"), tls_parts()
    files = {name: upload(f"{name}.pem", text) for name, text in parts.items()}
    checked = client.post(BY_ADDRESS, {"name": "east", "address": ENGINE, "go": "check"} | files)
    assert "It answers" in said(checked)
    assert "PRIVATE KEY" not in said(checked)
    step = {"name": "east", "address": ENGINE, "carried": carried(checked), "go": "save"}
    assert client.post(BY_ADDRESS, step).status_code == 302
    row = Cluster.objects.get(name="east")
    assert row.client_key is not None
    assert row.client_key.reveal() == parts["client_key"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (with_user(exec={"command": "sh"}), "user.exec would run a program"),
        (with_user(**{"auth-provider": {"name": "x"}}), "user.auth-provider"),
        (with_user(tokenFile="/etc/passwd"), "user.tokenFile names a file"),
        (with_user(token=TOKEN, **{"as": "root"}), "user.as would act as somebody else"),
        (kubeconfig(server="https://127.0.0.1:6443", more={"contexts": []}), "current context"),
        ("{", "neither YAML nor JSON"),
        ("", "Choose its file or paste its text"),
    ],
)
def test_what_cannot_be_taken_is_named(text: str, told: str, cast: Cast, far: FakeDriver, browse: Browse) -> None:
    for go in ("check", "save"):
        refused = browse("operator").post(BY_FILE, {"name": "east", "credentials": text, "go": go})
        assert (refused.status_code, TOKEN in said(refused)) == (422, False)
        if told != "current context":
            assert told in said(refused)
    assert not Cluster.objects.filter(name="east").exists()


def test_the_machine_itself_is_refused_with_the_way_out(cast: Cast, far: FakeDriver, browse: Browse) -> None:
    step = {"name": "east", "credentials": kubeconfig(server="https://localhost:6443"), "context_name": "prod"}
    refused = browse("operator").post(BY_FILE, step | {"go": "save"})
    assert "add_cluster --allow-loopback" in said(refused)


def test_what_cannot_be_used_cannot_be_saved(cast: Cast, far: FakeDriver, browse: Browse) -> None:
    far.mood = Mood.AWAY
    client = browse("operator")
    step = {"name": "east", "credentials": ONE_CONTEXT}
    checked = client.post(BY_FILE, step | {"go": "check"})
    assert "does not answer" in said(checked)
    assert 'value="save"' not in said(checked)
    refused = client.post(BY_FILE, step | {"go": "save"})
    assert (refused.status_code, "does not answer" in said(refused)) == (422, True)


def test_what_was_given_is_kept_for_its_giver_alone(cast: Cast, browse: Browse) -> None:
    given = {"credentials": TOKEN}
    text = sealed(cast.actor("operator"), given)
    assert TOKEN not in text
    assert opened(cast.actor("operator"), text) == given
    assert opened(cast.actor("owner"), text) == {}
    assert opened(cast.actor("operator"), "nothing") == {}


@pytest.mark.parametrize("path", ["/connect/", BY_FILE, BY_ADDRESS, "/connect/role/", "/clusters/local/credentials/",
                                  "/clusters/local/offer/", "/clusters/local/remove/"])  # fmt: skip
def test_only_operators(path: str, cast: Cast, browse: Browse) -> None:
    for name in ("owner", "developer", "auditor", "outsider"):
        client = browse(name)
        assert client.get(path).status_code == 403
        assert client.post(path).status_code in (403, 405)
    assert browse("operator").get(path).status_code == 200


def test_ways_and_clusters_that_are_not_there(cast: Cast, browse: Browse) -> None:
    client = browse("operator")
    paths = ("/connect/by/fake/", "/connect/by/x/", "/clusters/x/credentials/", "/clusters/x/offer/")
    assert {client.get(path).status_code for path in paths} == {404}


@pytest.fixture
def east(cast: Cast, far: FakeDriver, browse: Browse) -> Cluster:
    browse("operator").post(BY_FILE, {"name": "east", "credentials": ONE_CONTEXT, "go": "save"})
    return Cluster.objects.get(name="east")


def test_new_credentials(east: Cluster, far: FakeDriver, browse: Browse) -> None:
    client, path = browse("operator"), "/clusters/east/credentials/"
    assert TOKEN not in said(client.get(path))
    step = {"version": "1", "credentials": with_user(token="canary-new")}
    far.mood = Mood.AWAY
    assert client.post(path, step | {"go": "save"}).status_code == 422
    far.mood = Mood.WELL
    checked = client.post(path, step | {"go": "check"})
    assert "It answers" in said(checked)
    saved = client.post(path, {"version": "1", "carried": carried(checked), "go": "save"})
    assert saved.status_code == 302
    east.refresh_from_db()
    assert east.client_key is not None
    assert (east.version, east.client_key.reveal()) == (2, "canary-new")
    late = client.post(path, step | {"go": "save"})
    assert (late.status_code, "Somebody changed this" in said(late)) == (422, True)


def test_who_may_use_it(east: Cluster, browse: Browse) -> None:
    client, path = browse("operator"), "/clusters/east/offer/"
    assert "nobody" in said(client.get("/clusters/east/"))
    assert "globex" in said(client.get(path))
    assert client.post(path, {"whom": "some", "tenants": ["acme"], "version": "1"}).status_code == 302
    assert "acme" in said(client.get("/clusters/east/"))
    late = client.post(path, {"whom": "everyone", "version": "1"})
    assert (late.status_code, "Somebody changed this" in said(late)) == (422, True)
    assert client.post(path, {"whom": "everyone", "version": "2"}).status_code == 302
    assert "every tenant" in said(client.get("/clusters/east/"))
    assert client.post(path, {"whom": "some", "tenants": ["none"], "version": "3"}).status_code == 422


def test_removing(east: Cluster, running: AppEnvironment, far: FakeDriver, browse: Browse) -> None:
    client = browse("operator")
    page = said(client.get("/clusters/local/remove/"))
    assert "acme / shop / dev" in page
    refused = client.post("/clusters/local/remove/", {"typed_name": "local"})
    assert (refused.status_code, "are bound to local" in said(refused)) == (422, True)
    assert "Type east to remove it" in said(client.post("/clusters/east/remove/", {"typed_name": "x"}))
    far.mood = Mood.AWAY
    silent = client.post("/clusters/east/remove/", {"typed_name": "east"})
    assert "nobody can see" in said(silent)
    gone = client.post("/clusters/east/remove/", {"typed_name": "east", "gone": "on"})
    assert (gone.status_code, gone["Location"]) == (302, "/clusters/")
    assert not Cluster.objects.filter(name="east").exists()
