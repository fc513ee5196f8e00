"""What is pushed here goes on to where a rule says."""

from typing import Any

from django.db import transaction
from django.dispatch import receiver

from images.happening import Happened, happened
from images.replication.models import ImageCopy, ReplicationRule
from images.replication.planning import copy_out, wanted
from images.replication.starting import start_quietly

State = ImageCopy.State


@receiver(happened, dispatch_uid="images.replication")
def pushed(told: Happened, **_signal: Any) -> None:
    if told.kind != "pushed" or not told.tag or told.repository.project_id is None:
        return
    rows = ReplicationRule.objects.filter(
        project_id=told.repository.project_id,
        on_push=True,
        paused=False,
        direction__in=(ReplicationRule.Direction.PUSH, ReplicationRule.Direction.BOTH),
    )
    for rule in rows.select_related("registry", "project__tenant"):
        if not wanted(rule, told.repository.path, told.tag) or _came_from_there(rule, told):
            continue
        copy = copy_out(rule, told.repository.path, told.tag)
        with transaction.atomic():
            copy.save(force_insert=True)
            start_quietly(rule, looks=False)


def _came_from_there(rule: ReplicationRule, told: Happened) -> bool:
    """The rule itself brought it: nothing is sent back."""
    brought = rule.copies.filter(outward=False, path=told.repository.path, tag=told.tag, digest=told.digest)
    return brought.filter(state__in=(State.COPYING, State.COPIED)).exists()
