"""How much uploads may take, and that they give it back however they end."""

import errno
import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models.functions import Now

from audit.models import AuditEntry
from core.clock import from_now
from images.models import Upload
from images.registry import client, pushing
from images.tasks import forget_uploads
from images.uploading import looking, room, services
from images.uploading import operations as uploading
from operations import tasks
from operations.models import Operation
from operations.services import cancel
from tenants.models import Grant
from tests.conftest import Cast
from tests.uploading import archives
from tests.uploading.conftest import UPLOADS, Sender, left_behind, newest, work_off

pytestmark = pytest.mark.usefixtures("registry")
MIB = 2**20


def test_a_tenant_has_only_so_much_room(sender: Sender, settings: Any, cast: Cast) -> None:
    settings.UPLOADS = settings.UPLOADS | {"tenant_bytes": 10 * MIB}
    first = sender.begin(b"x" * 6 * MIB).json()["id"]
    refused = sender.begin(b"x" * 6 * MIB)
    assert (refused.status_code, refused.json()["code"]) == (409, "uploads_full")
    assert refused.json()["left_bytes"] == 4 * MIB
    assert AuditEntry.objects.filter(action="image.upload", result="refused").exists()
    other = services.begin_upload(cast.actor("outsider"), cast.store, file_name="theirs.tar", size_bytes=6 * MIB)
    assert other.state == "receiving"  # another tenant's room is its own
    assert sender.client.delete(f"{UPLOADS}/{first}").status_code == 204
    assert sender.begin(b"x" * 6 * MIB).status_code == 201


def test_the_room_is_taken_before_the_first_byte(sender: Sender) -> None:
    upload = sender.begin(b"x" * 32 * MIB).json()["id"]
    file = room.home(upload) / room.ARCHIVE
    assert file.stat().st_size == 0
    assert file.stat().st_blocks * 512 >= 32 * MIB


def test_a_full_disk_is_said_before_anything_is_sent(sender: Sender, settings: Any) -> None:
    settings.UPLOADS = settings.UPLOADS | {"spare_bytes": 2**60}
    answer = sender.begin(b"x" * MIB)
    assert (answer.status_code, answer.json()["code"]) == (507, "no_space")
    assert not Upload.objects.exists()
    assert left_behind() == []


def test_a_file_system_that_is_full_is_said(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is seen beforehand may be gone a moment later: then the file system itself says no."""

    def no_room(_file: int, _size: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(room, "hold", no_room)
    answer = sender.begin(b"x" * MIB)
    assert (answer.status_code, answer.json()["code"]) == (507, "no_space")
    assert left_behind() == []


def test_a_discarded_upload_leaves_nothing(sender: Sender, django_capture_on_commit_callbacks: Any) -> None:
    data = archives.docker("web:1")
    upload = sender.begin(data).json()["id"]
    sender.send(upload, data[:9000])
    assert left_behind() != []
    with django_capture_on_commit_callbacks(execute=True):
        assert sender.client.delete(f"{UPLOADS}/{upload}").status_code == 204
    assert left_behind() == []
    assert sender.shown(upload)["state"] == "cancelled"
    assert sender.client.delete(f"{UPLOADS}/{upload}").json()["code"] == "upload_over"
    assert sender.send(upload, data[9000:], at=9000).json()["code"] == "upload_over"


def test_what_is_put_into_the_registry_can_be_stopped(sender: Sender, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        sender.put(archives.docker("stopped:1"))
        upload = newest()
        tasks.run_operation(str(upload.operation_id))  # it has begun
        assert sender.client.delete(f"{UPLOADS}/{upload.pk}").status_code == 204
        operation = work_off(upload)
    assert operation.state == Operation.State.CANCELLED
    assert sender.shown(upload.pk)["state"] == "cancelled"
    assert left_behind() == []
    assert client.digest_of("acme/shop/stopped", "1") == ""


def test_nobody_goes_on_with_it_for_a_day(sender: Sender) -> None:
    data = archives.docker("web:1")
    old, young = (sender.begin(data).json()["id"] for _number in range(2))
    Upload.objects.filter(pk=old).update(touched_at=from_now(-timedelta(hours=25)))
    forget_uploads()
    assert (sender.shown(old)["state"], sender.shown(young)["state"]) == ("expired", "receiving")
    assert not room.home(old).exists()
    assert room.home(young).exists()
    assert sender.send(old, data).json()["code"] == "upload_over"


def test_what_a_crash_left_is_thrown_away(sender: Sender, tmp_path: Path) -> None:
    """A folder whose upload has ended, and one of which nobody knows: the second only once it is old."""
    upload = sender.begin(archives.docker("web:1")).json()["id"]
    Upload.objects.filter(pk=upload).update(state="failed")
    nobodys = room.home("01234567-0123-7123-8123-012345678901")
    nobodys.mkdir()
    forget_uploads()
    assert [path.name for path in left_behind()] == [nobodys.name]
    os.utime(nobodys, (0, 0))
    forget_uploads()
    assert left_behind() == []


def test_a_killed_child_is_started_again(sender: Sender, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        sender.put(archives.docker("killed:1"))
        upload = newest()
        tasks.run_operation(str(upload.operation_id))
        child = looking._children[str(upload.pk)]
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        (room.home(upload.pk) / room.ANSWER).write_text("")  # it did not come to its answer
        operation = work_off(upload)
    assert operation.state == Operation.State.SUCCEEDED, operation.failure
    assert client.digest_of("acme/shop/killed", "1") == newest().digest


def test_a_child_that_always_dies_is_given_up(
    sender: Sender, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "limits_for", lambda most: looking.Limits(answer_bytes=0))
    with django_capture_on_commit_callbacks(execute=True):
        sender.put(archives.docker("dying:1"))
        operation = work_off(newest())
    assert operation.failure is not None
    assert (operation.state, operation.failure["code"]) == ("failed", "upload_broke_off")
    assert left_behind() == []


def test_another_worker_goes_on_in_the_middle_of_a_layer(
    sender: Sender, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each piece is a step of its own, as if a worker were killed after every one; and one piece is forgotten."""
    from images.uploading import putting

    monkeypatch.setattr(putting, "PIECE", 300_000)
    monkeypatch.setattr(putting, "STEP_SECONDS", -1.0)
    with django_capture_on_commit_callbacks(execute=True):
        sender.put(archives.docker("pieces:1"))
        upload = newest()
        seen = set()
        forgotten = False
        while True:
            Operation.objects.filter(pk=upload.operation_id).update(not_before=None)
            tasks.run_operation(str(upload.operation_id))
            upload.refresh_from_db()
            if upload.state != Upload.State.WORKING:
                break
            seen.add((upload.work.get("blob"), upload.work.get("sent")))
            if upload.work.get("sent", 0) > 600_000 and not forgotten:  # a worker died before it could write this down
                forgotten = True
                Upload.objects.filter(pk=upload.pk).update(work=upload.work | {"sent": 300_000})
    assert forgotten
    assert len({sent for _blob, sent in seen if sent}) >= 3
    assert (upload.state, upload.failure) == ("done", None)
    assert client.digest_of("acme/shop/pieces", "1") == upload.digest


def test_while_the_registry_is_away_it_waits(
    sender: Sender, django_capture_on_commit_callbacks: Any, settings: Any
) -> None:
    there = settings.REGISTRY
    with django_capture_on_commit_callbacks(execute=True):
        sender.put(archives.docker("away:1"))
        upload = newest()
        settings.REGISTRY = there | {"url": "http://127.0.0.1:9"}
        while not Operation.objects.filter(pk=upload.operation_id, events__code="upload_registry_away").exists():
            Operation.objects.filter(pk=upload.operation_id).update(not_before=None)
            tasks.run_operation(str(upload.operation_id))
        settings.REGISTRY = there
        operation = work_off(upload)
    assert operation.state == Operation.State.SUCCEEDED, operation.failure


def test_who_loses_the_right_meanwhile_puts_nothing_there(
    sender: Sender, cast: Cast, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        sender.put(archives.docker("lost:1"))
        upload = newest()
        tasks.run_operation(str(upload.operation_id))
        Grant.objects.filter(user=cast.developer).update(ended_at=Now())
        operation = work_off(upload)
    assert operation.failure is not None
    assert operation.failure["code"] == "not_allowed_any_more"
    assert client.digest_of("acme/shop/lost", "1") == ""
    assert left_behind() == []


def test_a_suspended_project_takes_nothing(sender: Sender, cast: Cast, django_capture_on_commit_callbacks: Any) -> None:
    data = archives.docker("web:1")
    upload = sender.begin(data).json()["id"]
    type(cast.shop).objects.filter(pk=cast.shop.pk).update(state="suspended")
    assert sender.send(upload, data).json()["code"] == "project_not_active"
    assert sender.begin(data).json()["code"] == "project_not_active"
    with django_capture_on_commit_callbacks(execute=True):
        assert sender.client.delete(f"{UPLOADS}/{upload}").status_code == 204  # the way out stays open


def test_the_registry_names_only_its_own_addresses() -> None:
    """A place to send to that leads elsewhere is not taken."""
    door = pushing.Door("acme/shop/web", "person:x", ())

    class Answer:
        headers = {"Location": "http://elsewhere.example/v2/acme/other/blobs/uploads/x"}

    with pytest.raises(pushing.RegistryAway):
        door._place(Answer())  # type: ignore[arg-type]
    Answer.headers = {"Location": "http://elsewhere.example/v2/acme/shop/web/blobs/uploads/x?_state=1"}
    assert door._place(Answer()) == "/v2/acme/shop/web/blobs/uploads/x?_state=1"  # type: ignore[arg-type]


def test_what_the_registry_says_is_told_in_its_words() -> None:
    said = b'{"errors": [{"code": "DENIED", "message": "The tag 1 never moves."}]}'
    assert pushing._words(said) == "The tag 1 never moves."
    assert pushing._words(b"plain words") == "plain words"
    assert pushing.Refused(409, "x").final
    assert not pushing.Refused(416, "x").final


def test_cancelling_the_operation_is_the_same(
    sender: Sender, cast: Cast, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        sender.put(archives.docker("called-off:1"))
        cancel(cast.actor("developer"), Operation.objects.get(kind=uploading.KIND))
        assert work_off(newest()).state == Operation.State.CANCELLED
    assert newest().state == "cancelled"
    assert left_behind() == []
