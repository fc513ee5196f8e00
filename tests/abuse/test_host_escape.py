"""The host is out of reach by every way a specification can come: API, form, YAML, stored text, rollback and scale."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from apps.models import App, AppEnvironment, Deployment, Release, ReleaseImage
from apps.specification import SpecificationError
from backends.fake import FakeDriver
from backends.swarm import manifests
from core.triggers import allow_statements, refuse_statements
from operations import tasks
from operations.models import Operation
from tests.abuse import kubernetes_words
from tests.abuse.engine_words import broken_texts, faults_of
from tests.apps.specification.test_foreign import escapes
from tests.apps.specification.test_refusals import BINDS, HOST_KEYS, OTHER_KEYS
from tests.conftest import Wakeups
from tests.pages.test_deploy_page import filled

P = "/api/v1/tenants/acme/projects/shop"
E = f"{P}/apps/hello/environments/dev"
PANEL = "/t/acme/p/shop/deploy/"
REFUSED = (400, 413, 422)
Send = Callable[[dict[str, Any]], Any]

ESCAPES: dict[str, dict[str, Any]] = {
    **{key: {key: value} for key, value in (HOST_KEYS | OTHER_KEYS).items()},
    **{f"mount {text}": {"volumes": [text]} for text in BINDS},
    "long bind": {"volumes": [{"type": "bind", "source": "/", "target": "/host"}]},
    "on managers": {"deploy": {"placement": {"constraints": ["node.role==manager"]}}},
    "everywhere": {"deploy": {"mode": "global"}},
    "our variable": {"environment": {"BERTH_TOKEN": "x"}},
    "our label": {"labels": {"berth.app": "app-of-globex"}},
    "the engine's label": {"labels": {"com.docker.stack.namespace": "globex"}},
    "a variable of a mebibyte": {"environment": {"A": "x" * (1 << 20)}},
    "too many variables": {"environment": {f"A{number}": "" for number in range(10_000)}},
}
IMAGES = ("--privileged", "berth/hello:1;id", "berth/hello 1", "-v/:/host", "../../etc", "a\n--privileged", "$(id)", "")
BAD_VOLUMES = {"data": {"driver": "local", "driver_opts": {"type": "none", "o": "bind", "device": "/"}}}


def documents() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, keys in ESCAPES.items():
        yield name, {"services": {"web": {"image": "berth/hello:1"} | keys}}
    for image in IMAGES:
        yield f"image {image}", {"services": {"web": {"image": image}}}
    yield (
        "bind by volume",
        {
            "services": {"web": {"image": "berth/hello:1", "volumes": ["data:/x"]}},
            "volumes": BAD_VOLUMES,
        },
    )
    yield (
        "others' network",
        {
            "services": {"web": {"image": "berth/hello:1"}},
            "networks": {"default": {"external": True, "name": "globex"}},
        },
    )


@pytest.fixture
def nothing_happened(driver: FakeDriver, wakeups: Wakeups, place: AppEnvironment) -> Iterator[None]:
    """After the test no release, deployment or operation has come of it, and the engine has heard nothing."""
    yield
    assert not Release.objects.exists()
    assert not Deployment.objects.exists()
    assert not Operation.objects.exists()
    assert App.objects.count() == 1
    assert driver.applied == []


def taken(send: Send) -> list[str]:
    """Names of the documents that were not refused."""
    found = []
    for name, document in documents():
        status = send(document).status_code
        if status not in REFUSED:
            found.append(f"{name}: {status}")
    return found


def test_by_the_api(nothing_happened: None, api: Callable[[str], APIClient]) -> None:
    client, address = api("owner"), f"{P}/apps/hello/deployments"
    assert taken(lambda spec: client.post(address, {"environment": "dev", "spec": spec}, format="json")) == []


def test_by_the_api_with_a_new_app(nothing_happened: None, api: Callable[[str], APIClient]) -> None:
    client = api("owner")
    body = {"name": "fresh", "environment": "dev"}
    assert taken(lambda spec: client.post(f"{P}/apps", body | {"spec": spec}, format="json")) == []


def test_by_yaml(nothing_happened: None, api: Callable[[str], APIClient]) -> None:
    client, address = api("owner"), f"{P}/apps/hello/deployments"
    as_text = lambda spec: {"environment": "dev", "spec": yaml.safe_dump(spec)}  # noqa: E731
    assert taken(lambda spec: client.post(address, as_text(spec), format="json")) == []


def test_by_the_panels_yaml(nothing_happened: None, browse: Callable[[str], Client]) -> None:
    client = browse("owner")
    sent = filled(client, mode="yaml", name="fresh", go="deploy")
    assert taken(lambda spec: client.post(PANEL, sent | {"yaml": yaml.safe_dump(spec)})) == []


def test_by_the_panels_fields(nothing_happened: None, browse: Callable[[str], Client]) -> None:
    client = browse("owner")
    sent = filled(client, name="fresh", go="deploy")
    for image in IMAGES:
        assert client.post(PANEL, sent | {"image": image}).status_code == 422, image
    odd = {
        "ports": "22;22",
        "cpu": "-1",
        "memory": "1e9",
        "instances": "1000000000",
        "lines": "BERTH_TOKEN=x",
    }
    for name, text in odd.items():
        assert client.post(PANEL, sent | {"image": "berth/hello:1", name: text}).status_code == 422, name


def test_by_the_panels_hidden_part(browse: Callable[[str], Client], place: AppEnvironment, driver: FakeDriver) -> None:
    """What the panel carries along is read as strictly as anything: it may be dropped, never taken."""
    client = browse("owner")
    for number, (_name, document) in enumerate(list(documents())[::6]):
        sent = filled(client, name=f"h{number}", image="berth/hello:1", base=json.dumps(document), go="deploy")
        assert client.post(PANEL, sent).status_code in (302, *REFUSED)
    for release in Release.objects.all():
        assert set(release.specification) == {"services"}
        for service in release.specification["services"].values():
            assert not set(service) & set(HOST_KEYS | OTHER_KEYS)
            assert not service.get("volumes")


def test_by_the_import_of_documents(
    nothing_happened: None, api: Callable[[str], APIClient], browse: Callable[[str], Client]
) -> None:
    """By the API and by the panel, whatever the documents ask for; what the API answers is never a specification."""
    client, panel = api("owner"), browse("owner")
    for name, found in escapes().items():
        text = yaml.safe_dump_all(found)
        answer = client.post(f"{P}/import", {"text": text}, format="json")
        assert answer.status_code == 200, name
        assert (answer.json()["ready"], answer.json()["spec"]) == (False, None), name
    sent = filled(panel, mode="import", name="fresh", go="take")
    for name in ("pod hostNetwork", "security privileged", "volume csi", "our own note", "kind DaemonSet"):
        page = panel.post(PANEL, sent | {"compose": yaml.safe_dump_all(escapes()[name])})
        assert "something stands in the way" in page.content.decode(), name


# --- what was stored already -------------------------------------------------------------------------------------


def tamper(table: str, column: str, value: Any) -> None:
    """Somebody with the database in their hands changes every row, past the trigger that forbids it."""
    with connection.cursor() as cursor:
        for statement in allow_statements(connection.vendor, table, "update"):
            cursor.execute(statement)
        cursor.execute(f"UPDATE {table} SET {column} = %s", [value])  # noqa: S608  names of this file only
        for statement in refuse_statements(connection.vendor, table, "update"):
            cursor.execute(statement)


STORED = [
    {"privileged": True},
    {"volumes": [{"type": "bind", "source": "/", "target": "/host"}]},
    {"volumes": ["/var/run/docker.sock:/var/run/docker.sock"]},
    {"cap_add": ["ALL"]},
    {"labels": {"berth.app": "app-of-globex"}},
    {"deploy": {"placement": {"constraints": ["node.role==manager"]}}},
]
DEEDS: dict[str, tuple[str, dict[str, Any]]] = {
    "rollback": (f"{E}/rollback", {"release": 1}),
    "deploy of a release": (f"{P}/apps/hello/deployments", {"environment": "dev", "release": 1}),
    "deploy of another image": (f"{P}/apps/hello/deployments", {"environment": "dev", "image": "berth/hello:2"}),
    "scale": (f"{E}/scale", {"service": "web", "instances": 5}),
    "restart": (f"{E}/restart", {}),
    "stop": (f"{E}/stop", {}),
}


def work(operation: str) -> None:
    """Two steps of a worker: the first only prepares."""
    for _step in range(2):
        Operation.objects.update(not_before=None)
        tasks.run_operation(operation)


@pytest.mark.parametrize("deed", list(DEEDS))
@pytest.mark.parametrize("escape", STORED, ids=lambda escape: next(iter(escape)))
def test_a_stored_release_that_was_edited_is_refused(
    escape: dict[str, Any], deed: str, running: AppEnvironment, api: Callable[[str], APIClient], driver: FakeDriver
) -> None:
    release = Release.objects.get()
    specification = {"services": {"web": release.specification["services"]["web"] | escape}}
    tamper("apps_release", "specification", json.dumps(specification))
    before = len(driver.applied)
    address, body = DEEDS[deed]
    assert api("owner").post(address, body, format="json").status_code == 422
    assert len(driver.applied) == before


def test_a_release_edited_after_it_was_accepted_never_reaches_the_engine(
    running: AppEnvironment, api: Callable[[str], APIClient], driver: FakeDriver, wakeups: Wakeups
) -> None:
    """The worker reads it again, and takes it no more than the page did."""
    accepted = api("owner").post(f"{E}/scale", {"service": "web", "instances": 5}, format="json")
    assert accepted.status_code == 202
    release = Release.objects.get()
    evil = {"services": {"web": release.specification["services"]["web"] | {"privileged": True}}}
    tamper("apps_release", "specification", json.dumps(evil))
    before = len(driver.applied)
    with pytest.raises(SpecificationError):  # a bug or an attack: it is loud
        work(accepted.json()["id"])
    assert len(driver.applied) == before


@pytest.mark.parametrize("pinned", ["--privileged", "berth/hello:1", "berth/hello:1 -v /:/host", ""])
def test_an_edited_pin_is_refused(
    pinned: str, running: AppEnvironment, api: Callable[[str], APIClient], driver: FakeDriver, wakeups: Wakeups
) -> None:
    assert ReleaseImage.objects.count() == 1
    tamper("apps_releaseimage", "pinned", pinned)
    before = len(driver.applied)
    accepted = api("owner").post(f"{E}/scale", {"service": "web", "instances": 5}, format="json")
    assert accepted.status_code == 202, accepted.content
    with pytest.raises(SpecificationError):
        work(accepted.json()["id"])
    assert len(driver.applied) == before


def test_the_hosts_port_is_not_the_persons(
    place: AppEnvironment, api: Callable[[str], APIClient], driver: FakeDriver, wakeups: Wakeups
) -> None:
    """It may be written, as in any Compose file; the engine never hears of it."""
    ports = [{"target": 8080, "published": "22", "mode": "ingress"}, "2377:8081"]
    body = {"environment": "dev", "spec": {"services": {"web": {"image": "berth/hello:1", "ports": ports}}}}
    accepted = api("owner").post(f"{P}/apps/hello/deployments", body, format="json")
    assert accepted.status_code == 202, accepted.content
    work(accepted.json()["id"])
    (spec,) = driver.applied
    said = manifests.service_body(spec, attempt="1", files={})
    assert faults_of(said) == []
    assert kubernetes_words.faults_of(spec) == []
    assert {one["PublishMode"] for one in said["EndpointSpec"]["Ports"]} == {"host"}


# --- what reaches the engine -------------------------------------------------------------------------------------

NASTY = {
    'quote "} , "Privileges": {"CredentialSpec": {}} , {"',
    "$(touch x) `id` ; rm -rf / | & > <",
    "{{.Node.Hostname}}{{range .}}",
    "--privileged\n-v /:/host",
    "\\u0022\\\\ %s %(x)s ${HOME}",
}


def test_texts_of_people_stay_texts(
    place: AppEnvironment,
    api: Callable[[str], APIClient],
    driver: FakeDriver,
    wakeups: Wakeups,
    django_capture_on_commit_callbacks: Any,
) -> None:
    """Each stands whole in one JSON string, beside keys that are all ours."""
    texts = {text.replace("$", "$$"): text for text in NASTY}
    service = {
        "image": "berth/hello:1",
        "command": list(texts),
        "entrypoint": ["/bin/sh", *texts],
        "environment": {f"A{number}": text for number, text in enumerate(texts)} | {"LD_PRELOAD": "/x.so"},
        "labels": {f"a.b{number}": text for number, text in enumerate(texts)},
        "healthcheck": {"test": ["CMD", *texts]},
    }
    body = {"environment": "dev", "spec": {"services": {"web": service}}}
    with django_capture_on_commit_callbacks(execute=True):
        accepted = api("owner").post(f"{P}/apps/hello/deployments", body, format="json")
    assert accepted.status_code == 202, accepted.content
    wakeups.drain()
    assert driver.applied
    for spec in driver.applied:
        said = json.loads(json.dumps(manifests.service_body(spec, attempt="1", files={})))
        assert faults_of(said) == []
        assert broken_texts(said, NASTY) == []
        assert kubernetes_words.faults_of(spec) == []
        assert kubernetes_words.broken_texts(spec, NASTY) == []


def test_the_words_for_the_engine_are_complete(running: AppEnvironment, driver: FakeDriver) -> None:
    """The check above sees what is too much."""
    said = manifests.service_body(driver.applied[0], attempt="1", files={})
    assert faults_of(said) == []
    said["TaskTemplate"]["ContainerSpec"]["Privileges"] = {"SELinuxContext": {"Disable": True}}
    said["TaskTemplate"]["ContainerSpec"]["CapabilityAdd"] = ["ALL"]
    said["TaskTemplate"]["ContainerSpec"]["Mounts"] = [{"Type": "bind", "Source": "/", "Target": "/host"}]
    said["TaskTemplate"]["Placement"] = {"Constraints": ["node.role==manager"]}
    assert len(faults_of(said)) == 5


def test_the_words_for_the_second_engine_are_complete(running: AppEnvironment, driver: FakeDriver) -> None:
    """As above: all that reaches the host, or another's environment, is seen."""
    (spec,) = {one.ref: one for one in driver.applied}.values()
    assert kubernetes_words.faults_of(spec) == []
    workload = kubernetes_words.said_of(spec)[-1]
    pod = workload["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    for part, key, value in (
        (pod, "hostNetwork", True),
        (pod, "hostPID", True),
        (pod, "initContainers", [{"image": "x"}]),
        (pod, "volumes", [{"name": "root", "hostPath": {"path": "/"}}]),
        (pod, "serviceAccountName", "admin"),
        (pod, "automountServiceAccountToken", True),
        (container, "securityContext", {"privileged": True}),
        (container, "envFrom", [{"secretRef": {"name": "of-globex"}}]),
        (workload["metadata"], "namespace", "of-globex"),
        (workload["metadata"], "name", "of-globex"),
        (workload["metadata"], "annotations", {"a": {"b": "c"}}),
    ):
        kept = dict(part)
        part[key] = value
        assert kubernetes_words.faults_in(workload, spec), key
        part.clear()
        part.update(kept)
    assert kubernetes_words.faults_in(workload, spec) == []
