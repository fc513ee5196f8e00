"""An archive on its way in."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from core.access import Scope
from core.rows import Row


class Upload(Row):
    """One file that somebody uploads. Its bytes lie in a folder of its own until it has ended, however it ends."""

    scope = Scope("tenant_id", "project_id")
    view_permission = "image.push"

    class State(models.TextChoices):
        RECEIVING = "receiving"
        READY = "ready"  # sources that are here and wait to be built
        WORKING = "working"  # an operation looks through it and puts it into the registry
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"
        EXPIRED = "expired"

    class Purpose(models.TextChoices):
        IMAGE = "image"
        SOURCES = "sources"

    OPEN: ClassVar = ("receiving", "ready", "working")

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT, related_name="+")
    project = models.ForeignKey("tenants.Project", models.PROTECT, related_name="uploads")
    owner_id = models.UUIDField()
    owner_name = models.CharField(max_length=150)
    state = models.CharField(max_length=10, choices=State, default=State.RECEIVING)
    purpose = models.CharField(max_length=8, choices=Purpose, default=Purpose.IMAGE)
    file_name = models.CharField(max_length=200)
    size_bytes = models.PositiveBigIntegerField()
    received_bytes = models.PositiveBigIntegerField(default=0)
    reserved_bytes = models.PositiveBigIntegerField()  # of the tenant's room: the file, and what it is unpacked into
    seen = models.JSONField(default=dict)  # how far the headers of the archive were looked at, see walking.py
    writer = models.CharField(max_length=32, blank=True)  # the request that writes; a later one takes its place
    touched_at = models.DateTimeField(db_default=Now())
    repository = models.CharField(max_length=150, blank=True)  # below the project; empty: as the archive calls it
    tags = models.JSONField(default=list)  # likewise
    image = models.CharField(max_length=300, blank=True)  # which of several in the archive
    platform = models.CharField(max_length=40, blank=True)
    operation_id = models.UUIDField(null=True)
    work = models.JSONField(default=dict)  # what a worker has to know in its next step
    failure = models.JSONField(null=True)  # {code, params}
    digest = models.CharField(max_length=80, blank=True)  # of the image, once it lies in the registry
    path = models.CharField(max_length=200, blank=True)  # the repository it was put into

    class Meta:
        indexes = [
            models.Index(fields=["project", "-created_at"], name="upload_of_project"),
            models.Index(
                fields=["tenant"], name="upload_open", condition=models.Q(state__in=["receiving", "ready", "working"])
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def whole(self) -> bool:
        return self.received_bytes >= self.size_bytes
