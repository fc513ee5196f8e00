"""From the files that people have of a cluster to the columns of its row."""

from typing import Any

from backends.kubernetes.access import from_kubeconfig
from backends.kubernetes.rights import objects
from backends.models import Cluster
from core.secrets import Secret


def from_credentials(text: str, *, context: str = "") -> tuple[str, dict[str, Any]]:
    """The kind and the columns that a kubeconfig stands for. Errors: DriverError, with what cannot be taken from it."""
    access = from_kubeconfig(text, context=context)
    columns = {
        "address": access.server,
        "authority": access.authority,
        "client_certificate": access.certificate,
        "client_key": Secret(access.key or access.token),
    }
    return Cluster.Kind.KUBERNETES, columns


def rights(*, usage: bool) -> dict[str, Any]:
    """The account and the role that Berth needs on a cluster, as one document to apply there."""
    return {"apiVersion": "v1", "kind": "List", "items": objects(usage=usage)}
