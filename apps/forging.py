"""Things on a cluster that bear Berth's marks and are not Berth's: they count for nothing, and operators are told."""

import logging
from collections.abc import Sequence
from datetime import timedelta

from audit.models import AuditEntry
from audit.services import Line, record, register_action
from backends.models import Cluster
from core.access import SYSTEM
from core.clock import from_now

log = logging.getLogger(__name__)
FORGED = register_action("cluster.forged_seen")
NAMED = 10
AGAIN_AFTER = timedelta(minutes=10)  # whoever makes more of them all the time fills no audit


def tell_of_forged(cluster: Cluster, names: Sequence[str]) -> None:
    """An alarm and an audit entry, when there are others than were told of last."""
    if not names:
        return
    detail = {"names": [name[:200] for name in sorted(names)[:NAMED]], "count": len(names)}
    told = AuditEntry.objects.filter(action=FORGED, target_id=str(cluster.pk)).order_by("-at").first()
    if told is not None and told.detail == detail:
        return
    if AuditEntry.objects.filter(action=FORGED, target_id=str(cluster.pk), at__gt=from_now(-AGAIN_AFTER)).exists():
        return
    log.error("%s things on cluster %s bear marks of Berth that are not its own", len(names), cluster.name)
    line = Line(FORGED, detail=detail)
    line.name_target(cluster)
    record(SYSTEM, line, result=AuditEntry.Result.REFUSED)
