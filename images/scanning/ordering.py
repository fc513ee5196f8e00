"""That an image of our registry be looked through: when it was pushed, when somebody asks, and when that was missed."""

import logging
from datetime import timedelta

from django.dispatch import receiver

from core.access import SYSTEM, Actor
from core.clock import from_now
from core.errors import Conflict, PortalError
from images.happening import Happened, happened
from images.models import Artifact
from operations.models import Operation
from operations.services import enqueue

log = logging.getLogger(__name__)
KIND = "image.scan.run"
NEEDS = "image.push"
MISSED_WITHIN = timedelta(days=7)
AT_ONCE = 200


def target_of(artifact: Artifact) -> str:
    return f"scan:{artifact.pk}"


def enqueue_scan(actor: Actor, artifact: Artifact) -> Operation:
    """In the caller's transaction. Raises Conflict while it is being looked through already."""
    tag = artifact.tags.order_by("-moved_at").values_list("name", flat=True).first()
    name = f"{artifact.repository.name}:{tag}" if tag else f"{artifact.repository.name}@{artifact.digest[:19]}"
    return enqueue(
        actor,
        KIND,
        target=artifact,
        target_key=target_of(artifact),
        target_name=name[-200:],
        params={"kind": "image.scan", "needs": [NEEDS], "artifact": str(artifact.pk)},
    )


def order_by_itself(artifact: Artifact) -> None:
    """Have it looked through because it came; nobody's right is asked, and nobody has to keep it."""
    if not artifact.repository.path or artifact.scans.exists():
        return
    try:
        enqueue_scan(SYSTEM, artifact)
    except Conflict:
        log.debug("%s is being looked through already", artifact)


@receiver(happened, dispatch_uid="scan on push")
def scan_on_push(told: Happened, **_more: object) -> None:
    if told.kind != "pushed":
        return
    rows = Artifact.objects.select_related("repository")
    artifact = rows.filter(repository=told.repository, digest=told.digest).first()
    if artifact is not None:
        order_by_itself(artifact)


def order_missed() -> int:
    """What came in the last days and nobody looked at, nor tried to; answers how much that was."""
    rows = Artifact.objects.select_related("repository").exclude(repository__path="").filter(scans__isnull=True)
    found = {target_of(one): one for one in rows.filter(created_at__gt=from_now(-MISSED_WITHIN)).order_by("pk")[:2000]}
    tried = set(Operation.objects.filter(target__in=list(found)).values_list("target", flat=True))
    missed = [one for target, one in found.items() if target not in tried][:AT_ONCE]
    for one in missed:
        try:
            order_by_itself(one)
        except PortalError:
            log.warning("%s could not be ordered to be scanned", one)
    return len(missed)
