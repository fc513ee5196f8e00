"""Forgetting a cluster, once it was asked what it holds."""

from apps.clusters import checking
from apps.clusters.services import remove_cluster
from apps.models import Environment
from audit.commands import check_before
from backends.models import Cluster
from core.access import Actor


def remove(actor: Actor, cluster: Cluster, *, typed_name: str, gone: bool = False, version: int | None = None) -> None:
    """Look what a cluster holds, then forget it, where that is possible at all."""
    check_before(remove_cluster, actor, cluster)
    asked = cluster.address and not Environment.objects.filter(cluster=cluster).exists()
    held = checking.services_there(cluster) if asked else []
    remove_cluster(actor, cluster, typed_name=typed_name, held=held, gone=gone, version=version)
