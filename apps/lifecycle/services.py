"""What people do with a whole project. Each public function is a command that starts an operation."""

from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from apps.lifecycle import reserving
from apps.lifecycle.turns import FROM, KIND, NEEDS, Turn, target_of
from audit.commands import command, describe
from core.access import Actor, check, check_unchanged
from core.errors import Conflict, FieldProblem, Invalid
from operations.changes import announce
from operations.models import Operation
from operations.services import emit, enqueue
from operations.wakeup import wake
from tenants.models import Project


@command("project.suspend", permission="project.manage", even_closed=True)
def suspend(actor: Actor, project: Project, *, reason: str = "", version: int | None = None) -> Operation:
    """Stop all that runs in it. Nothing is lost; nothing can be changed until it is resumed."""
    return _turn(actor, project, "suspend", reason=reason, version=version)


@command("project.resume", permission="project.manage", even_closed=True)
def resume(actor: Actor, project: Project, *, reason: str = "", version: int | None = None) -> Operation:
    """Run again what ran when it was suspended."""
    return _turn(actor, project, "resume", reason=reason, version=version)


@command("project.archive", permission="project.manage", even_closed=True)
def archive(actor: Actor, project: Project, *, reason: str = "", version: int | None = None) -> Operation:
    """Free the engines and leave it to be read only."""
    return _turn(actor, project, "archive", reason=reason, version=version)


@command("project.restore", permission="project.manage", even_closed=True)
def restore(actor: Actor, project: Project, *, reason: str = "", version: int | None = None) -> Operation:
    """Bring an archived or a deleted project back to what it was before; what ran then runs again."""
    if project.deleted_at is not None:
        check(actor, "project.delete", project)
    return _turn(actor, project, "restore", reason=reason, version=version)


@command("project.delete", permission="project.delete", even_closed=True)
def delete(
    actor: Actor, project: Project, *, typed_name: str, reason: str = "", version: int | None = None
) -> Operation:
    """Take it out of sight and off the engines; for 30 days it can be restored. `typed_name`: "tenant/project"."""
    if typed_name.strip() != str(project):
        text = _("Type %(name)s to delete it.") % {"name": str(project)}
        raise Invalid(errors=[FieldProblem("typed_name", "not_the_name", text)])
    return _turn(actor, project, "delete", reason=reason, version=version)


def _turn(actor: Actor, project: Project, deed: str, *, reason: str, version: int | None) -> Operation:
    row = Project.objects.select_for_update().select_related(None).get(pk=project.pk)
    check_unchanged(row, version)
    _check_from(row, deed)
    turn = Turn.of(row, deed)
    if not turn.down:
        reserving.take(row, turn)
    operation = enqueue(
        actor,
        f"{KIND}{deed}.run",
        target=row,
        target_key=target_of(row),
        target_name=row.name,
        params={"kind": f"{KIND}{deed}", "needs": [NEEDS[deed]], "turn": turn.__dict__, "reason": reason},
    )
    _note(actor, row, turn, reason)
    if turn.down:
        _cancel_changes(actor, row)
    describe(before={"state": turn.before}, after={"state": turn.to})
    project.refresh_from_db()
    return operation


def _check_from(project: Project, deed: str) -> None:
    if project.purged_at is None and project.state in FROM[deed]:
        return
    message = _("The project %(name)s is %(state)s.") % {"name": project.name, "state": project.get_state_display()}
    raise Conflict(message, code="wrong_state", hint=_("Look at it again: its settings say what can be done now."))


def _note(actor: Actor, project: Project, turn: Turn, reason: str) -> None:
    said: dict[str, Any] = {"state_since": Now(), "state_by": actor.name, "state_reason": reason}
    said |= turn.at_once | ({"deleted_at": Now()} if turn.deed == "delete" else {})
    if turn.deed == "restore":
        said["deleted_at"] = None
    Project.objects.filter(pk=project.pk).update(version=F("version") + 1, updated_at=Now(), **said)
    announce("project", project.pk, tenant=project.tenant_id, project=project.pk)


def _cancel_changes(actor: Actor, project: Project) -> None:
    """Whatever changes an app at this moment is to stop and go back; the turn waits until it has."""
    under_way = Operation.objects.filter(project_id=project.pk, state__in=Operation.ACTIVE, cancel_requested=False)
    for one in under_way.exclude(target=target_of(project)):
        Operation.objects.filter(pk=one.pk).update(cancel_requested=True, not_before=None)
        emit(one, "cancel_asked", {"person": actor.name}, level="warn")
        _wake_later(one)


def _wake_later(operation: Operation) -> None:
    transaction.on_commit(lambda: wake(operation.pk), robust=True)
