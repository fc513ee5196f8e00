"""Uploads as their page and the API tell them."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from core.access import Actor, check, get_visible, visible
from images.registry import names
from images.uploading import words
from images.uploading.models import Upload
from operations.models import Operation
from operations.selectors import told
from tenants.models import Project

COLUMNS = [
    "id",
    "purpose",
    "file_name",
    "size_bytes",
    "received_bytes",
    "state",
    "repository",
    "tags",
    "image",
    "platform",
    "path",
    "digest",
    "operation_id",
    "owner_name",
    "failure",
    "created_at",
    "touched_at",
]


def uploads(actor: Actor, project: Project) -> QuerySet[Upload]:
    """All of a project, for whoever may push there."""
    check(actor, "image.push", project)
    return visible(actor, Upload.objects.filter(project=project))


def upload(actor: Actor, project: Project, upload_id: uuid.UUID) -> Upload:
    rows = Upload.objects.filter(project=project).select_related("project__tenant", "tenant")
    return get_visible(actor, rows, pk=upload_id)


def own_upload(actor: Actor, project: Project, upload_id: uuid.UUID) -> Upload:
    """One that the actor began: nobody adds bytes to what another answers for."""
    rows = Upload.objects.filter(project=project, owner_id=str(actor.id)).select_related("project__tenant", "tenant")
    return get_visible(actor, rows, pk=upload_id)


def failure_of(failure: Mapping[str, Any] | None) -> dict[str, str] | None:
    """`{code, message, hint}` of one that failed."""
    if not failure:
        return None
    code, params = str(failure["code"]), dict(failure.get("params") or {})
    hint = words.hint(code)
    return {"code": code, "message": words.sentence(code, params), "hint": hint} if hint else told(failure)


def step_of(row: Upload) -> dict[str, Any]:
    """What the operation that works on it said last, and the operation itself."""
    working = row.state == Upload.State.WORKING
    operation = Operation.objects.filter(pk=str(row.operation_id)).first() if working else None
    newest = operation.events.order_by("-seq").first() if operation else None
    said = told({"code": newest.code, "params": newest.params}) if newest else None
    return {"operation": operation, "said": said["message"] if said else ""}


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of COLUMNS as it leaves the API."""
    document = dict(row)
    path, touched_at = document.pop("path"), document.pop("touched_at")
    waits = row["state"] == Upload.State.RECEIVING
    return document | {
        "failure": failure_of(row["failure"]),
        "reference": names.reference(path) if path else "",
        "expires_at": touched_at + keeps() if waits else None,
    }


def shown_one(row: Upload) -> dict[str, Any]:
    return shown({name: getattr(row, name) for name in COLUMNS})


def shown_all(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [shown(row) for row in rows]


def keeps() -> timedelta:
    """How long an upload waits for more of it."""
    return timedelta(hours=int(settings.UPLOADS["keep_hours"]))
