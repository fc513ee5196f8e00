"""One deployment as its page tells it: title, sentence, steps, instances, story, and why it failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from statistics import median
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.models import AppEnvironment, Deployment, InstanceEnd, PlaceEvent, Release, ReleaseImage
from apps.selectors.ends import Line, lines_of
from apps.selectors.grid import Cell, ServiceGrid, grids_of
from apps.selectors.reasons import Told, failure_sentence
from apps.selectors.state import operation_status, stale_since
from apps.selectors.steps import Happened, StepLine, became, happened, steps_of
from core.access import Actor, may, visible
from core.errors import Text
from core.status import Status
from operations.models import Operation, OperationEvent

MOST_EVENTS = 200
MOST_ENDS = 3
AFTERWARDS = timedelta(seconds=10)  # an instance's own news may come a moment later
MOST_COMPARED, LEAST_COMPARED = 9, 3
_TITLES: dict[str, Text] = {
    "deploy": gettext_lazy("Release %(release)s of %(app)s"),
    "rollback": gettext_lazy("%(app)s back to release %(release)s"),
    "scale": gettext_lazy("Another number of instances of %(app)s"),
    "restart": gettext_lazy("Restart of %(app)s"),
    "stop": gettext_lazy("Stop of %(app)s"),
    "start": gettext_lazy("Start of %(app)s"),
    "delete": gettext_lazy("%(app)s taken out"),
}
_LEADS: dict[Status, Text] = {
    Status.PENDING: gettext_lazy("Waiting for a worker."),
    Status.DOING: gettext_lazy("Under way."),
    Status.CANCELLING: gettext_lazy("Being cancelled."),
    Status.ROLLING_BACK: gettext_lazy("It failed; going back."),
    Status.SUCCEEDED: gettext_lazy("Done."),
    Status.FAILED: gettext_lazy("It failed."),
    Status.CANCELLED: gettext_lazy("Cancelled."),
    Status.NEEDS_ATTENTION: gettext_lazy("An operator has to look at it."),
}


def deployment_title(deployment: Deployment) -> str:
    """What a deployment was for, as a title: "Release 2 of hello". Reads `app` and `release`."""
    words = {"app": deployment.app.name, "release": deployment.release.number if deployment.release else "-"}
    return str(_TITLES.get(deployment.kind, _TITLES["deploy"])) % words


@dataclass(frozen=True)
class Progress:
    """All of one deployment for one reader. Each part asks the database when it is shown, and once."""

    deployment: Deployment
    actor: Actor

    @property
    def operation(self) -> Operation:
        return self.deployment.operation

    @property
    def place(self) -> AppEnvironment:
        return self.deployment.place

    @property
    def release(self) -> Release | None:
        return self.deployment.release

    @property
    def active(self) -> bool:
        return self.operation.active

    @property
    def title(self) -> str:
        return deployment_title(self.deployment)

    @property
    def status(self) -> Status:
        return operation_status(self.operation)

    @property
    def lead(self) -> str:
        """Where it stands, in two or three words."""
        return str(_LEADS.get(self.status, self.status.word))

    @property
    def said(self) -> str:
        """What that means for those who use the app."""
        if self.active and self.operation.failure is None and not self.operation.cancel_requested:
            return _on_the_way(self)
        return _well(self) if self.status is Status.SUCCEEDED else _left_behind(self)

    @property
    def failure(self) -> Told:
        """Why it failed; empty for what went well and for what a person cancelled."""
        failure = self.operation.failure
        return failure_sentence(failure if failure and failure.get("code") != "cancelled" else None)

    @property
    def failed_service(self) -> str:
        return str(((self.operation.failure or {}).get("params") or {}).get("service", ""))

    @cached_property
    def events(self) -> list[OperationEvent]:
        """Oldest first; only the newest where there are very many."""
        return list(reversed(self.operation.events.order_by("-seq")[:MOST_EVENTS]))

    @property
    def last_seq(self) -> int:
        return self.events[-1].seq if self.events else 0

    @cached_property
    def steps(self) -> list[StepLine]:
        return steps_of(self.deployment, self.events)

    @property
    def story(self) -> list[Happened]:
        """What the operation told and what became of instances meanwhile, newest first."""
        told = [*(happened(event) for event in self.events), *(became(event) for event in self.instance_events)]
        return sorted(told, key=lambda one: one.at, reverse=True)

    @cached_property
    def instance_events(self) -> list[PlaceEvent]:
        """From its beginning until shortly after its end; the newest where there are very many."""
        rows = self.place.events.filter(last_at__gte=self.operation.created_at)
        if self.operation.ended_at is not None:
            rows = rows.filter(first_at__lte=self.operation.ended_at + AFTERWARDS)
        return list(rows.order_by("-last_at")[:MOST_EVENTS])

    @cached_property
    def usual_seconds(self) -> float | None:
        """How long the like took here of late, in the middle; None where it was seldom done."""
        rows = self.place.deployments.filter(kind=self.deployment.kind, result=Operation.State.SUCCEEDED)
        rows = rows.exclude(pk=self.deployment.pk).order_by("-number")
        times = rows.values_list("operation__created_at", "operation__ended_at")[:MOST_COMPARED]
        took = [(ended - begun).total_seconds() for begun, ended in times if ended is not None]
        return median(took) if len(took) >= LEAST_COMPARED else None

    @property
    def took_seconds(self) -> float:
        return ((self.operation.ended_at or timezone.now()) - self.operation.created_at).total_seconds()

    @cached_property
    def later(self) -> Deployment | None:
        """The newest change of this place after this one; where there is none, the instances of now are its own."""
        rows = Deployment.objects.filter(place_id=self.deployment.place_id, number__gt=self.deployment.number)
        return rows.order_by("-number").first()

    @cached_property
    def grids(self) -> list[ServiceGrid]:
        running = self.place.release
        return grids_of(self.place, running) if running is not None and self.later is None else []

    @cached_property
    def stale_since(self) -> datetime | None:
        """Since when nobody has seen the instances that it shows; None while somebody does."""
        return stale_since(self.place, self.place.services.all()) if self.grids else None

    @property
    def cells(self) -> list[Cell]:
        """The copies that are there, for the table."""
        return [cell for grid in self.grids for cell in grid.cells if cell.row is not None]

    @property
    def has_old(self) -> bool:
        return any(cell.old for cell in self.cells)

    @cached_property
    def images(self) -> list[ReleaseImage]:
        return list(ReleaseImage.objects.filter(release=self.release).order_by("service")) if self.release else []

    @property
    def may_read_logs(self) -> bool:
        return may(self.actor, "log.view", self.deployment)

    @cached_property
    def ends(self) -> Sequence[InstanceEnd]:
        """How instances of this deployment ended, the latest first; none where the reader may not see logs."""
        rows = visible(self.actor, InstanceEnd.objects.filter(deployment=self.deployment))
        return list(rows.order_by("-ended_at")[:MOST_ENDS])

    @property
    def last_end(self) -> InstanceEnd | None:
        """The end that tells most: the latest one with lines."""
        return next((end for end in self.ends if end.last_lines), next(iter(self.ends), None))

    @property
    def last_lines(self) -> list[Line]:
        return lines_of(self.last_end) if self.last_end else []


def _numbers(progress: Progress) -> dict[str, Any]:
    replaced = progress.deployment.replaced
    return {
        "ready": sum(grid.ready for grid in progress.grids),
        "wanted": sum(grid.wanted for grid in progress.grids),
        "release": progress.release.number if progress.release else "",
        "before": replaced.number if replaced else "",
        "environment": progress.deployment.environment.name,
        "app": progress.deployment.app.name,
    }


def _on_the_way(progress: Progress) -> str:
    numbers = _numbers(progress)
    if progress.deployment.kind in ("stop", "delete"):
        return _("The instances of %(app)s in %(environment)s are ending.") % numbers
    text = _("%(ready)s of %(wanted)s instances run release %(release)s.") % numbers
    replaced = progress.deployment.replaced
    if replaced is not None and replaced != progress.release:
        text += " " + _("Release %(before)s keeps serving until they do.") % numbers
    return text


def _well(progress: Progress) -> str:
    numbers = _numbers(progress)
    if progress.release is None:
        return _("%(app)s does not run in %(environment)s any more; its releases stay.") % numbers
    if progress.later is not None:
        return _("Since then something else was changed in %(environment)s.") % numbers
    if progress.deployment.kind == "stop":
        return _("%(app)s is stopped in %(environment)s; release %(release)s stays ready.") % numbers
    if progress.stale_since is not None:
        return _("%(ready)s of %(wanted)s instances ran release %(release)s when last seen.") % numbers
    return _("%(ready)s of %(wanted)s instances run release %(release)s in %(environment)s.") % numbers


def _left_behind(progress: Progress) -> str:
    """What serves after, or while, it goes back."""
    numbers = _numbers(progress)
    if progress.deployment.replaced is None:
        return _("Nothing ran in %(environment)s before, so nothing is lost.") % numbers
    if progress.status is Status.NEEDS_ATTENTION:
        return _("What runs in %(environment)s may be of both releases.") % numbers
    return _("Release %(before)s serves in %(environment)s.") % numbers
