"""What would fail, said before it is tried, with the thing that mends it."""

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

from django.db.models import Sum
from django.utils.translation import gettext as _

from apps.models import AppEnvironment, ServiceName
from apps.pinning import known
from apps.specification import Specification
from backends.models import Cluster
from core.access import Actor


@dataclass(frozen=True)
class Finding:
    """`field`: path of what it is about; `mend`: {field: value} that a button may put there."""

    level: Literal["bad", "warn", "ok"]
    code: str
    message: str
    field: str = ""
    hint: str = ""
    mend: dict[str, Any] = dataclasses.field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            "level": self.level,
            "code": self.code,
            "message": self.message,
            "field": self.field,
            "hint": self.hint,
            "mend": self.mend,
        }


def preflight(actor: Actor, place: AppEnvironment, spec: Specification) -> list[Finding]:
    """All findings, the worst first. Reads rows only."""
    found = [
        *_images(place, spec),
        *_secrets(spec),
        *_names(place, spec),
        *_cluster(place.environment.cluster),
        *_capacity(place, spec),
    ]
    return sorted(found, key=lambda finding: ("bad", "warn", "ok").index(finding.level))


def _images(place: AppEnvironment, spec: Specification) -> list[Finding]:
    found = []
    for name, service in spec.services.items():
        path, words = f"spec.services.{name}.image", {"image": service.image, "service": name}
        artifact = known(place.tenant_id, service.image)
        if artifact is None:
            text = _("%(image)s is not in Berth's list; its registry is asked when the deployment runs.") % words
            found.append(
                Finding(
                    "warn",
                    "image_unknown",
                    text,
                    path,
                    _("Check the name and tag, or choose one of the list."),
                )
            )
            continue
        found.append(Finding("ok", "image_known", _("%(image)s is there and pinned by digest.") % words, path))
        checked = service.healthcheck or service.x_berth.health or artifact.health
        if not checked:
            text = (
                _("%(service)s has no health check: an instance counts as running as soon as it has started.") % words
            )
            hint = _("Add a health check, so that an update never replaces a working instance by a broken one.")
            found.append(Finding("warn", "no_health_check", text, f"spec.services.{name}.healthcheck", hint))
    return found


def _secrets(spec: Specification) -> list[Finding]:
    text = _("Secrets cannot be given to an app yet.")
    hint = _("Take the secret out, or wait for a version of Berth that keeps secrets.")
    return [
        Finding("bad", "secret_not_set", text, f"spec.services.{name}.secrets", hint)
        for name, service in spec.services.items()
        if service.secrets
    ]


def _names(place: AppEnvironment, spec: Specification) -> list[Finding]:
    others = ServiceName.objects.filter(environment=place.environment, name__in=list(spec.services))
    return [
        Finding(
            "warn",
            "name_held",
            _("“%(name)s” already means a service of %(app)s here; this one answers to “%(long)s”.")
            % {"name": row.name, "app": row.app.name, "long": f"{place.app.name}-{row.name}"},
            f"spec.services.{row.name}",
        )
        for row in others.exclude(app=place.app).select_related("app")
    ]


def _cluster(cluster: Cluster) -> list[Finding]:
    if cluster.state == Cluster.State.AWAY:
        text = _("The cluster %(name)s cannot be reached at the moment.") % {"name": cluster.name}
        return [Finding("warn", "cluster_away", text, "environment", _("The deployment waits until it is back."))]
    return []


def _capacity(place: AppEnvironment, spec: Specification) -> list[Finding]:
    """Reserved memory against what the hosts have; limits alone reserve nothing."""
    asked = sum(
        (service.deploy.resources.reservations.memory or 0) * service.deploy.replicas
        for service in spec.services.values()
    )
    hosts = place.environment.cluster.hosts.filter(ready=True, schedulable=True)
    sums = hosts.aggregate(all=Sum("memory_bytes"), held=Sum("memory_reserved"))
    if sums["all"] is None:
        return []
    free = sums["all"] - sums["held"]
    words = {
        "asked": asked // 2**20,
        "free": max(free, 0) // 2**20,
        "cluster": place.environment.cluster.name,
    }
    if asked > free:
        text = _("%(asked)s MiB of memory are reserved, %(free)s MiB are free on %(cluster)s.") % words
        return [Finding("bad", "no_memory", text, "spec", _("Reserve less memory, or fewer instances."))]
    text = _("%(cluster)s has room: %(free)s MiB of memory are free.") % words
    return [Finding("ok", "capacity", text)]
