"""Which clusters a tenant may choose for an environment, and which tenants a cluster is offered to."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from apps.models import ClusterOffer
from backends.models import Cluster
from core.errors import FieldProblem, Invalid


@dataclass(frozen=True)
class Offered:
    """`tenants`: their names, sorted; empty where it is offered to everyone."""

    everyone: bool
    tenants: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        return {"everyone": self.everyone, "tenants": list(self.tenants)}


def offered_to(tenant_id: UUID) -> QuerySet[Cluster]:
    """Those a tenant may choose."""
    offers = ClusterOffer.objects.filter(Q(tenant=None) | Q(tenant_id=tenant_id), cluster=OuterRef("pk"))
    return Cluster.objects.filter(Exists(offers))


def offered(cluster: Cluster) -> Offered:
    """Whom a cluster is offered to: everyone, some, or nobody."""
    rows = ClusterOffer.objects.filter(cluster=cluster).order_by("tenant__name")
    names = list(rows.values_list("tenant__name", flat=True))
    if None in names:
        return Offered(everyone=True)
    return Offered(everyone=False, tenants=tuple(name for name in names if name is not None))


def check_offered(cluster: Cluster, tenant_id: UUID) -> None:
    """Raises what a cluster that is not there raises, where the tenant may not choose it."""
    if not offered_to(tenant_id).filter(pk=cluster.pk).exists():
        raise no_such_cluster()


def no_such_cluster(field: str = "cluster") -> Invalid:
    """Of one that is not there and of one that is not offered alike."""
    text = _("There is no such cluster for this tenant.")
    hint = _("Choose one of those that are offered to it; who operates the platform offers clusters.")
    return Invalid(errors=[FieldProblem(field, "unknown", text, hint)])
