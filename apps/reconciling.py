"""Declared against running: what fell out is brought back, unless so much is gone that the looking must be wrong."""

import logging

from django.db import transaction

from apps.models import AppEnvironment
from apps.needs import needs_deploy
from audit.models import AuditEntry
from audit.services import Line, record, register_action
from backends.models import Cluster
from core.access import SYSTEM
from core.errors import Conflict
from operations.models import Operation
from operations.services import enqueue
from tenants.models import Project

log = logging.getLogger(__name__)
BRAKED = register_action("cluster.repair_braked")
REPAIR = register_action("app.repair.run")
SHARE_ALLOWED = 0.1
MOST_AT_ONCE = 20
CHUNK = 2000  # places in memory at a time
FEW = 2  # of so few apps any number may be gone: a share says nothing yet


def reconcile_cluster(cluster: Cluster) -> int:
    """Start a repair for each place of a cluster from which a service is missing; answers how many.

    With more than a tenth, or more than twenty, missing it repairs nothing, raises an alarm and says so in the audit.
    """
    places, missing = 0, []
    declared = AppEnvironment.objects.filter(
        environment__cluster=cluster, release__isnull=False, project__state=Project.State.ACTIVE
    )
    rows = declared.select_related("app", "environment", "project", "release").prefetch_related("services")
    for place in rows.iterator(chunk_size=CHUNK):
        places += 1
        if _missing(place):
            missing.append(place)
    if too_many(len(missing), places):
        _brake(cluster, missing=len(missing), places=places)
        return 0
    return sum(_repair(place) for place in missing)


def too_many(missing: int, places: int) -> bool:
    return missing > MOST_AT_ONCE or (missing > FEW and missing > places * SHARE_ALLOWED)


def _missing(place: AppEnvironment) -> bool:
    seen = {service.service for service in place.services.all()}
    wanted = (
        place.release.specification["services"] if place.release else {}
    )  # the names alone: no need to check it all
    return bool(set(wanted) - seen) and not _busy(place)


def _busy(place: AppEnvironment) -> bool:
    return Operation.objects.filter(target=f"place:{place.pk}", state__in=Operation.ACTIVE).exists()


def _repair(place: AppEnvironment) -> bool:
    params = {
        "place": str(place.pk),
        "release": place.release.number if place.release else None,
        "kind": "repair",
        "needs": list(needs_deploy(place)),
    }
    try:
        with transaction.atomic():
            operation = enqueue(
                SYSTEM,
                REPAIR,
                target=place,
                target_key=f"place:{place.pk}",
                target_name=str(place),
                params=params,
            )
            line = Line(REPAIR, detail={"release": params["release"]}, operation_id=operation.pk)
            line.name_target(place)
            record(SYSTEM, line, result=AuditEntry.Result.ACCEPTED)
    except Conflict:
        return False  # somebody changes it at this very moment
    return True


def _brake(cluster: Cluster, *, missing: int, places: int) -> None:
    log.error("repair of cluster %s stopped: %s of %s places look empty", cluster.name, missing, places)
    last = AuditEntry.objects.filter(action=BRAKED, target_id=str(cluster.pk)).order_by("-at").first()
    if last is not None and last.detail.get("missing") == missing:
        return  # said already
    line = Line(BRAKED, detail={"missing": missing, "places": places})
    line.name_target(cluster)
    record(SYSTEM, line, result=AuditEntry.Result.REFUSED)
