"""When what an engine shows is not believed at once: where much of what ran is gone from one look to the next."""

import logging
import uuid
from datetime import datetime, timedelta

from backends.models import Cluster

log = logging.getLogger(__name__)
SHARE_ALLOWED = 0.1
MOST_AT_ONCE = 20
FEW = 2  # of so few apps any number may be gone: a share says nothing yet
BELIEVED_AFTER = timedelta(seconds=30)  # before pages would call older numbers old
_since: dict[uuid.UUID, datetime] = {}  # of the process that looks: whoever takes its place begins anew


def too_many(missing: int, places: int) -> bool:
    return missing > MOST_AT_ONCE or (missing > FEW and missing > places * SHARE_ALLOWED)


def doubtful(cluster: Cluster, *, gone: int, known: int, hosts: int, at: datetime) -> bool:
    """Whether a look that no longer shows `gone` of `known` places is to be taken for an engine's slip: an empty
    answer of an API that has just begun, for one. Looks that go on saying so for a while are believed.
    """
    lost_hosts = not hosts and cluster.hosts.exists()
    if not lost_hosts and not too_many(gone, known):
        _since.pop(cluster.pk, None)
        return False
    if at - _since.setdefault(cluster.pk, at) >= BELIEVED_AFTER:
        return False
    log.error("cluster %s shows nothing of %s of %s places: not believed yet", cluster.name, gone, known)
    return True
