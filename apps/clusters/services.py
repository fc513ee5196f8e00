"""Which clusters there are: commands of platform operators. An engine is not asked here; see `checking`."""

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, ProtectedError
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from apps.clusters.checking import refuse_unfit
from apps.clusters.left import refuse_bound, refuse_held
from apps.models import ClusterOffer
from apps.selectors.offered import Offered, offered
from audit.commands import command, describe
from backends.connecting import PARTS
from backends.contract import Checkup, ServiceRef
from backends.models import Cluster
from core.access import Actor, check_unchanged
from core.errors import Changed, Conflict, FieldProblem, Invalid
from core.names import RULE, is_label
from tenants.models import Tenant

MOST_NAMED = 5  # of tenants nobody knows
OPEN = ("title", "address", "reachable_at", "authority", "client_certificate")  # columns that may stand in the audit


@command("cluster.register", permission="cluster.manage")
def register_cluster(
    actor: Actor, target: None, /, *, name: str, kind: str, found: Checkup, everyone: bool = False, **columns: Any
) -> Cluster:
    """Make a cluster known that was `found` fit; it is watched from then on. `everyone`: offered to every tenant.

    `client_key` is a `Secret`: the audit never holds it.
    """
    if not is_label(name):
        raise Invalid(errors=[FieldProblem("name", "bad_name", RULE)])
    refuse_unfit(found)
    try:
        with transaction.atomic():
            made = Cluster.objects.create(name=name, kind=kind, **columns)
    except IntegrityError:
        message = _("A cluster called “%(name)s” exists.") % {"name": name}
        raise Conflict(message, code="name_taken", hint=_("Take another name.")) from None
    if everyone:
        ClusterOffer.objects.create(cluster=made)
    describe(
        target=made, after={"name": name, "kind": kind, "everyone": everyone} | _shown(columns), detail=_codes(found)
    )
    return made


@command("cluster.update", permission="cluster.manage")
def update_cluster(
    actor: Actor, cluster: Cluster, /, *, version: int | None = None, found: Checkup | None = None, **columns: Any
) -> Cluster:
    """Change what a cluster is called or, as it was `found` to answer, how it is reached."""
    check_unchanged(cluster, version)
    if found is not None:
        refuse_unfit(found)
    elif touched := set(PARTS) & set(columns):
        raise ValueError(f"nobody looked whether it answers so: {touched}")
    detail = _codes(found) if found else {}
    describe(before=_shown({name: getattr(cluster, name) for name in columns}), after=_shown(columns), detail=detail)
    rows = Cluster.objects.filter(pk=cluster.pk, version=cluster.version)
    if not rows.update(version=F("version") + 1, updated_at=Now(), **columns):
        raise Changed()
    cluster.refresh_from_db()
    return cluster


@command("cluster.remove", permission="cluster.manage")
def remove_cluster(
    actor: Actor,
    cluster: Cluster,
    *,
    typed_name: str,
    held: list[ServiceRef] | None,
    gone: bool = False,
    version: int | None = None,
) -> None:
    """Forget a cluster to which nothing is bound. `held`: what it says it has of ours; None: it does not answer.

    `gone`: it never will, so nobody can see whether something is left.
    """
    check_unchanged(cluster, version)
    if typed_name.strip() != cluster.name:
        text = _("Type %(name)s to remove it.") % {"name": cluster.name}
        raise Invalid(errors=[FieldProblem("typed_name", "not_the_name", text)])
    refuse_bound(cluster)
    refuse_held(held, cluster, gone=gone)
    describe(before={"name": cluster.name, "kind": cluster.kind, "address": cluster.address})
    try:
        with transaction.atomic():
            cluster.delete()
    except ProtectedError:  # bound this very moment
        raise Changed() from None


@command("cluster.offer", permission="cluster.manage")
def offer_cluster(
    actor: Actor, cluster: Cluster, *, everyone: bool, tenants: Sequence[str] = (), version: int | None = None
) -> Offered:
    """Say which tenants may put new environments there. Those that are there stay, whoever they belong to."""
    check_unchanged(cluster, version)
    names = sorted(set(tenants))
    if everyone and names:
        text = _("Offer it to every tenant or to those you name, not both.")
        raise Invalid(errors=[FieldProblem("tenants", "twice", text)])
    rows = list(Tenant.objects.filter(name__in=names))
    if unknown := sorted(set(names) - {row.name for row in rows}):
        text = _("There is no tenant called %(names)s.") % {"names": ", ".join(unknown[:MOST_NAMED])}
        raise Invalid(errors=[FieldProblem("tenants", "unknown", text, _("Take their names from Tenants."))])
    before = offered(cluster)
    describe(before=before.as_json(), after={"everyone": everyone, "tenants": names})
    _raise_version(cluster)
    ClusterOffer.objects.filter(cluster=cluster).delete()
    if everyone:
        ClusterOffer.objects.create(cluster=cluster)
    ClusterOffer.objects.bulk_create([ClusterOffer(cluster=cluster, tenant=row) for row in rows])
    return offered(cluster)


def _raise_version(cluster: Cluster) -> None:
    rows = Cluster.objects.filter(pk=cluster.pk, version=cluster.version)
    if not rows.update(version=F("version") + 1, updated_at=Now()):
        raise Changed()
    cluster.refresh_from_db(fields=["version", "updated_at"])


def _codes(found: Checkup) -> dict[str, Any]:
    """What was found and lived with."""
    return {"found": [str(one.code) for one in found.findings]} if found.findings else {}


def _shown(columns: dict[str, Any]) -> dict[str, Any]:
    changed_key = {"client_key": "changed"} if columns.get("client_key") else {}
    return {name: str(columns[name])[:200] for name in OPEN if name in columns} | changed_key
