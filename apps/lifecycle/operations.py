"""How a project is suspended, resumed, archived, restored and deleted: step by step, each safe to be done again."""

from collections.abc import Callable
from datetime import timedelta
from typing import cast
from uuid import UUID

from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.lifecycle import noticing, reserving
from apps.lifecycle.turns import FROM, KIND, Turn
from apps.models import AppEnvironment, Deployment
from apps.operations import bring, engine_of, remove_all
from backends.contract import DriverError, EnvironmentRef
from operations.changes import announce
from operations.models import Operation
from operations.registry import StepFailed, Wait, register, register_words
from operations.services import begin, emit, fenced
from tenants.models import Project

LOOK_SECONDS = 1.0
AT_ONCE = 10  # places that are looked at together
PATIENCE = timedelta(minutes=5)  # an app that is not ready by then keeps nobody else waiting
WAITING, PLACES, BACK, FREEING = "wait", "places", "back", "environments"
Visit = Callable[[AppEnvironment], Wait | None]


class TurnProject:
    """One handler for all of them. Where it is stands in `operation.step`, so that any worker can go on."""

    deadline_seconds = 30 * 60

    def step(self, operation: Operation) -> Wait | None:
        turn, project = Turn.read(operation), project_of(operation)
        if operation.step in ("", WAITING):
            if wait := _wait_for_changes(operation, project):
                return wait
            _declare(operation, project, turn)
        if operation.step.startswith(PLACES) and (wait := _walk(operation, project, PLACES, _visit(operation, turn))):
            return wait
        return _free_environments(operation, project) if turn.frees else None

    def undo(self, operation: Operation) -> Wait | None:
        """Back to what ran before: on the way down it runs again, on the way up it is stopped again."""
        turn, project = Turn.read(operation), project_of(operation)
        if not operation.step.startswith(BACK):
            _declare_back(operation, project, turn)
        if turn.down and turn.before != Project.State.ACTIVE:
            return None
        visit = _start(operation) if turn.down else _stop(operation)
        return _walk(operation, project, BACK, visit)

    def settled(self, operation: Operation) -> None:
        turn, rows = Turn.read(operation), Project.objects.filter(pk=_id(operation))
        if operation.state == Operation.State.SUCCEEDED:
            said = {"state": turn.to} if turn.runs else {}
        elif operation.state == Operation.State.ATTENTION:
            said = {}  # half of it is done: it stays closed, and whoever looks at it goes on from here
        else:
            said = turn.undone | ({"deleted_at": None} if turn.deed == "delete" else {})
        if said:
            rows.update(version=F("version") + 1, updated_at=Now(), state_since=Now(), **said)
        reserving.settle(project_of(operation), operation, turn)
        noticing.tell_of_end(operation, rows.select_related("tenant").get())
        announce("project", operation.project_id, tenant=operation.tenant_id, project=operation.project_id)


def project_of(operation: Operation) -> Project:
    return Project.objects.select_related("tenant").get(pk=_id(operation))


def _id(operation: Operation) -> UUID:
    return cast(UUID, operation.project_id)  # its target was a project


def _wait_for_changes(operation: Operation, project: Project) -> Wait | None:
    """Deployments under way were asked to go back when this was accepted; now they have a moment to do it."""
    others = Operation.objects.filter(project_id=project.pk, state__in=Operation.ACTIVE).exclude(pk=operation.pk)
    count = others.count()
    return Wait(LOOK_SECONDS, "waiting_for_changes", {"count": count}, step=WAITING) if count else None


def _declare(operation: Operation, project: Project, turn: Turn) -> None:
    """Say of every place whether it is to run, in one transaction that only the lease's holder commits."""
    with fenced(operation):
        changed = _hold(project) if turn.down else _let_go(project) if turn.runs else 0
        begin(operation, f"{PLACES}:0", "project_declared", {"count": changed})


def _declare_back(operation: Operation, project: Project, turn: Turn) -> None:
    with fenced(operation):
        if not turn.down:
            _hold(project)
        elif turn.before == Project.State.ACTIVE:
            _let_go(project)
        begin(operation, f"{BACK}:0", "undoing")


def _hold(project: Project) -> int:
    running = AppEnvironment.objects.filter(project=project, release__isnull=False, stopped=False)
    return running.update(stopped=True, held=True, **_changed())


def _let_go(project: Project) -> int:
    return AppEnvironment.objects.filter(project=project, held=True).update(stopped=False, held=False, **_changed())


def _changed() -> dict[str, object]:
    return {"generation": F("generation") + 1, "version": F("version") + 1, "updated_at": Now()}


def _walk(operation: Operation, project: Project, name: str, visit: Visit) -> Wait | None:
    """Visit the deployed places in order, a few together; the step's number says how many are behind us."""
    rows = AppEnvironment.objects.filter(project=project, release__isnull=False)
    keys = list(rows.order_by("pk").values_list("pk", flat=True))
    at = int(operation.step.partition(":")[2] or 0)
    window = rows.select_related("app", "environment__cluster", "release").order_by("pk")[at : at + AT_ONCE]
    waits = [visit(place) for place in window]
    at += next((number for number, wait in enumerate(waits) if wait), len(waits))
    if at >= len(keys):
        return None
    seconds = LOOK_SECONDS if any(waits) else 0.0
    return Wait(seconds, "places_done", {"done": at, "count": len(keys)}, step=f"{name}:{at}")


def _visit(operation: Operation, turn: Turn) -> Visit:
    if turn.frees:
        return _remove
    if turn.down:
        return _stop(operation)
    return _start(operation) if turn.runs else _leave


def _leave(place: AppEnvironment) -> Wait | None:
    """Nothing of a suspended project is on an engine that was freed; resuming it puts it there."""
    return None


def _remove(place: AppEnvironment) -> Wait | None:
    wait = remove_all(place, engine_of(place.environment.cluster))
    if wait is None:
        place.services.all().delete()
        place.observed_instances.all().delete()
    return wait


def _stop(operation: Operation) -> Visit:
    def visit(place: AppEnvironment) -> Wait | None:
        driver = engine_of(place.environment.cluster)
        if not driver.services(place.engine_name) or place.release is None:
            return None  # nothing of it is there: there is nothing to stop
        return bring(operation, place, place.release, driver, careful=False)

    return visit


def _start(operation: Operation) -> Visit:
    """An app that cannot run is told of and left as it is: the others are not kept waiting for it."""

    def visit(place: AppEnvironment) -> Wait | None:
        if place.release is None:
            return None
        try:
            wait = bring(operation, place, place.release, engine_of(place.environment.cluster), careful=True)
        except StepFailed as failed:
            _leave_be(operation, place, failed.code)
            return None
        except DriverError as error:
            if not error.permanent:
                raise
            _leave_be(operation, place, str(error.reason.code))
            return None
        if wait is None or not _late(operation):
            return wait
        _leave_be(operation, place, "late")
        return None

    return visit


def _late(operation: Operation) -> bool:
    return operation.started_at is not None and timezone.now() - operation.started_at > PATIENCE


def _leave_be(operation: Operation, place: AppEnvironment, why: str) -> None:
    """Say so once."""
    params = {"place": str(place), "why": why}
    told = operation.events.filter(code="place_left").values_list("params", flat=True)
    if params not in list(told):
        with fenced(operation):
            emit(operation, "place_left", params, level="warn")


def _free_environments(operation: Operation, project: Project) -> Wait | None:
    """The networks and the like that the environments had on their engines."""
    gone = [
        engine_of(one.cluster).remove_environment(EnvironmentRef(one.engine_name))
        for one in project.environments.select_related("cluster")
        if Deployment.objects.filter(environment=one).exists()  # else nothing of it ever was on an engine
    ]
    return None if all(gone) else Wait(LOOK_SECONDS, "freeing", step=FREEING)


for deed in FROM:
    register(f"{KIND}{deed}.run", TurnProject())

register_words(
    {
        "waiting_for_changes": _("Waiting for %(count)s changes that are under way to go back"),
        "project_declared": _("%(count)s places are to change"),
        "places_done": _("%(done)s of %(count)s places done"),
        "place_left": _("%(place)s does not come up; it is left as it is"),
        "freeing": _("Taking the networks of the environments away"),
    }
)
