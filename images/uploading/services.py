"""What people do with uploads. Each public function is a command; the bytes themselves come by `receiving`."""

import re
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from audit.commands import command, describe
from core.access import Actor
from core.errors import Conflict, FieldProblem, Invalid
from images.registry import names
from images.registry.telling import TAG
from images.uploading import room
from images.uploading.models import Upload
from images.uploading.telling import tell
from operations.models import Operation
from operations.services import cancel as cancel_operation
from operations.services import enqueue
from tenants.models import Project

KIND = "image.upload.run"
MOST_TAGS = 10
MOST_OPEN = 20
SMALLEST = 1024  # the end of an archive alone is as long
FILE = re.compile(r"[^\x00-\x1f\x7f/\\]{1,200}\Z")


@command("image.upload", permission="image.push")
def begin_upload(
    actor: Actor,
    project: Project,
    *,
    file_name: str,
    size_bytes: int,
    repository: str = "",
    tags: Sequence[str] = (),
    image: str = "",
    platform: str = "",
    purpose: str = Upload.Purpose.IMAGE,
) -> Upload:
    """Take the room for an archive that is to come. Without repository or tags those of the archive are meant."""
    tags = list(dict.fromkeys(tags))
    _check_free(project)
    _check(project, file_name, size_bytes, repository, tags)
    room.check_left(project.tenant, size_bytes)
    upload = Upload.objects.create(
        tenant=project.tenant,
        project=project,
        owner_id=str(actor.id),
        owner_name=actor.name[:150],
        file_name=file_name,
        size_bytes=size_bytes,
        reserved_bytes=size_bytes,
        repository=repository,
        tags=tags,
        image=image,
        platform=platform,
        purpose=purpose,
    )
    room.take(upload)
    describe(target=upload, after={"file": file_name, "bytes": size_bytes, "repository": repository, "tags": tags})
    tell(upload)
    return upload


def _check_free(project: Project) -> None:
    """Somewhere to put it, and not too much on its way already."""
    if not names.address():
        raise Conflict(
            _("There is no registry here, so there is nowhere to put an image."),
            code="no_registry",
            hint=_("An operator can run one."),
        )
    if Upload.objects.filter(project=project, state__in=Upload.OPEN).count() >= MOST_OPEN:
        raise Conflict(
            _("%(most)s uploads of this project are open already.") % {"most": MOST_OPEN},
            code="uploads_full",
            hint=_("Wait until one has ended, or discard one that nobody finishes."),
        )


def _check(project: Project, file_name: str, size_bytes: int, repository: str, tags: Sequence[str]) -> None:
    problems = []
    largest = int(settings.UPLOADS["tenant_bytes"])
    if not FILE.match(file_name):
        problems.append(FieldProblem("file_name", "bad_name", _("Give the name of the file, without its folders.")))
    if not SMALLEST <= size_bytes <= largest:
        text = _("An archive has between %(least)s and %(most)s bytes.") % {"least": SMALLEST, "most": largest}
        problems.append(FieldProblem("size_bytes", "out_of_range", text))
    if repository and names.parse(f"{project}/{repository}") is None:
        text = _("Small letters, digits and single dots, hyphens or underscores between them; “/” parts it.")
        problems.append(FieldProblem("repository", "bad_name", text))
    if len(tags) > MOST_TAGS or not all(TAG.match(tag) for tag in tags):
        text = _("At most %(most)s tags of letters, digits, dots, hyphens and underscores.") % {"most": MOST_TAGS}
        problems.append(FieldProblem("tags", "bad_name", text))
    if problems:
        raise Invalid(errors=problems)


@command("image.upload_finish", permission="image.push")
def finish_upload(actor: Actor, upload: Upload) -> Operation:
    """All of it is here: look through it and put it into the registry."""
    operation = enqueue(
        actor,
        KIND,
        target=upload,
        target_key=f"upload:{upload.pk}",
        target_name=upload.file_name,
        params={"kind": "image.upload", "needs": ["image.push"], "upload": str(upload.pk)},
    )
    changed = Upload.objects.filter(pk=upload.pk, state=Upload.State.RECEIVING).update(
        state=Upload.State.WORKING, operation_id=operation.pk, writer=""
    )
    if not changed:
        raise Conflict(_("This upload has ended already."), code="upload_over")
    tell(upload)
    return operation


@command("image.upload_discard", permission="image.push", even_closed=True)
def discard_upload(actor: Actor, upload: Upload) -> Upload:
    """Call it off and throw away what came so far. What is being worked on is asked to stop."""
    if upload.state == Upload.State.WORKING:
        operation = Operation.objects.filter(pk=str(upload.operation_id)).first()
        if operation is not None:
            cancel_operation(actor, operation)
        return upload
    waits = (Upload.State.RECEIVING, Upload.State.READY)
    changed = Upload.objects.filter(pk=upload.pk, state__in=waits).update(state=Upload.State.CANCELLED, writer="")
    if not changed:
        raise Conflict(_("This upload has ended already."), code="upload_over")
    describe(after={"received": upload.received_bytes})
    transaction.on_commit(lambda: room.give_back(upload.pk), robust=True)
    tell(upload)
    upload.refresh_from_db()
    return upload
