"""What of ours is left on a cluster, and why that keeps it from being removed."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.models import Environment
from backends.contract import ServiceRef
from backends.models import Cluster
from core.errors import Conflict

MOST_NAMED = 20


@dataclass(frozen=True)
class Bound:
    """An environment that is on a cluster, in whose project."""

    tenant: str
    project: str
    environment: str
    deleted: bool  # the project is out of sight, and can still be restored

    @property
    def said(self) -> str:
        return f"{self.tenant} / {self.project} / {self.environment}"


def bound_there(cluster: Cluster) -> tuple[list[Bound], int]:
    """The first environments that are bound to it, and how many there are."""
    rows = Environment.objects.filter(cluster=cluster)
    names = rows.order_by("tenant__name", "project__name", "position").values_list(
        "tenant__name", "project__name", "name", "project__deleted_at"
    )
    found = [Bound(tenant, project, name, gone is not None) for tenant, project, name, gone in names[:MOST_NAMED]]
    return found, rows.count()


def refuse_bound(cluster: Cluster) -> None:
    """Errors: Conflict, with the environments."""
    found, count = bound_there(cluster)
    if not found:
        return
    message = ngettext(
        "%(count)s environment is bound to %(cluster)s: %(names)s.",
        "%(count)s environments are bound to %(cluster)s: %(names)s.",
        count,
    ) % {"count": count, "cluster": cluster.name, "names": _named([one.said for one in found], count)}
    hint = _("Bind them to another cluster or remove them first.")
    raise Conflict(message, code="in_use", hint=hint, extra={"environments": [one.said for one in found]})


def refuse_held(held: list[ServiceRef] | None, cluster: Cluster, *, gone: bool) -> None:
    """Errors: Conflict, with the services. `held` is None: nobody can say; `gone`: and nobody ever will."""
    if held is None:
        if gone:
            return
        message = _("%(cluster)s does not answer, so nobody can see whether something of ours is left there.")
        hint = _("Wait until it answers. If it is gone for good, say so and remove it all the same.")
        raise Conflict(message % {"cluster": cluster.name}, code="cluster_silent", hint=hint)
    if held:
        names = [f"{one.environment}/{one.engine_name}" for one in held[:MOST_NAMED]]
        message = ngettext(
            "%(count)s service of ours is still on %(cluster)s: %(names)s.",
            "%(count)s services of ours are still on %(cluster)s: %(names)s.",
            len(held),
        ) % {"count": len(held), "cluster": cluster.name, "names": _named(names, len(held))}
        hint = _("Remove them at the cluster itself: no environment of this Berth knows them any more.")
        raise Conflict(message, code="in_use", hint=hint, extra={"services": names})


def _named(names: list[str], count: int) -> str:
    return ", ".join(names) + (" …" if count > len(names) else "")
