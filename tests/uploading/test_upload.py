"""An archive is uploaded, looked through, and lies in the registry under its tags."""

import gzip
import json
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from audit.models import AuditEntry
from images.models import Artifact, Repository, Tag, Upload
from images.registry import client, signing
from images.registry.scopes import REPOSITORY, Scope
from operations.models import Operation
from tests.conftest import Cast
from tests.uploading import archives
from tests.uploading.conftest import UPLOADS, Sender, left_behind, newest, work_off

pytestmark = pytest.mark.usefixtures("registry")


def test_what_docker_saves_lies_in_the_registry(
    sender: Sender, cast: Cast, registry: dict[str, str], django_capture_on_commit_callbacks: Any
) -> None:
    data = archives.docker("web:1.4", "web:latest")
    with django_capture_on_commit_callbacks(execute=True):
        answer = sender.put(data)
        assert (answer.status_code, answer["Upload-Offset"]) == (204, str(len(data)))
        operation = work_off(newest())
    assert operation.state == Operation.State.SUCCEEDED, operation.failure
    shown = sender.shown(newest().pk)
    address = registry["url"].partition("://")[2]
    assert (shown["state"], shown["reference"]) == ("done", f"{address}/acme/shop/web")
    found = client.manifest("acme/shop/web", "1.4")
    assert found is not None
    assert found.digest == shown["digest"] == client.digest_of("acme/shop/web", "latest")
    row = Artifact.objects.get(repository__path="acme/shop/web", digest=shown["digest"])
    assert (row.pushed_by, row.ports, row.platform) == ("developer", ["8080/tcp"], f"linux/{archives.machine()}")
    assert set(Tag.objects.filter(artifact=row).values_list("name", flat=True)) == {"1.4", "latest"}
    assert left_behind() == []
    actions = set(AuditEntry.objects.filter(actor_name="developer").values_list("action", "result"))
    assert {
        ("image.upload", "accepted"), ("image.upload_finish", "accepted"), ("image.upload.run", "done"),
        ("image.push", "done"),
    } <= actions  # fmt: skip


@pytest.mark.skipif(shutil.which("skopeo") is None, reason="skopeo is not installed")
def test_other_clients_read_what_was_put_there(
    sender: Sender, registry: dict[str, str], django_capture_on_commit_callbacks: Any, tmp_path: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        sender.put(archives.docker("web:1.4"), repository="team/site", tags=["a", "b"])
        assert work_off(newest()).state == Operation.State.SUCCEEDED
    token = signing.issue("system:test", [Scope(REPOSITORY, "acme/shop/team/site", ("pull",))])
    image = f"docker://{registry['url'].partition('://')[2]}/acme/shop/team/site:a"
    words = ["skopeo", "copy", "--src-tls-verify=false", "--src-registry-token", token, image, f"dir:{tmp_path}/out"]
    done = subprocess.run(words, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert len(manifest["layers"]) == 2


@pytest.mark.parametrize("packed", [True, False])
def test_a_layout_keeps_its_digest(
    packed: bool, sender: Sender, cast: Cast, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        sender.put(archives.layout("shop/api:2", packed=packed))
        operation = work_off(newest())
    assert operation.state == Operation.State.SUCCEEDED, operation.failure
    found = client.manifest("acme/shop/api", "2")
    assert found is not None
    assert found.digest == newest().digest
    assert Repository.objects.get(path="acme/shop/api").project_id == cast.shop.pk


def test_an_archive_may_be_packed(sender: Sender, django_capture_on_commit_callbacks: Any) -> None:
    data = gzip.compress(archives.docker("packed:3"))
    with django_capture_on_commit_callbacks(execute=True):
        sender.put(data, file_name="web.tar.gz")
        assert newest().seen["packed"] == "gzip"
        operation = work_off(newest())
    assert operation.state == Operation.State.SUCCEEDED, operation.failure
    assert client.digest_of("acme/shop/packed", "3") == newest().digest
    assert left_behind() == []


def test_it_goes_on_where_it_was_cut(sender: Sender, django_capture_on_commit_callbacks: Any) -> None:
    data = archives.docker("cut:1")
    upload = sender.begin(data).json()["id"]
    third = len(data) // 3 + 7
    assert sender.send(upload, data[:third])["Upload-Offset"] == str(third)
    told = sender.client.head(f"{UPLOADS}/{upload}")
    assert (told["Upload-Offset"], told["Upload-Length"], told["Tus-Resumable"]) == (
        str(third),
        str(len(data)),
        "1.0.0",
    )
    for wrong in (0, third + 1, len(data)):
        refused = sender.send(upload, b"x" * 10, at=wrong)
        assert (refused.status_code, refused.json()["code"]) == (409, "upload_offset")
        assert refused.json()["received_bytes"] == third
    assert sender.send(upload, b"", at=third).status_code == 204  # nothing more is nothing wrong
    with django_capture_on_commit_callbacks(execute=True):
        assert sender.send(upload, data[third:], at=third).status_code == 204
        assert work_off(newest()).state == Operation.State.SUCCEEDED
    assert sender.send(upload, b"more", at=len(data)).json()["code"] == "upload_over"


def test_one_byte_at_a_time_is_looked_at_like_all_at_once(sender: Sender) -> None:
    """Headers that are split between two pieces are found all the same."""
    data = archives.tar_of([(archives.entry("x" * 300 + "/../../out", size=3), b"abc")])
    upload = sender.begin(data).json()["id"]
    for at in range(0, len(data), 400):
        answer = sender.send(upload, data[at : at + 400], at=at)
        if answer.status_code != 204:
            break
    assert (answer.status_code, answer.json()["reason"]) == (422, "upload_entry_path")
    assert at < len(data) // 2


def test_a_layer_that_is_there_is_not_sent_again(
    sender: Sender, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from images.registry.pushing import Door

    with django_capture_on_commit_callbacks(execute=True):
        sender.put(archives.docker("again:1"))
        assert work_off(newest()).state == Operation.State.SUCCEEDED
        sent: list[int] = []
        send = Door.send
        monkeypatch.setattr(Door, "send", lambda *a, **k: (sent.append(k["at"]), send(*a, **k))[1])
        sender.put(archives.docker("again:2"))
        assert work_off(newest()).state == Operation.State.SUCCEEDED
    assert sent == []
    assert client.digest_of("acme/shop/again", "2") == client.digest_of("acme/shop/again", "1")


def test_who_may_not_push_may_not_upload(api: Callable[[str], APIClient], sender: Sender, cast: Cast) -> None:
    data = archives.docker("web:1")
    body = {"file_name": "web.tar", "size_bytes": len(data)}
    assert api("guest").post(UPLOADS, body, format="json").status_code == 403
    assert api("guest").get(UPLOADS).status_code == 403
    assert api("outsider").post(UPLOADS, body, format="json").status_code == 404
    upload = sender.begin(data).json()["id"]
    assert Sender(api("owner")).send(upload, data).status_code == 404  # another's, though it can be seen
    assert api("owner").get(f"{UPLOADS}/{upload}").status_code == 200
    for name in ("guest", "outsider", "auditor"):
        for answer in (
            api(name).get(f"{UPLOADS}/{upload}"), api(name).head(f"{UPLOADS}/{upload}"),
            api(name).delete(f"{UPLOADS}/{upload}"), Sender(api(name)).send(upload, data),
        ):  # fmt: skip
            assert answer.status_code == 404
    assert Upload.objects.get(pk=upload).received_bytes == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"file_name": "../x.tar"}, "file_name"),
        ({"file_name": "a\nb"}, "file_name"),
        ({"size_bytes": 12}, "size_bytes"),
        ({"size_bytes": 2**40}, "size_bytes"),
        ({"size_bytes": "many"}, "size_bytes"),
        ({"repository": "Web"}, "repository"),
        ({"repository": "a/../b"}, "repository"),
        ({"tags": ["-x"]}, "tags"),
        ({"tags": ["a b"]}, "tags"),
        ({"owner_id": "x"}, "owner_id"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_taken(body: dict[str, Any], field: str, sender: Sender) -> None:
    answer = sender.client.post(UPLOADS, {"file_name": "web.tar", "size_bytes": 5000} | body, format="json")
    assert answer.status_code == 422, answer.content
    assert [one["field"] for one in answer.json()["errors"]] == [field]
    assert not Upload.objects.exists()
    assert left_behind() == []


def test_without_a_registry_there_is_nowhere_to_put_it(sender: Sender, settings: Any) -> None:
    settings.REGISTRY = settings.REGISTRY | {"url": ""}
    answer = sender.begin(b"x" * 5000)
    assert (answer.status_code, answer.json()["code"]) == (409, "no_registry")
