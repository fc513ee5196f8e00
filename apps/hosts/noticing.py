"""Members of the projects whose instances are on a host hear of it when that is emptied."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.hosts.work import Work
from apps.lifecycle.noticing import members
from apps.models import AppEnvironment, ObservedInstance
from operations.models import Operation
from tenants import notices
from tenants.models import Notice

MOVED = "host.emptied"
MOST_PROJECTS = 200
NAMED = 5  # apps of a project


def _what(params: Mapping[str, Any]) -> str:
    return _("A host of the cluster %(cluster)s is emptied. Concerned: %(apps)s.") % params


notices.register(MOVED, gettext_lazy("Instances of %(project)s move to other hosts"), _what)


def tell_of_emptying(operation: Operation, work: Work) -> None:
    """Once for each operation, however often it is called: a worker may be killed right after it."""
    here = ObservedInstance.objects.filter(host__cluster=work.home, host__engine_id=work.host, wanted=True)
    places = AppEnvironment.objects.filter(pk__in=here.values("place"), project__deleted_at=None)
    by_project: dict[Any, list[AppEnvironment]] = defaultdict(list)
    for place in places.select_related("app", "environment", "project__tenant").order_by("project", "app", "id"):
        by_project[place.project].append(place)
    for project, some in list(by_project.items())[:MOST_PROJECTS]:
        named = [f"{place.app.name} ({place.environment.name})" for place in some]
        params = {
            "project": str(project),
            "cluster": work.home.name,
            "apps": ", ".join(named[:NAMED]) + (" …" if len(named) > NAMED else ""),
        }
        with transaction.atomic():
            for person in members(project):
                notices.tell(
                    person,
                    MOVED,
                    level=Notice.Level.WARN,
                    params=params,
                    link=reverse("project", kwargs={"tenant": project.tenant.name, "project": project.name}),
                    tenant=project.tenant_id,
                    project=project.pk,
                    about=f"operation:{operation.pk}:{project.pk}",
                )
