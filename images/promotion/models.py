"""What a stage of a project asks of an image, who asked for it, who decided, and what is approved until when."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.access import Scope
from core.rows import DeclaredRow, Row

MOST_APPROVERS = 5
MOST_DAYS = 3650


class Stage(models.TextChoices):
    """The kinds of environments, in the order in which an image goes through them."""

    DEV = "dev", _("development")
    TEST = "test", _("test")
    PROD = "prod", _("production")


class StagePolicy(DeclaredRow):
    """A stage of a project into which an image comes by approval only. Without such a row nothing is asked of it."""

    scope = Scope("tenant_id", "project_id")
    view_permission = "image.view"

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT, related_name="+")
    project = models.ForeignKey("tenants.Project", models.PROTECT, related_name="stage_policies")
    stage = models.CharField(max_length=4, choices=Stage)
    approvers = models.PositiveSmallIntegerField(default=1)
    rating = models.CharField(max_length=1, blank=True)  # the worst letter that passes; empty: a scan is not asked for
    valid_days = models.PositiveSmallIntegerField(null=True)  # null: an approval holds until somebody withdraws it

    class Meta:
        verbose_name_plural = "stage policies"
        constraints = [
            models.UniqueConstraint(fields=["project", "stage"], name="policy_of_stage"),
            models.CheckConstraint(
                name="policy_approvers", condition=Q(approvers__gte=1, approvers__lte=MOST_APPROVERS)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stage}: {self.approvers}"


class Promotion(Row):
    """Somebody asks that one image may run in a stage. Of each image and stage at most one is open."""

    scope = Scope("tenant_id", "project_id")
    view_permission = "image.view"

    class State(models.TextChoices):
        OPEN = "open", _("open")
        APPROVED = "approved", _("approved")
        REFUSED = "refused", _("refused")
        WITHDRAWN = "withdrawn", _("withdrawn")
        EXPIRED = "expired", _("expired")

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT, related_name="+")
    project = models.ForeignKey("tenants.Project", models.PROTECT, related_name="promotions")
    stage = models.CharField(max_length=4, choices=Stage)
    digest = models.CharField(max_length=80)
    name = models.CharField(max_length=300)  # of its repository, as it was called when somebody asked
    path = models.CharField(max_length=200, blank=True)  # in our registry; empty: it lies elsewhere
    tags = models.JSONField(default=list)  # that meant it when somebody asked
    asked_by = models.ForeignKey("tenants.User", models.PROTECT, related_name="+")
    asked_by_name = models.CharField(max_length=150)
    reason = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "stage", "digest"], name="promotion_open_once", condition=Q(state="open")
            )
        ]
        indexes = [models.Index(fields=["project", "-id"], name="promotion_of_project")]

    def __str__(self) -> str:
        return f"{self.name}@{self.digest[:19]} to {self.stage}"[:200]


class Decision(Row):
    """One person's answer. Nobody answers what they asked for, and nobody twice: the database holds both."""

    scope = Scope("promotion__tenant_id", "promotion__project_id")
    view_permission = "image.view"

    promotion = models.ForeignKey(Promotion, models.PROTECT, related_name="decisions")
    asked_by = models.ForeignKey("tenants.User", models.PROTECT, related_name="+")  # as in the promotion
    person = models.ForeignKey("tenants.User", models.PROTECT, related_name="+")
    person_name = models.CharField(max_length=150)
    approves = models.BooleanField()
    reason = models.CharField(max_length=500, blank=True)
    scan = models.JSONField(null=True)  # what this person saw of the scan; null: there was none

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["promotion", "person"], name="decision_once"),
            models.CheckConstraint(name="decision_by_another", condition=~Q(person=F("asked_by"))),
        ]

    def __str__(self) -> str:
        return f"{self.person_name}: {self.approves}"


class Approval(Row):
    """One image may run in one stage of a project, whatever it is called and wherever it lies, until it may not.

    `laid`: its manifest lies where the stage's environments fetch from. `why` says why it is suspended.
    """

    scope = Scope("tenant_id", "project_id")
    view_permission = "image.view"

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT, related_name="+")
    project = models.ForeignKey("tenants.Project", models.PROTECT, related_name="approvals")
    stage = models.CharField(max_length=4, choices=Stage)
    digest = models.CharField(max_length=80)
    name = models.CharField(max_length=300)
    path = models.CharField(max_length=200, blank=True)
    promotion = models.ForeignKey(Promotion, models.PROTECT, related_name="approvals")
    approved_at = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)
    suspended_at = models.DateTimeField(null=True)
    why = models.JSONField(null=True)  # {"code", "params"}
    laid = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "stage", "digest"], name="approval_once")]
        indexes = [models.Index(fields=["digest"], name="approval_of_digest")]

    def __str__(self) -> str:
        return f"{self.name}@{self.digest[:19]} in {self.stage}"[:200]


class Evidence(Row):
    """What somebody found when they tried an image: in words, as an address, or as the digest of a file."""

    scope = Scope("tenant_id", "project_id")
    view_permission = "image.view"

    class Kind(models.TextChoices):
        TEXT = "text", _("words")
        LINK = "link", _("address")
        FILE = "file", _("digest of a file")

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT, related_name="+")
    project = models.ForeignKey("tenants.Project", models.PROTECT, related_name="+")
    digest = models.CharField(max_length=80)
    kind = models.CharField(max_length=4, choices=Kind)
    passed = models.BooleanField()
    text = models.CharField(max_length=2000)
    added_by_name = models.CharField(max_length=150)

    class Meta:
        verbose_name_plural = "evidence"
        indexes = [models.Index(fields=["project", "digest"], name="evidence_of_image")]

    def __str__(self) -> str:
        return self.text[:60]
