"""How images are removed by the rules, and how the registry is tidied up: each step safe to be done again."""

from datetime import timedelta

from core.access import SYSTEM, Actor
from core.errors import Unavailable
from core.wording import bytes_text
from images.keeping import door, room
from images.keeping import words as words  # the sentences of the events
from images.keeping.retaining import Line, plan
from images.registry import client, taking
from operations.changes import announce
from operations.models import Operation
from operations.registry import StepFailed, Wait, register
from operations.services import begin, emit_if_new, enqueue, fenced
from tenants.models import Project

RETAIN, COLLECT = "images.retain.run", "registry.collect.run"
AT_ONCE = 20
AWAY_SECONDS, LOOK_SECONDS = 5.0, 1.0
BEGUN, REMOVING = "begun", "removing"


class Retain:
    """Delete what no rule keeps. It is looked up anew for each few: what began to run meanwhile stays."""

    deadline_seconds = int(timedelta(hours=12).total_seconds())

    def step(self, operation: Operation) -> Wait | None:
        project = Project.objects.filter(pk__in=[operation.project_id], deleted_at__isnull=True).first()
        if not operation.step:
            begin(operation, BEGUN, "images_looking")
        if project is None or project.state != Project.State.ACTIVE:
            return None
        going = [line for line in plan(project) if line.goes]
        if not going:
            return None
        done = _done(operation)
        try:
            with room.counted_later():
                for line in going[:AT_ONCE]:
                    with fenced(operation):  # a worker that was stopped for a while must not delete any more
                        pass
                    _remove(operation, line)
        except Unavailable:
            return Wait(AWAY_SECONDS, "registry_away", level="warn")
        finally:
            room.recount(project)
        removed = done + len(going[:AT_ONCE])
        told = {"done": removed, "count": done + len(going)}
        return Wait(0.0, "images_removed", told, step=f"{REMOVING}:{removed}")

    def undo(self, operation: Operation) -> Wait | None:
        """What is gone is gone."""
        return None

    def settled(self, operation: Operation) -> None:
        announce("project", operation.project_id, tenant=operation.tenant_id, project=operation.project_id)


def _done(operation: Operation) -> int:
    return int(operation.step.partition(":")[2] or 0)


def _remove(operation: Operation, line: Line) -> None:
    who = SYSTEM
    if operation.requested_by is not None:
        who = Actor(operation.requested_by, operation.requested_by_name, request_id=operation.request_id)
    client.delete(line.path, line.artifact.digest)
    taking.forget(line.path, digest=line.artifact.digest, who=who)


class Collect:
    """Have the gate keep pushes away and take out what nothing names. It does it itself; here it is only watched."""

    deadline_seconds = int(timedelta(hours=12).total_seconds())

    def step(self, operation: Operation) -> Wait | None:
        if not operation.step:
            begin(operation, BEGUN, "registry_closing")
        try:
            report = door.begin(str(operation.pk))
        except Unavailable:
            return Wait(AWAY_SECONDS, "registry_away", level="warn")
        except door.Refused as refused:
            raise StepFailed("registry_busy" if refused.status == door.BUSY else "registry_gateless") from refused
        if report.state == "failed":
            raise StepFailed("registry_not_collected", {"said": report.said})
        if report.state != "done":
            code = "registry_collecting" if report.state == "running" else "registry_waiting"
            return Wait(LOOK_SECONDS, code)
        told = {"freed": bytes_text(report.freed), "layers": report.layers, "left": bytes_text(report.left)}
        with fenced(operation):
            emit_if_new(operation, Wait(0.0, "registry_collected", told))
        return None

    def undo(self, operation: Operation) -> Wait | None:
        """Pushes are let in again."""
        try:
            door.stop(str(operation.pk))
        except Unavailable:
            return Wait(AWAY_SECONDS, "registry_away", level="warn")
        except door.Refused:
            return None  # the gate knows nothing of it, so nothing is kept away for it
        return None

    def settled(self, operation: Operation) -> None:
        """Nobody follows anything else than the operation."""


def start_cleaning(actor: Actor, project: Project) -> Operation:
    """In the caller's transaction. Raises Conflict while one is at work in the project."""
    return enqueue(
        actor,
        RETAIN,
        target=project,
        target_key=f"retention:{project.pk}",
        target_name=project.name,
        params={"kind": RETAIN.removesuffix(".run"), "needs": ["image.delete"]},
    )


register(RETAIN, Retain())
register(COLLECT, Collect())
