"""Connecting a cluster and giving it new credentials: read, checked, then kept."""

from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from apps.clusters import checking
from apps.clusters.services import register_cluster, update_cluster
from audit.commands import check_before
from backends import connecting
from backends.contract import Checkup, UnusableError
from backends.models import Cluster
from core.access import Actor, check_unchanged
from core.errors import FieldProblem, Invalid


@dataclass(frozen=True)
class Asked:
    """What somebody gave to reach a cluster: one file (`credentials`), or its `parts` one by one."""

    kind: str = ""
    credentials: str = field(default="", repr=False)
    context: str = ""
    parts: dict[str, Any] | None = None
    loopback: bool = False

    def columns(self) -> tuple[str, dict[str, Any]]:
        """The kind and the columns of the row. Errors: Invalid with every field that is wrong."""
        if self.credentials and self.parts:
            text = _("Give either one file or its parts, not both.")
            raise Invalid(errors=[FieldProblem(checking.CREDENTIALS, "twice", text)])
        try:
            if self.credentials:
                return self._from_file()
            if not self.kind:
                text = _("Say what kind of cluster it is, or give the one file that says it all.")
                raise Invalid(errors=[FieldProblem("kind", "required", text)])
            return self.kind, connecting.check_parts(self.kind, self.parts or {}, loopback=self.loopback)
        except UnusableError as error:
            raise checking.unusable(error) from error

    def _from_file(self) -> tuple[str, dict[str, Any]]:
        kind, columns = connecting.from_credentials(self.credentials, context=self.context, loopback=self.loopback)
        if self.kind and self.kind != kind:
            text = _("Clusters of this kind are not reached by such a file.")
            raise Invalid(errors=[FieldProblem(checking.CREDENTIALS, "other_kind", text)])
        return kind, columns


def look(actor: Actor, asked: Asked) -> tuple[Checkup, str, dict[str, Any]]:
    """What would be found if this were connected, with its kind and columns; nothing is kept."""
    check_before(register_cluster, actor, None)
    kind, columns = asked.columns()
    return checking.checkup(Cluster(kind=kind, **columns), loopback=asked.loopback), kind, columns


def connect(actor: Actor, asked: Asked, **named: Any) -> tuple[Cluster, Checkup]:
    """Keep a cluster that answers as it should. Errors: Invalid; Conflict with what was found."""
    found, kind, columns = look(actor, asked)
    return register_cluster(actor, None, kind=kind, found=found, **named, **columns), found


def look_again(actor: Actor, cluster: Cluster, asked: Asked) -> Checkup:
    """What would be found if a cluster were reached so from now on; nothing is kept."""
    check_before(update_cluster, actor, cluster)
    return checking.checkup(_changed(cluster, asked), loopback=asked.loopback)


def renew(actor: Actor, cluster: Cluster, asked: Asked, *, version: int | None = None, **named: Any) -> Cluster:
    """Reach a cluster with other credentials or at another address, once it answers so."""
    check_before(update_cluster, actor, cluster)
    check_unchanged(cluster, version)
    changed = _changed(cluster, asked)
    found = checking.checkup(changed, loopback=asked.loopback)
    columns = {name: getattr(changed, name) for name in connecting.PARTS}
    return update_cluster(actor, cluster, version=cluster.version, found=found, **named, **columns)


def _changed(cluster: Cluster, asked: Asked) -> Cluster:
    """The row as it would be. What is not given stays, but a key goes to no other address than it was given for."""
    if asked.credentials:
        _kind, columns = Asked(cluster.kind, asked.credentials, asked.context, loopback=asked.loopback).columns()
    else:
        given = asked.parts or {}
        moves = given.get("address", cluster.address) != cluster.address
        if moves and cluster.client_key and "client_key" not in given:
            text = _("The key that is kept is not sent to another address.")
            hint = _("Send the key again together with the new address.")
            raise Invalid(errors=[FieldProblem("client_key", "key_needed", text, hint)])
        parts = {name: given.get(name, getattr(cluster, name)) for name in connecting.PARTS}
        _kind, columns = Asked(cluster.kind, parts=parts, loopback=asked.loopback).columns()
    return Cluster(pk=cluster.pk, name=cluster.name, kind=cluster.kind, version=cluster.version, **columns)
