"""Which kinds of clusters there are. A driver's own libraries are imported when the first cluster of it is used."""

from collections.abc import Callable
from importlib import import_module

from backends.contract import Driver
from backends.kubernetes import capabilities as kubernetes
from backends.memory_files import in_memory
from backends.models import Cluster
from backends.registry import register
from backends.swarm import capabilities as swarm

#: imported late: docker's SDK costs half a second and 20 MiB, which a process without clusters need not pay
SWARM = "backends.swarm.driver"
KUBERNETES = "backends.kubernetes.driver"


def _swarm(cluster: Cluster) -> Driver:
    module = import_module(SWARM)
    driver: Driver = module.SwarmDriver(
        cluster.address, tls=_tls(cluster, module.TlsFiles), address=cluster.reachable_at
    )
    return driver


def _tls(cluster: Cluster, files: Callable[..., object]) -> object | None:
    """The cluster's credentials as files, where it has any."""
    if not cluster.client_key:
        return None
    return files(
        ca=in_memory("authority", cluster.authority),
        cert=in_memory("certificate", cluster.client_certificate),
        key=in_memory("key", cluster.client_key.reveal()),
    )


def _kubernetes(cluster: Cluster) -> Driver:
    """Its key goes with a certificate; without one it is a token."""
    module = import_module(KUBERNETES)
    secret = cluster.client_key.reveal() if cluster.client_key else ""
    certificate = cluster.client_certificate
    access = module.Access(
        cluster.address.rstrip("/"),
        authority=cluster.authority,
        certificate=certificate,
        key=secret if certificate else "",
        token="" if certificate else secret,
    )
    driver: Driver = module.KubernetesDriver(access)
    return driver


register(Cluster.Kind.SWARM, _swarm, swarm.CAPABILITIES)
register(Cluster.Kind.KUBERNETES, _kubernetes, kubernetes.CAPABILITIES)
