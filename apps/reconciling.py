"""Declared against running: what fell out is brought back, and what was changed by hand is put right, unless so much
differs that the looking must be wrong.
"""

import logging

from django.conf import settings
from django.db import transaction

from apps.doubting import too_many
from apps.gate import kept_of
from apps.models import AppEnvironment
from apps.needs import needs_deploy
from apps.selectors.state import wanted_instances
from audit.models import AuditEntry
from audit.services import Line, record, register_action
from backends.contract import Phase
from backends.models import Cluster
from core.access import SYSTEM
from core.errors import Conflict
from operations.models import Operation
from operations.services import enqueue
from tenants.models import Project

log = logging.getLogger(__name__)
BRAKED = register_action("cluster.repair_braked")
REPAIR = register_action("app.repair.run")
CHUNK = 2000  # places in memory at a time


def reconcile_cluster(cluster: Cluster) -> int:
    """Start a repair for each place of a cluster from which a service is missing, or where one was changed by hand;
    answers how many. The second may be switched off: then it is only shown.

    With more than a tenth, or more than twenty, to repair it repairs nothing, raises an alarm and says so in the audit.
    """
    places, missing = 0, []
    declared = AppEnvironment.objects.filter(
        environment__cluster=cluster, release__isnull=False, project__state=Project.State.ACTIVE
    )
    rows = declared.select_related("app", "environment", "project", "release").prefetch_related("services")
    for place in rows.iterator(chunk_size=CHUNK):
        places += 1
        if (_missing(place) or _changed(place)) and not _busy(place) and not _kept_out(place):
            missing.append(place)
    if too_many(len(missing), places):
        _brake(cluster, missing=len(missing), places=places)
        return 0
    return sum(_repair(place) for place in missing)


def _missing(place: AppEnvironment) -> bool:
    seen = {service.service for service in place.services.all()}
    wanted = (
        place.release.specification["services"] if place.release else {}
    )  # the names alone: no need to check it all
    return bool(set(wanted) - seen)


def _changed(place: AppEnvironment) -> bool:
    """Another number, or whatever else the engine says is not as Berth left it."""
    if not settings.REPAIR_CHANGED:
        return False
    wanted = wanted_instances(place)
    declared = [service for service in place.services.all() if service.service in wanted]
    return any(one.phase == Phase.OUTDATED or one.wanted != wanted[one.service] for one in declared)


def _kept_out(place: AppEnvironment) -> bool:
    """Nothing that is not approved is started by a repair: its page says so, and whoever can help was told."""
    return place.release is not None and not place.stopped and bool(kept_of(place, place.release))


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
