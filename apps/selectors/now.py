"""How one app runs in one environment at this moment, read from rows: services, instances, the latest operation."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.models import AppEnvironment
from apps.selectors.figures import Figure, figures_of
from apps.selectors.running import InstanceLine, ServiceFacts, instance_lines, service_facts
from apps.selectors.state import PlaceState, place_state
from apps.selectors.topology import MOST_CELLS, Topology, topology
from apps.selectors.unsteady import Crashes, crashes_today, unsteady_sentence
from apps.specification import stored
from apps.trends import trends
from core.status import Status
from operations.models import Operation


@dataclass(frozen=True)
class Now:
    state: PlaceState
    operation: Operation | None
    instances: list[InstanceLine]
    services: list[ServiceFacts]
    topology: Topology | None
    unsteady: str
    """What restarted today although everything runs now; empty where nothing did."""
    figures: list[Figure]
    average_up: timedelta | None
    seen_at: datetime | None
    since: datetime | None

    @property
    def few(self) -> bool:
        """Few enough to be told apart at a glance."""
        return len(self.instances) <= MOST_CELLS

    @property
    def measured(self) -> bool:
        return any(line.usage is not None for line in self.instances)


def latest_operation(place: AppEnvironment) -> Operation | None:
    rows = Operation.objects.filter(target=f"place:{place.pk}").select_related("deployment")
    return rows.order_by("-created_at", "-id").first()


def now(place: AppEnvironment) -> Now:
    """At most eight queries. `place` comes with its release and its environment's cluster."""
    services = list(place.services.order_by("service"))
    rows = list(place.observed_instances.select_related("host").order_by("service", "number", "-started_at"))
    operation, since = latest_operation(place), _since(place)
    specification = stored(place.release.specification) if place.release else None
    facts = service_facts(place, specification, services)
    crashes = crashes_today([place], {place.pk: since})[place.pk]
    state = place_state(place, services, rows, operation)
    stale = state.stale_since is not None
    lines = instance_lines(rows, crashes, {one.name: one.cpu for one in facts}, stale=stale)
    ups = [line.up for line in lines if line.up is not None]
    return Now(
        state=state,
        operation=operation,
        instances=lines,
        services=facts,
        topology=topology(specification, facts, lines, stale=stale) if specification else None,
        unsteady=_unsteady(state, crashes, lines),
        figures=figures_of(facts, lines, trends([place.pk]).get(place.pk)),
        average_up=sum(ups, timedelta()) / len(ups) if ups else None,
        seen_at=max((service.seen_at for service in services), default=None),
        since=since,
    )


def _unsteady(state: PlaceState, crashes: Crashes, lines: Sequence[InstanceLine]) -> str:
    if state.status is not Status.RUNNING:
        return ""
    return unsteady_sentence(crashes, Counter(line.service for line in lines if line.status is Status.RUNNING))


def _since(place: AppEnvironment) -> datetime | None:
    """When the present release began to serve here."""
    if place.release_id is None:
        return None
    put = place.deployments.filter(release=place.release_id, kind__in=("deploy", "rollback"), result="succeeded")
    return put.order_by("-number").values_list("operation__ended_at", flat=True).first()
