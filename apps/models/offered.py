"""Which tenants may put environments on which clusters. Written by commands only."""

from django.db import models
from django.db.models import Q

from core.access import Scope
from core.rows import Row


class ClusterOffer(Row):
    """A cluster that a tenant may choose; without a tenant: that every tenant may."""

    scope = Scope("tenant_id", None, shared=True)
    view_permission = "cluster.view"

    cluster = models.ForeignKey("backends.Cluster", models.CASCADE, related_name="+")
    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cluster", "tenant"], name="cluster_offered_once"),
            models.UniqueConstraint(
                fields=["cluster"], condition=Q(tenant__isnull=True), name="cluster_offered_to_all_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cluster_id} to {self.tenant_id or 'all'}"
