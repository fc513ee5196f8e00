"""What is sent: a CloudEvent as one JSON document."""

import uuid
from datetime import datetime
from typing import Any, get_args

from core.api.formats import as_json
from images.happening import Happened, Kind
from images.hooks.models import Webhook

KINDS: tuple[str, ...] = get_args(Kind)
PING = "ping"  # what the button “Test” sends
MEDIA_TYPE = "application/cloudevents+json; charset=utf-8"
LONGEST = 64 * 1024
NO_DETAIL: dict[str, Any] = {}


def of_event(told: Happened, message: uuid.UUID, *, at: datetime) -> str:
    """`detail` is left out where it is so long that receivers would refuse the whole."""
    project = told.repository.project
    if project is None:
        raise ValueError("an image of no project is nobody's to tell of")
    data = {
        "tenant": project.tenant.name,
        "project": project.name,
        "repository": told.repository.name,
        "digest": told.digest,
        "tag": told.tag,
        "by": told.who.name,
        "detail": told.detail,
    }
    subject = f"{told.repository.name}@{told.digest}"
    text = _event(message, f"image.{told.kind}", str(project), subject, at=at, data=data)
    if len(text.encode()) <= LONGEST:
        return text
    return _event(message, f"image.{told.kind}", str(project), subject, at=at, data=data | {"detail": NO_DETAIL})


def of_ping(hook: Webhook, message: uuid.UUID, *, at: datetime, by: str) -> str:
    data = {"tenant": hook.project.tenant.name, "project": hook.project.name, "webhook": hook.name, "by": by}
    return _event(message, PING, str(hook.project), hook.name, at=at, data=data)


def _event(message: uuid.UUID, kind: str, project: str, subject: str, *, at: datetime, data: dict[str, Any]) -> str:
    tenant, _slash, name = project.partition("/")
    event = {
        "specversion": "1.0",
        "id": str(message),
        "type": kind,
        "source": f"/api/v1/tenants/{tenant}/projects/{name}",
        "subject": subject,
        "time": at.isoformat(),
        "datacontenttype": "application/json",
        "data": data,
    }
    return as_json(event).decode()
