"""Who asked for what, who may answer, and what is approved where."""

import uuid

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from core.access import Actor, may
from core.errors import NotFound
from images.building import selectors as builds
from images.models import Artifact, Tag
from images.promotion.models import Approval, Evidence, Promotion, Stage
from images.promotion.standing import approved, policies
from tenants.models import Project
from tenants.robots.models import Robot

TESTS_ONLY = "app.test"
MAKES = ("app.deploy", "app.release", "image.push", "image.promote", "image.approve")


def promotions(project: Project) -> QuerySet[Promotion]:
    """The newest first."""
    return Promotion.objects.filter(project=project).prefetch_related("decisions").order_by("-id")


def promotion(project: Project, promotion_id: uuid.UUID) -> Promotion:
    found = promotions(project).filter(pk=promotion_id).first()
    if found is None:
        raise NotFound()
    return found


def open_now() -> Q:
    """On Promotion: somebody may answer it at this moment."""
    return Q(state=Promotion.State.OPEN, expires_at__gt=Now())


def approvals(project: Project) -> QuerySet[Approval]:
    return Approval.objects.filter(project=project).order_by("stage", "-approved_at", "-id")


def approval(project: Project, approval_id: uuid.UUID) -> Approval:
    found = approvals(project).filter(pk=approval_id).first()
    if found is None:
        raise NotFound()
    return found


def evidence(project: Project, digest: str) -> QuerySet[Evidence]:
    return Evidence.objects.filter(project=project, digest=digest).order_by("-id")


def builders(digest: str, *, tenant: uuid.UUID) -> set[str]:
    """Whoever brought an image, under whatever name, and who answers for the robot that did; of this tenant."""
    mine = Q(repository__tenant_id=tenant) | Q(repository__tenant__isnull=True)
    rows = Artifact.objects.filter(mine, digest=digest).exclude(pushed_by="")
    names = set(rows.values_list("pushed_by", flat=True))
    names |= set(builds.of_digest(digest, tenant=tenant).values_list("owner_name", flat=True))
    kept = Robot.objects.filter(tenant_id=tenant, user__username__in=names, keeper__isnull=False)
    return names | {row.keeper.get_username() for row in kept.select_related("keeper") if row.keeper}


def earlier_stages(stage: str) -> list[str]:
    return Stage.values[: Stage.values.index(stage)]


def missing_before(project: Project, stage: str, digest: str) -> list[str]:
    """The earlier stages that take approved images only and have not taken this one."""
    asked = policies(project.pk)
    before = [one for one in earlier_stages(stage) if one in asked]
    return [one for one in before if digest not in approved(project.pk, one)]


def choosable(actor: Actor, project: Project) -> Q | None:
    """On Artifact: what this person may choose here. Who only tests sees what was released to test; None: everything.

    Of a project whose test stage asks for no approval everything counts as released.
    """
    if any(may(actor, code, project) for code in MAKES) or not may(actor, TESTS_ONLY, project):
        return None
    if Stage.TEST not in policies(project.pk):
        return None
    return Q(digest__in=approved(project.pk, Stage.TEST))


def choosable_tags(actor: Actor | None, project: Project, rows: QuerySet[Tag]) -> QuerySet[Tag]:
    only = choosable(actor, project) if actor else None
    return rows if only is None else rows.filter(artifact__in=Artifact.objects.filter(only).values("pk"))
