"""What a whole project holds of its quota and its tenant's, while it is stopped and brought back."""

from django.db.models import QuerySet

from apps import reserving
from apps.lifecycle.turns import Turn
from apps.models import AppEnvironment
from operations.models import Operation
from tenants.models import Project
from tenants.quota import claiming
from tenants.quota.claiming import Where
from tenants.quota.resources import Resource


def take(project: Project, turn: Turn) -> None:
    """On the way up: hold what is to run again, before anything is promised. Raises Conflict where it does not fit."""
    if turn.before == Project.State.DELETED:
        claiming.widen(project.pk, Where(project.tenant_id), {Resource.PROJECTS: 1})
    if not turn.runs:
        return
    for place in _places(project).filter(held=True):
        place.stopped = False  # as it will be; not saved here
        reserving.take(place)


def settle(project: Project, operation: Operation, turn: Turn) -> None:
    """It is over: hold what is declared now, no more."""
    for place in _places(project):
        reserving.give_back(place)
    if turn.deed == "delete" and operation.state == Operation.State.SUCCEEDED:
        claiming.settle(project.pk, Where(project.tenant_id), {})


def _places(project: Project) -> QuerySet[AppEnvironment]:
    return AppEnvironment.objects.filter(project=project, release__isnull=False).select_related(
        "release", "environment__cluster"
    )
