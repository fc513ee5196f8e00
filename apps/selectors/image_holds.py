"""Which images apps consist of now, or did a short while ago."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from apps.models import AppEnvironment, Deployment
from core.wording import moment_text
from images.keeping.holding import holds
from tenants.models import Project


@holds
def runs(digests: Collection[str], project: Project, since: datetime) -> Mapping[str, Collection[str]]:
    """What an app consists of in some environment, also where it is stopped: it is to start again from it."""
    found: dict[str, set[str]] = defaultdict(set)
    rows = AppEnvironment.objects.filter(release__images__digest__in=digests)
    columns = ("release__images__digest", "project", "app__name", "environment__name")
    for digest, home, app, environment in rows.values_list(*columns):
        if digest in digests:
            words = {"app": app, "environment": environment}
            own = _("%(app)s consists of it in %(environment)s") % words
            found[digest].add(own if home == project.pk else _("an app of another project consists of it"))
    return found


@holds
def was_deployed(digests: Collection[str], project: Project, since: datetime) -> Mapping[str, Collection[str]]:
    """What was put into an environment since then, or was replaced there: one can go back to it."""
    found: dict[str, set[str]] = defaultdict(set)
    rows = Deployment.objects.filter(created_at__gte=since)
    for which in ("release", "replaced"):
        named = Q(**{f"{which}__images__digest__in": digests})
        columns = (f"{which}__images__digest", "project", "app__name", "created_at")
        for digest, home, app, at in rows.filter(named).order_by("created_at").values_list(*columns):
            if digest in digests:
                found[digest].add(_ran(home, project, app, at))
    return {digest: sorted(reasons)[:3] for digest, reasons in found.items()}


def _ran(home: UUID, project: Project, app: str, at: datetime) -> str:
    day = moment_text(at, style="day")
    if home != project.pk:
        return _("another project can go back to it")
    return _("%(app)s can go back to it: in use on %(day)s") % {"app": app, "day": day}
