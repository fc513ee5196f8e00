"""From what people have of a cluster to the columns of its row, and the check of them before they are kept."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from backends.addresses import refuse_elsewhere, refuse_where_it_leads
from backends.contract import CheckCode, Checkup, Finding, Level, Unusable, UnusableError
from backends.kubernetes import access
from backends.kubernetes.rights import ACCOUNT, PLACE, objects
from backends.models import Cluster
from backends.pem import check_authority, check_pair
from backends.registry import made_for
from core.secrets import Secret

Columns = dict[str, Any]

PARTS = ("address", "authority", "client_certificate", "client_key")
_TLS = ("client_certificate", "client_key")
_SOCKET = re.compile(r"unix:///[^\s\0]{1,200}\Z", re.ASCII)


@dataclass(frozen=True)
class Way:
    """One way to connect a cluster. `by_file`: one file says it all; else an address and, mostly, three files."""

    kind: str
    title: Promise
    about: Promise
    by_file: bool
    commands: tuple[str, ...] = ()  # what its administrator types for it

    @property
    def name(self) -> str:
        return str(Cluster.Kind(self.kind).label)


WAYS = (
    Way(
        Cluster.Kind.KUBERNETES,
        _("Kubernetes, by its kubeconfig"),
        _("One file says where it answers and as whom. The account needs a role; it is there to copy."),
        by_file=True,
        commands=(
            "kubectl apply -f berth-rights.json",
            f"kubectl -n {PLACE} create token {ACCOUNT} --duration=8760h",
        ),
    ),
    Way(
        Cluster.Kind.SWARM,
        _("Docker Swarm, by an address and TLS files"),
        _("The engine of a managing host, with ca.pem, cert.pem and key.pem as the docker client uses them."),
        by_file=False,
    ),
)


def way_of(kind: str) -> Way | None:
    """How clusters of a kind are connected; None: there is no such kind, or none that people connect."""
    return next((one for one in WAYS if one.kind == kind), None)


def way_for(cluster: Cluster) -> Way:
    """How this one is given new credentials: by a file where its kind has one, else by an address."""
    return way_of(cluster.kind) or next(one for one in WAYS if not one.by_file)


def contexts(text: str) -> list[str]:
    """What one file offers to choose from, its own choice first. Errors: UnusableError."""
    return access.contexts(text)


def from_credentials(text: str, *, context: str = "", loopback: bool = False) -> tuple[str, Columns]:
    """The kind and the columns that a kubeconfig stands for. Errors: UnusableError, with what cannot be taken."""
    found = access.from_kubeconfig(text, context=context, loopback=loopback)
    columns = {
        "address": found.server,
        "authority": found.authority,
        "client_certificate": found.certificate if found.key else "",
        "client_key": Secret(found.key if found.certificate and found.key else found.token),
    }
    check_authority(found.authority, field="cluster.certificate-authority-data")
    if columns["client_certificate"]:
        check_pair(found.certificate, found.key, fields=("user.client-certificate-data", "user.client-key-data"))
    return Cluster.Kind.KUBERNETES, columns


def check_parts(kind: str, parts: Columns, *, loopback: bool = False) -> Columns:
    """The columns `PARTS` that were given one by one, made sure of. Errors: UnusableError that names a column."""
    address, authority, certificate = (parts.get(name) or "" for name in PARTS[:3])
    secret: Secret | None = parts.get("client_key") or None
    check_authority(authority, field="authority")
    if certificate:
        check_pair(certificate, secret.reveal() if secret else "", fields=_TLS)
    if kind == Cluster.Kind.KUBERNETES:
        address = access.checked_server(address, loopback=loopback, where="address")
        if secret is None:
            raise UnusableError(Unusable.NO_CREDENTIALS)
        if not certificate:
            access.checked_token(secret.reveal(), where="client_key")
    elif kind == Cluster.Kind.SWARM:
        _check_engine(address)
        if secret is not None and not certificate:
            raise UnusableError(Unusable.BAD_TEXT, field="client_certificate")
    return {"address": address, "authority": authority, "client_certificate": certificate, "client_key": secret}


def _check_engine(address: str) -> None:
    """Its own machine may be meant: that is where the first cluster is."""
    if _SOCKET.match(address):
        return
    try:
        parts = urlsplit(address)
        usable = parts.scheme == "tcp" and parts.hostname and parts.port and not parts.path and not parts.username
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or not address.isprintable() or " " in address:
        raise UnusableError(Unusable.BAD_ADDRESS, field="address")
    refuse_elsewhere(parts.hostname or "", field="address", loopback=True)


def examine(row: Cluster, *, known_hosts: frozenset[str] = frozenset(), loopback: bool = False) -> Checkup:
    """Ask a cluster whose row need not be saved; blocks for its time limits at most. Never raises but UnusableError.

    `known_hosts`: engine ids of those that were seen under this name so far.
    """
    host = urlsplit(row.address).hostname
    if host:
        anywhere = loopback or row.kind == Cluster.Kind.SWARM
        refuse_where_it_leads(host, field="address", loopback=anywhere)
    found = made_for(row).checks()
    if known_hosts and found.host_ids and not known_hosts & found.host_ids:
        other = Finding(CheckCode.OTHER_CLUSTER, Level.WARN)
        return Checkup(found.version, found.hosts, found.hosts_ready, found.host_ids, (*found.findings, other))
    return found


def rights(*, usage: bool) -> dict[str, Any]:
    """The account and the role that Berth needs on a cluster, as one document to apply there."""
    return {"apiVersion": "v1", "kind": "List", "items": objects(usage=usage)}
