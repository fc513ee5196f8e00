"""How often images are pulled: told by the registry, one event each, and added up by image and day."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, Max

from core.clock import database_now
from images.models import Artifact, ArtifactPulls, Repository
from images.registry.names import KINDS

KEPT = timedelta(days=400)
OURSELVES = "system:"  # as our own tokens begin when Berth itself looks


def count(told: dict[str, Any]) -> bool:
    """True where the event was a pull of an image that we know: a manifest that somebody else fetched whole.

    An event that comes twice counts twice: a figure for people, not for bills.
    """
    target, request, actor = (_mapping(told.get(name)) for name in ("target", "request", "actor"))
    if target.get("mediaType") not in KINDS or request.get("method") != "GET":
        return False
    if str(actor.get("name") or "").startswith(OURSELVES):
        return False
    path, digest = str(target.get("repository") or ""), str(target.get("digest") or "")
    artifact = Artifact.objects.filter(repository__path=path, digest=digest).values_list("pk", flat=True).first()
    if not path or artifact is None:
        return False
    today = database_now().date()
    rows = ArtifactPulls.objects.filter(artifact=artifact, day=today)
    if not rows.update(count=F("count") + 1):
        ArtifactPulls.objects.get_or_create(artifact_id=artifact, day=today)
        rows.update(count=F("count") + 1)
    return True


def last_days(repository: Repository) -> dict[UUID, date]:
    """On which day each of its images was pulled last, as long as that is kept. One query."""
    rows = ArtifactPulls.objects.filter(artifact__repository=repository).order_by()
    return dict(rows.values_list("artifact").annotate(Max("day")))


def forget_old() -> None:
    ArtifactPulls.objects.filter(day__lt=database_now().date() - KEPT).delete()


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
