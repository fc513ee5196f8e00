"""Whether a project may be changed: the one gate that every command passes, and the words of its refusals."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Model
from django.utils.translation import gettext as _

from core.access import places_of
from core.errors import Conflict
from core.wording import moment_text
from tenants.models import Project, Tenant

KEPT = timedelta(days=30)  # what is deleted can be brought back so long
State = Project.State


def refuse_closed(target: Model | None) -> None:
    """Raise Conflict where the row is in a project that is not active, or is one."""
    _tenant, project_id = places_of(target)
    project = Project.objects.filter(pk=project_id).first() if project_id else None
    if project is not None and project.state != State.ACTIVE:
        raise closed(project)


def keep_open(project_id: UUID) -> None:
    """As `refuse_closed`, and nobody suspends the project until this transaction has ended."""
    project = Project.objects.select_for_update().get(pk=project_id)
    if project.state != State.ACTIVE:
        raise closed(project)


def closed(project: Project) -> Conflict:
    return Conflict(why_closed(project), code="project_not_active", hint=next_step(project))


def why_closed(project: Project) -> str:
    words = {"name": project.name, "state": project.get_state_display()}
    return _("The project %(name)s is %(state)s.") % words


def next_step(project: Project) -> str:
    if project.state == State.SUSPENDED:
        return _("Resume the project first, in its settings.")
    return _("Restore the project first, in its settings.")


def gone_on(project: Project) -> datetime | None:
    """When a deleted project is gone for good."""
    return project.deleted_at + KEPT if project.deleted_at else None


def name_taken(tenant: Tenant, name: str) -> Conflict:
    """A name is kept for a deleted project as long as it can be brought back."""
    deleted = Project.objects.filter(tenant=tenant, name=name, deleted_at__isnull=False, purged_at=None).first()
    until = gone_on(deleted) if deleted else None
    if until is None:
        message = _("A project called “%(name)s” exists in this tenant.") % {"name": name}
        return Conflict(message, code="name_taken", hint=_("Take another name."))
    words = {"name": name, "until": moment_text(until, style="full")}
    message = _("The name “%(name)s” is kept for a deleted project until %(until)s.") % words
    return Conflict(message, code="name_taken", hint=_("Restore that project, or take another name."))
