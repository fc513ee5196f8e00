"""A review and its lines: a picture of the grants when it began, what was said of each, and what came of it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.access import Scope
from core.rows import Row

SEALED = "OLD.sealed_at IS NOT NULL"  # the database refuses to change or delete rows of which this is true


class Review(Row):
    """Runs until `ends_at`. Closed it is sealed: `digest` is SHA-256 of its result as JSON Lines, also in the audit."""

    scope = Scope("tenant_id", "project_id")
    view_permission = "member.view"

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        CLOSED = "closed", _("closed")
        CANCELLED = "cancelled", _("called off")

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT, related_name="reviews")
    project = models.ForeignKey("tenants.Project", models.PROTECT, null=True, related_name="reviews")
    name = models.CharField(max_length=100)
    roles = models.JSONField(default=list)  # only these; empty: every role
    started_by = models.CharField(max_length=150)
    starter = models.ForeignKey("tenants.User", models.PROTECT, related_name="+")
    ends_at = models.DateTimeField()
    reminded_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    sealed_at = models.DateTimeField(null=True)
    sealed_by = models.CharField(max_length=150, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    csv_digest = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes = [models.Index(fields=["state", "ends_at"], name="review_due")]

    def __str__(self) -> str:
        return self.name


class ReviewLine(Row):
    """One grant as it was when the review began; names are copied, so that the result stays what it was."""

    scope = Scope("tenant_id", "project_id")
    view_permission = "member.view"

    class State(models.TextChoices):
        OPEN = "open", _("open")
        KEPT = "kept", _("kept")
        ENDED = "ended", _("ended")
        SILENT = "silent", _("ended, nobody answered")
        LAST_OWNER = "last_owner", _("stays: the last owner")
        ELSEWHERE = "elsewhere", _("to be ended in the identity service")
        OVER = "over", _("was over already")

    review = models.ForeignKey(Review, models.CASCADE, related_name="lines")
    number = models.PositiveIntegerField()
    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT, related_name="+")
    project = models.ForeignKey("tenants.Project", models.PROTECT, null=True, related_name="+")
    grant = models.ForeignKey("tenants.Grant", models.PROTECT, related_name="+")
    user = models.ForeignKey("tenants.User", models.PROTECT, null=True, related_name="+")  # none: a group's
    person = models.CharField(max_length=150)
    role = models.CharField(max_length=60)
    place = models.CharField(max_length=100)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    granted_by = models.CharField(max_length=150, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    origin = models.CharField(max_length=40)
    last_used_at = models.DateTimeField(null=True)  # the last command under this grant
    seen_at = models.DateTimeField(null=True)  # when the person was last here at all
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.CharField(max_length=500, blank=True)
    sealed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["review", "grant"], name="review_grant_once"),
            models.UniqueConstraint(fields=["review", "number"], name="review_line_number"),
        ]
        indexes = [models.Index(fields=["state", "tenant"], name="review_open")]

    def __str__(self) -> str:
        return f"{self.role} of {self.person} on {self.place}"[:200]
