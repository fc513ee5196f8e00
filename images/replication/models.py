"""Registries elsewhere, images that are copied, and the rules by which that happens again and again."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.access import Scope
from core.names import label_validators
from core.rows import DeclaredRow, Row
from core.secrets import SecretField
from images.replication import schedule
from operations.models import Operation


class RemoteRegistry(DeclaredRow):
    """A registry elsewhere. The password goes to `address` and to `signs_in_at`, and nowhere else."""

    scope = Scope("tenant_id", "project_id")
    view_permission = "image.view"

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT, related_name="+")
    project = models.ForeignKey("tenants.Project", models.PROTECT, related_name="registries")
    name = models.CharField(max_length=40, validators=label_validators)
    address = models.CharField(max_length=200)  # scheme://host[:port]
    signs_in_at = models.CharField(max_length=200, blank=True)  # host[:port] that gives tokens, where it is another
    user = models.CharField(max_length=100, blank=True)
    secret = SecretField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="remote_registry_name")]
        verbose_name_plural = "remote registries"

    def __str__(self) -> str:
        return self.name


class ReplicationRule(DeclaredRow):
    """What is kept alike with a registry elsewhere. `names` and `tags` are patterns with * and ?."""

    scope = Scope("tenant_id", "project_id")
    view_permission = "image.view"

    class Direction(models.TextChoices):
        PULL = "pull", _("from there to here")
        PUSH = "push", _("from here to there")
        BOTH = "both", _("both ways")

    class Conflict(models.TextChoices):
        NEWEST = "newest", _("the image that was built later wins")
        OURS = "ours", _("what is here wins")
        THEIRS = "theirs", _("what is there wins")
        REFUSE = "refuse", _("nothing is changed, and it is told")

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT, related_name="+")
    project = models.ForeignKey("tenants.Project", models.PROTECT, related_name="replication_rules")
    name = models.CharField(max_length=40, validators=label_validators)
    registry = models.ForeignKey(RemoteRegistry, models.PROTECT, related_name="rules")
    direction = models.CharField(max_length=4, choices=Direction)
    remote_path = models.CharField(max_length=200, blank=True)  # what stands before a repository's name there
    names = models.CharField(max_length=200, default="*")
    tags = models.CharField(max_length=200, default="*")
    labels = models.JSONField(default=dict)  # {"name": "value"} that an image must have
    schedule = models.CharField(max_length=40, blank=True)  # see schedule.py; empty: none
    on_push = models.BooleanField(default=False)
    conflict = models.CharField(max_length=8, choices=Conflict, default=Conflict.NEWEST)
    kilobytes_per_second = models.PositiveIntegerField(null=True)
    paused = models.BooleanField(default=False)
    next_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="replication_rule_name")]
        indexes = [models.Index(fields=["next_at"], name="replication_due")]

    def __str__(self) -> str:
        return self.name

    @property
    def scheduled(self) -> str:
        """The schedule in the reader's language; empty: none."""
        return schedule.said(self.schedule)


class ReplicationRun(Row):
    """One time that a rule was followed, and what came of it."""

    scope = Scope("tenant_id", "project_id")
    view_permission = "image.view"

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT, related_name="+")
    project = models.ForeignKey("tenants.Project", models.PROTECT, related_name="+")
    rule = models.ForeignKey(ReplicationRule, models.CASCADE, related_name="runs")
    operation = models.ForeignKey(Operation, models.SET_NULL, null=True, related_name="+")
    looked = models.BooleanField(default=False)  # everything that fits the rule stands in `copies`
    more = models.BooleanField(default=False)  # there was more than one run takes
    state = models.CharField(max_length=16, default="pending")  # as its operation's
    copied = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    copied_bytes = models.PositiveBigIntegerField(default=0)
    ended_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.rule.name} {self.created_at}"

    @property
    def under_way(self) -> Operation:
        """What works at it, where it was only just begun."""
        if self.operation is None:
            raise LookupError(f"{self} has no operation")
        return self.operation


class ImageCopy(Row):
    """One image on its way. What is done already stands here, so that whoever goes on begins where another ended."""

    scope = Scope("tenant_id", "project_id")
    view_permission = "image.view"

    class State(models.TextChoices):
        WAITING = "waiting", _("waits")
        COPYING = "copying", _("is copied")
        COPIED = "copied", _("copied")
        SKIPPED = "skipped", _("left as it is")
        REFUSED = "refused", _("refused")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    OPEN: ClassVar = (State.WAITING, State.COPYING)

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT, related_name="+")
    project = models.ForeignKey("tenants.Project", models.PROTECT, related_name="+")
    registry = models.ForeignKey(RemoteRegistry, models.SET_NULL, null=True, related_name="+")
    host = models.CharField(max_length=200)  # of the registry elsewhere, as it was called then
    rule = models.ForeignKey(ReplicationRule, models.CASCADE, null=True, related_name="copies")
    run = models.ForeignKey(ReplicationRun, models.CASCADE, null=True, related_name="copies")
    operation = models.ForeignKey(Operation, models.SET_NULL, null=True, related_name="+")
    outward = models.BooleanField(default=False)  # from here to there
    remote = models.CharField(max_length=200)  # the repository's name there
    path = models.CharField(max_length=200)  # and here
    reference = models.CharField(max_length=128)  # a tag or a digest, as it was asked for
    tag = models.CharField(max_length=128, blank=True)  # that it gets; empty: found by its digest alone
    digest = models.CharField(max_length=80, blank=True)  # what `reference` meant when it began; it stays with that
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    reason = models.JSONField(null=True)  # {code, params}: why it failed, was refused or left
    layers = models.PositiveIntegerField(default=0)
    layers_done = models.PositiveIntegerField(default=0)
    size_bytes = models.PositiveBigIntegerField(default=0)
    done_bytes = models.PositiveBigIntegerField(default=0)  # with what was there before
    sent_bytes = models.PositiveBigIntegerField(default=0)  # what had to travel
    held = models.JSONField(default=list)  # digests of layers that are there now
    upload = models.JSONField(null=True)  # {digest, address, offset} of the layer that is under way
    tries = models.PositiveSmallIntegerField(default=0)  # in vain, since the last that was not
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["project", "-created_at"], name="image_copy_of_project")]
        verbose_name_plural = "image copies"

    def __str__(self) -> str:
        return f"{self.host}/{self.remote}{'@' if ':' in self.reference else ':'}{self.reference}"

    @property
    def under_way(self) -> Operation:
        """What works at it, where it was only just begun."""
        if self.operation is None:
            raise LookupError(f"{self} has no operation")
        return self.operation
