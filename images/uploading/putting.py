"""An archive that was looked through, put into the registry: part by part, each step some seconds of it, then named."""

import time
from typing import Any

from core.access import Actor
from images.registry import pushing, scopes, taking
from images.registry.client import RegistryAway
from images.registry.scopes import REPOSITORY, Scope
from images.uploading import looking, room
from images.uploading.models import Upload
from images.uploading.noting import note
from operations.models import Operation
from operations.registry import LOST_RIGHT, StepFailed, Wait
from operations.services import fenced
from tenants.models import User
from tenants.rights import rights_of

PUSHING = "pushing"
AWAY_SECONDS = 5.0
STEP_SECONDS = 8.0  # that one step sends for
PIECE = 8 * 1024 * 1024
MOST_REFUSALS = 3


def push(operation: Operation, upload: Upload) -> Wait | None:
    answer = looking.look(upload).answer
    if answer is None or not (room.home(upload.pk) / room.ARCHIVE).exists():
        raise StepFailed("upload_gone")
    plan, door = answer["plan"], _door(operation, upload)
    try:
        if _send(operation, upload, plan, door):
            _name(operation, upload, plan, door)
            return None
    except RegistryAway:
        return Wait(AWAY_SECONDS, "upload_registry_away", step=PUSHING, level="warn")
    except pushing.Refused as refused:
        return _again(operation, upload, refused)
    told = {"done": upload.work.get("blob", 0), "count": len(plan["blobs"])}
    return Wait(0.0, "upload_sending", told, step=PUSHING)


def _door(operation: Operation, upload: Upload) -> pushing.Door:
    """As the registry's own clients are let in: whoever lost the right to push meanwhile is told so."""
    who, path = _who(operation), str(upload.work["path"])
    given = tuple(scopes.granted(who, [Scope(REPOSITORY, path, ("pull", "push"))]))
    if not any("push" in one.actions for one in given):
        raise StepFailed(LOST_RIGHT, {"person": operation.requested_by_name})
    return pushing.Door(path, f"{who.kind}:{who.id}", given)


def _who(operation: Operation) -> Actor:
    user = User.objects.filter(pk=str(operation.requested_by), is_active=True).first()
    if user is None:
        raise StepFailed(LOST_RIGHT, {"person": operation.requested_by_name})
    return Actor(user.pk, user.get_username(), rights_of(user), request_id=operation.request_id)


def _send(operation: Operation, upload: Upload, plan: dict[str, Any], door: pushing.Door) -> bool:
    """True once every part lies there; else what was sent is noted for the next step."""
    end, blobs = time.monotonic() + STEP_SECONDS, plan["blobs"]
    file = room.home(upload.pk) / (room.UNPACKED if upload.seen.get("packed") else room.ARCHIVE)
    with file.open("rb", buffering=0) as opened:
        for number in range(upload.work.get("blob", 0), len(blobs)):
            one, sent, place = blobs[number], upload.work.get("sent", 0), upload.work.get("place", "")
            if not place:
                sent, place = 0, "" if door.holds(one["digest"]) else door.begin()
            while place and sent < one["size"]:
                opened.seek(one["at"] + sent)
                data = opened.read(min(PIECE, one["size"] - sent))
                if not data:
                    raise StepFailed("upload_gone")
                place, sent = door.send(place, data, at=sent), sent + len(data)
                if time.monotonic() > end:
                    note(operation, upload, {"blob": number, "sent": sent, "place": place})
                    return False
            if place:
                door.close(place, one["digest"])
            note(operation, upload, {"blob": number + 1, "sent": 0, "place": ""})
    return True


def _name(operation: Operation, upload: Upload, plan: dict[str, Any], door: pushing.Door) -> None:
    """The manifest under each tag; from then on it can be pulled, and stands in the list."""
    with fenced(operation):
        pass
    project, who = upload.project, _who(operation)
    for tag in upload.work["tags"]:
        door.put(tag, plan["manifest"], plan["kind"])
        taking.note(project, upload.work["path"], tag=tag, digest=plan["digest"], who=who)


def _again(operation: Operation, upload: Upload, refused: pushing.Refused) -> Wait:
    """From the beginning of the part, since the registry may have forgotten where it was."""
    tries = upload.work.get("refusals", 0) + 1
    if refused.final or tries >= MOST_REFUSALS:
        raise StepFailed("upload_registry_refused", {"said": refused.said[:300]})
    note(operation, upload, {"refusals": tries, "sent": 0, "place": ""})
    return Wait(1.0, "upload_part_again", step=PUSHING, level="warn")
