"""Changing and removing an environment. Each public function is a command."""

from typing import Any

from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from apps.models import AppEnvironment, Deployment, Environment, ServiceName
from apps.selectors.offered import check_offered
from audit.commands import command, describe
from backends.models import Cluster
from core.access import Actor, check_unchanged
from core.errors import Changed, Conflict
from images.registry.accounts import end as end_account


@command("environment.update", permission="project.manage")
def update_environment(
    actor: Actor,
    environment: Environment,
    *,
    protected: bool | None = None,
    cluster: Cluster | None = None,
    version: int | None = None,
) -> Environment:
    """Protect it or not; bind it to another cluster as long as nothing is deployed there."""
    check_unchanged(environment, version)
    if cluster is not None and cluster.pk != environment.cluster_id:
        check_offered(cluster, environment.tenant_id)
        _check_empty(environment)
    asked: dict[str, Any] = {"protected": protected, "cluster_id": cluster.pk if cluster else None}
    said = {name: value for name, value in asked.items() if value is not None}
    describe(before={name: getattr(environment, name) for name in said}, after=said)
    rows = Environment.objects.filter(pk=environment.pk, version=environment.version)
    if not rows.update(version=F("version") + 1, updated_at=Now(), **said):
        raise Changed()
    return Environment.objects.select_related("cluster").get(pk=environment.pk)


@command("environment.delete", permission="project.manage")
def delete_environment(actor: Actor, environment: Environment, *, version: int | None = None) -> None:
    """Remove one to which nothing was ever deployed; others keep their history."""
    check_unchanged(environment, version)
    if Deployment.objects.filter(environment=environment).exists():
        message = _("Something was deployed to %(environment)s, and its history is kept.") % {
            "environment": environment.name
        }
        raise Conflict(message, code="has_history", hint=_("Take its apps out of it and leave it empty."))
    ServiceName.objects.filter(environment=environment).delete()
    AppEnvironment.objects.filter(environment=environment).delete()
    end_account(environment.engine_name)
    Environment.objects.filter(pk=environment.pk).delete()


def _check_empty(environment: Environment) -> None:
    if environment.places.filter(release__isnull=False).exists():
        message = _("Something is deployed to %(environment)s.") % {"environment": environment.name}
        hint = _("Take its apps out of it first; then it can be on another cluster.")
        raise Conflict(message, code="in_use", hint=hint)
