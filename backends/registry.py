"""From a cluster's row to its driver. Drivers register by kind; nothing outside this package asks for the kind."""

import threading
import uuid
from collections.abc import Callable

from backends.contract import Capabilities, Driver
from backends.models import Cluster

Maker = Callable[[Cluster], Driver]
_makers: dict[str, Maker] = {}
_capabilities: dict[str, Capabilities] = {}
_open: dict[tuple[uuid.UUID, int], Driver] = {}
_lock = threading.Lock()


def register(kind: str, make: Maker, capabilities: Capabilities) -> None:
    _makers[kind] = make
    _capabilities[kind] = capabilities


def capabilities_of(cluster: Cluster) -> Capabilities:
    """What a cluster can and cannot, without opening a driver: pages ask for it."""
    return _capabilities[cluster.kind]


def made_for(cluster: Cluster) -> Driver:
    """A driver that is not kept, of a row that need not be saved."""
    return _makers[cluster.kind](cluster)


def driver_for(cluster: Cluster) -> Driver:
    """One driver per cluster and version of its row: a change of address or credentials opens a new one."""
    key = (cluster.pk, cluster.version)
    with _lock:
        if key not in _open:
            for old in [old for old in _open if old[0] == cluster.pk]:
                del _open[old]
            _open[key] = _makers[cluster.kind](cluster)
        return _open[key]


def close_all() -> None:
    """Forget every driver, e.g. between tests."""
    with _lock:
        _open.clear()
