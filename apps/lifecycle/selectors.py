"""What a change of a whole project would touch, said before it is done; and what was done with it before."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Sum
from django.utils import timezone

from apps.lifecycle.turns import FROM, KIND, NEEDS, target_of
from apps.models import App, AppEnvironment, Environment, ObservedService
from core.access import Actor, may, visible
from operations.models import Operation
from tenants.groups.holding import holders
from tenants.lifecycle import KEPT, gone_on
from tenants.models import Grant, Project, Tenant, Token
from tenants.rights import running_grants
from tenants.selectors import deleted_projects

MOST_BEFORE = 8
MOST_DELETED = 50


@dataclass(frozen=True)
class Touched:
    """How much is in a project at this moment. `held`: places that run again when it is resumed."""

    apps: int
    places: int
    held: int
    instances: int
    protected: list[Environment]
    changes: int
    people: int
    tokens: int
    until: datetime


@dataclass(frozen=True)
class Deleted:
    project: Project
    apps: int
    gone: datetime | None

    @property
    def soon(self) -> bool:
        return self.gone is not None and self.gone - timezone.now() < timedelta(days=3)


def touched(project: Project) -> Touched:
    people = holders(Grant.objects.filter(running_grants(), project=project)).filter(robot=None)
    places = AppEnvironment.objects.filter(project=project, app__deleted_at=None, release__isnull=False)
    running = ObservedService.objects.filter(place__in=places).aggregate(sum=Sum("running"))["sum"] or 0
    busy = Operation.objects.filter(project_id=project.pk, state__in=Operation.ACTIVE)
    protected = Environment.objects.filter(project=project, protected=True, places__in=places)
    return Touched(
        apps=App.objects.filter(project=project, deleted_at=None).count(),
        places=places.count(),
        held=places.filter(held=True).count(),
        instances=running,
        protected=list(protected.distinct().order_by("position")),
        changes=busy.exclude(target=target_of(project)).count(),
        people=people.count(),
        tokens=Token.objects.filter(project=project).count(),
        until=timezone.now() + KEPT,
    )


def under_way(project: Project) -> Operation | None:
    """The turn that is being done at this moment."""
    return Operation.objects.filter(target=target_of(project), state__in=Operation.ACTIVE).first()


def before(actor: Actor, project: Project) -> list[Operation]:
    """What was done with the whole of it, newest first."""
    rows = Operation.objects.filter(target=target_of(project), kind__startswith=KIND)
    return list(visible(actor, rows).order_by("-id")[:MOST_BEFORE])


def possible(actor: Actor, project: Project) -> dict[str, bool]:
    """The deeds that its state allows, in their order; and whether this person may."""
    return {deed: may(actor, NEEDS[deed], project) for deed, states in FROM.items() if project.state in states}


def restorable(actor: Actor, tenant: Tenant) -> list[Deleted]:
    """Deleted projects of a tenant that this person may bring back, the last one first."""
    rows = visible(actor, deleted_projects().filter(tenant=tenant), "project.delete")
    found = list(rows.select_related("tenant").order_by("-deleted_at")[:MOST_DELETED])
    return [Deleted(row, App.objects.filter(project=row, deleted_at=None).count(), gone_on(row)) for row in found]
