"""How an archive that is here gets into the registry: looked through, put there part by part, and named."""

import logging
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from images.registry import names
from images.registry.telling import TAG
from images.scanning.limits import MIB
from images.uploading import looking, room, words
from images.uploading.models import Upload
from images.uploading.noting import note
from images.uploading.services import KIND
from images.uploading.telling import tell
from operations.models import Operation
from operations.registry import StepFailed, Wait, register, register_words
from operations.services import begin, fenced
from tenants.models import Tenant

log = logging.getLogger(__name__)
CHECKING, PUSHING = "checking", "pushing"
LOOK_SECONDS = 0.5
MOST_TRIES = 3
PACKED_TIMES = 8  # so many times its own size a packed archive may take, where the tenant has the room
PACKED_LEAST = 64 * MIB  # what a small one may take anyhow


class PutArchive:
    """`upload.work`: how often the child was started, and how far the part is that is being sent."""

    deadline_seconds = 6 * 3600

    def step(self, operation: Operation) -> Wait | None:
        upload = Upload.objects.select_related("project__tenant").get(pk=operation.params["upload"])
        if not operation.step:
            begin(operation, CHECKING, "upload_checking")
            _reserve(operation, upload)
        if operation.step == CHECKING:
            return _check(operation, upload)
        from images.uploading import putting  # asks by a library that a process without a registry need not load

        return putting.push(operation, upload)

    def undo(self, operation: Operation) -> Wait | None:
        """What was sent lies in the registry without a name, and goes when it is cleaned up."""
        upload = Upload.objects.filter(pk=operation.params["upload"]).first()
        if upload is not None:
            looking.end(upload)
        return None

    def settled(self, operation: Operation) -> None:
        upload = Upload.objects.get(pk=operation.params["upload"])
        looking.end(upload)
        ends = {Operation.State.SUCCEEDED: Upload.State.DONE, Operation.State.CANCELLED: Upload.State.CANCELLED}
        state = ends.get(Operation.State(operation.state), Upload.State.FAILED)
        kept = {"digest": upload.work.get("digest", ""), "path": upload.work.get("path", "")}
        found = kept if state == Upload.State.DONE else {"failure": operation.failure}
        Upload.objects.filter(pk=upload.pk).update(state=state, work={}, **found)
        tell(upload)
        transaction.on_commit(lambda: room.give_back(upload.pk), robust=True)


def _reserve(operation: Operation, upload: Upload) -> None:
    """Room in the tenant's share for what a packed archive is unpacked into."""
    if not upload.seen.get("packed"):
        return
    with fenced(operation):
        Tenant.objects.select_for_update().get(pk=upload.tenant_id)
        free = max(0, room.left(upload.tenant))
        most = upload.size_bytes + min(free, max(upload.size_bytes * PACKED_TIMES, PACKED_LEAST))
        Upload.objects.filter(pk=upload.pk).update(reserved_bytes=most)
    upload.reserved_bytes = most


def _check(operation: Operation, upload: Upload) -> Wait | None:
    look = looking.look(upload)
    if look.alive:
        return Wait(LOOK_SECONDS, *_how_far(look.last), step=CHECKING)
    if look.answer is None:
        return _begin_to_look(operation, upload)
    if problem := look.answer.get("problem"):
        raise StepFailed(problem["code"], words.plain(problem["params"]))
    plan = look.answer["plan"]
    work = {"path": _path(upload, plan), "tags": _tags(upload, plan), "digest": plan["digest"]}
    note(operation, upload, work)
    return Wait(0.0, "upload_sending", {"done": 0, "count": len(plan["blobs"])}, step=PUSHING)


def _how_far(last: dict[str, Any]) -> tuple[str, dict[str, Any] | None]:
    if "count" not in last:
        return "upload_checking", None
    return "upload_layer_checking", {"number": last["done"] + 1, "count": last["count"]}


def _begin_to_look(operation: Operation, upload: Upload) -> Wait:
    tries = upload.work.get("tries", 0)
    if tries >= MOST_TRIES:
        log.error("looking through upload %s broke off: %s", upload.pk, looking.said_wrong(upload))
        raise StepFailed("upload_broke_off", {"times": tries})
    if not (room.home(upload.pk) / room.ARCHIVE).exists():
        raise StepFailed("upload_gone")
    note(operation, upload, {"tries": tries + 1})
    looking.start(upload, most=max(upload.size_bytes, upload.reserved_bytes - upload.size_bytes))
    return Wait(LOOK_SECONDS, "upload_checking", step=CHECKING)


def _path(upload: Upload, plan: dict[str, Any]) -> str:
    """The repository: as was asked, else as the archive calls the image, without another registry's name."""
    name = upload.repository
    if not name:
        called = next((one.partition("@")[0] for one in plan["names"]), "")
        name = called.rpartition("/")[2].partition(":")[0]
    path = f"{upload.project.tenant.name}/{upload.project.name}/{name}"
    if not name or names.parse(path) is None:
        raise StepFailed("upload_no_name")
    return path


def _tags(upload: Upload, plan: dict[str, Any]) -> list[str]:
    called = [one.rpartition("/")[2].partition("@")[0].partition(":")[2] for one in plan["names"]]
    return upload.tags or list(dict.fromkeys(tag for tag in called if TAG.match(tag))) or ["latest"]


register(KIND, PutArchive())
register_words(words.sentences())
register_words(
    {
        "upload_checking": _("Looking through the archive"),
        "upload_layer_checking": _("Looking through layer %(number)s of %(count)s"),
        "upload_sending": _("%(done)s of %(count)s parts lie in the registry"),
        "upload_part_again": _("The registry did not take a part; sending it again"),
        "upload_registry_away": _("The registry does not answer just now; trying again"),
    }
)
