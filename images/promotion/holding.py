"""What is approved stays, whatever a project's rules say of its age."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from django.utils.translation import gettext as _

from images.keeping.holding import holds
from images.promotion.models import Approval, Stage
from images.promotion.standing import holds as holding
from tenants.models import Project


@holds
def approved(digests: Collection[str], project: Project, since: datetime) -> Mapping[str, Collection[str]]:
    """Where it may run, also in a project of others."""
    found: dict[str, set[str]] = defaultdict(set)
    rows = Approval.objects.filter(holding(), digest__in=digests).values_list("digest", "project", "stage")
    for digest, home, stage in rows:
        own = _("it is approved for %(stage)s") % {"stage": Stage(stage).label}
        found[digest].add(own if home == project.pk else _("it is approved in another project"))
    return found
