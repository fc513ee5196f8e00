"""Which kinds of clusters there are. A driver's own libraries are imported when the first cluster of it is used."""

from backends.contract import Driver
from backends.models import Cluster
from backends.registry import register


def _swarm(cluster: Cluster) -> Driver:
    from backends.swarm.driver import (
        SwarmDriver,  # costs half a second and 20 MiB: not for a process without clusters
    )

    return SwarmDriver(cluster.address, address=cluster.reachable_at)


register(Cluster.Kind.SWARM, _swarm)
