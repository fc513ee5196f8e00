"""Which clusters there are: commands of platform operators. An engine is not asked here; the observer looks at it."""

import re
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, ProtectedError
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from audit.commands import command, describe
from backends.models import Cluster
from core.access import Actor, check_unchanged
from core.errors import Changed, Conflict, FieldProblem, Invalid
from core.names import RULE, is_label

ADDRESS = re.compile(r"(unix:///[^\s\0]{1,200}|(tcp|http|https)://[A-Za-z0-9.\-\[\]:]{1,200})\Z", re.ASCII)
OPEN = ("title", "address", "reachable_at", "authority", "client_certificate")  # columns that may stand in the audit


@command("cluster.register", permission="cluster.manage")
def register_cluster(actor: Actor, target: None, /, *, name: str, kind: str, **columns: Any) -> Cluster:
    """Make a cluster known; it is watched from then on. `client_key` is a `Secret`: the audit never holds it."""
    if not is_label(name):
        raise Invalid(errors=[FieldProblem("name", "bad_name", RULE)])
    _check_address(columns.get("address", ""))
    try:
        with transaction.atomic():
            made = Cluster.objects.create(name=name, kind=kind, **columns)
    except IntegrityError:
        message = _("A cluster called “%(name)s” exists.") % {"name": name}
        raise Conflict(message, code="name_taken", hint=_("Take another name.")) from None
    describe(target=made, after={"name": name, "kind": kind} | _shown(columns))
    return made


@command("cluster.update", permission="cluster.manage")
def update_cluster(actor: Actor, cluster: Cluster, /, *, version: int | None = None, **columns: Any) -> Cluster:
    """Change how a cluster is reached. Another address without a new key forgets the old key: it is not sent there."""
    check_unchanged(cluster, version)
    _check_address(columns.get("address", cluster.address))
    if columns.get("address", cluster.address) != cluster.address:
        columns.setdefault("client_key", None)
    describe(before=_shown({name: getattr(cluster, name) for name in columns}), after=_shown(columns))
    rows = Cluster.objects.filter(pk=cluster.pk, version=cluster.version)
    if not rows.update(version=F("version") + 1, updated_at=Now(), **columns):
        raise Changed()
    cluster.refresh_from_db()
    return cluster


@command("cluster.remove", permission="cluster.manage")
def remove_cluster(actor: Actor, cluster: Cluster) -> None:
    """Forget a cluster that no environment is bound to. What runs there is left alone."""
    try:
        with transaction.atomic():
            cluster.delete()
    except ProtectedError:
        message = _("Environments are bound to %(cluster)s.") % {"cluster": cluster.name}
        raise Conflict(message, code="in_use", hint=_("Remove these environments first.")) from None


def _check_address(address: str) -> None:
    if address and not ADDRESS.match(address):
        text = _("An engine's address looks like unix:///var/run/docker.sock or tcp://10.0.0.5:2376.")
        raise Invalid(errors=[FieldProblem("address", "bad_address", text)])


def _shown(columns: dict[str, Any]) -> dict[str, Any]:
    changed_key = {"client_key": "changed"} if columns.get("client_key") else {}
    return {name: str(columns[name])[:200] for name in OPEN if name in columns} | changed_key
