"""Thirty days after it was deleted a project is gone for good: nobody brings it back, and its name is free again.

Releases and the audit stay, as history that no page shows: the database itself refuses to delete them.
"""

from django.db import transaction
from django.db.models import Model
from django.db.models.functions import Now

from apps.models import InstanceEnd, KeptLog, PlaceEvent, ServiceName
from audit.models import AuditEntry
from audit.services import Line, record, register_action
from core.access import SYSTEM
from core.clock import from_now
from images.models import ImageCopy, PullAccount, RemoteRegistry, ReplicationRule, RetentionRule, TagRule, Webhook
from images.promotion.upkeep import forget_laid
from tenants.lifecycle import KEPT
from tenants.models import Grant, Notice, Project, Token
from tenants.robots.models import Robot
from tenants.robots.retiring import retire
from tenants.selectors import deleted_projects
from tenants.tokens import end_tokens

PURGED = register_action("project.purge")
AT_ONCE = 20
GOES_WITH_IT: tuple[type[Model], ...] = (
    Notice,
    InstanceEnd,
    PlaceEvent,
    KeptLog,
    PullAccount,
    Webhook,
    ImageCopy,
    ReplicationRule,
    RemoteRegistry,  # with its password
    RetentionRule,
    TagRule,
)


def purge_deleted() -> int:
    """Those whose time is over, each in a transaction of its own; answers how many."""
    due = deleted_projects().filter(deleted_at__lt=from_now(-KEPT)).order_by("deleted_at")
    return sum(_purge(project) for project in due[:AT_ONCE])


@transaction.atomic
def _purge(project: Project) -> bool:
    still = Project.objects.select_for_update().filter(pk=project.pk, deleted_at__isnull=False, purged_at=None)
    if not still.update(purged_at=Now()):
        return False  # restored, or purged by another, at this very moment
    for robot in Robot.objects.select_related("user").filter(project=project, removed_at=None):
        retire(robot, by=SYSTEM.name)
    tokens = end_tokens(Token.objects.filter(project=project))
    grants = Grant.objects.filter(project=project, ended_at=None).update(ended_at=Now(), ended_by=SYSTEM.name)
    for model in GOES_WITH_IT:
        model._default_manager.filter(project=project).delete()
    ServiceName.objects.filter(environment__project=project).delete()
    forget_laid(project)
    line = Line(PURGED, detail={"tokens": tokens, "grants": grants})
    line.name_target(project)
    record(SYSTEM, line, result=AuditEntry.Result.DONE)
    return True
