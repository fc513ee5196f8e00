"""What the registry tells is kept as a row and looked at by a worker: it may come twice, late, or not at all."""

import re
from typing import Any

from celery import current_app
from django.db import transaction

from images.models import RegistryEvent
from images.registry import names
from images.repositories import pulls

DEEDS = ("push", "delete")
TAKE_IN = "images.take_in"
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\Z", re.ASCII)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z", re.ASCII)
SUBJECT = re.compile(r"[a-z]{1,12}:[0-9a-f-]{36}\Z", re.ASCII)


def take(told: Any) -> None:
    """Keep one event; what is of no meaning to us (a layer, a name that cannot be) is let go. Pulls are counted."""
    if isinstance(told, dict) and told.get("action") == "pull":
        pulls.count(told)
        return
    event = _read(told if isinstance(told, dict) else {})
    if event is None:
        return
    with transaction.atomic():
        RegistryEvent.objects.bulk_create([event], ignore_conflicts=True)
        transaction.on_commit(lambda: current_app.send_task(TAKE_IN, ignore_result=True), robust=True)


def _read(told: dict[str, Any]) -> RegistryEvent | None:
    target, actor = told.get("target") or {}, told.get("actor") or {}
    if told.get("action") not in DEEDS or not isinstance(target, dict) or not isinstance(actor, dict):
        return None
    known = {"event": told.get("id"), "path": target.get("repository"), "digest": target.get("digest")}
    event, path, digest = (str(value or "") for value in known.values())
    tag, subject = str(target.get("tag") or ""), str(actor.get("name") or "")
    if not (0 < len(event) <= 80 and names.parse(path) and DIGEST.match(digest)) or (tag and not TAG.match(tag)):
        return None
    return RegistryEvent(
        event=event,
        action=told["action"],
        path=path,
        digest=digest,
        tag=tag,
        subject=subject if SUBJECT.match(subject) else "",
    )
