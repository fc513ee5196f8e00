"""Images one may choose: repositories, their artifacts by digest, and the tags that point at them."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from core.access import PLATFORM_SCOPE, Scope
from core.rows import Row
from core.secrets import SecretField


class Repository(Row):
    """`tenant` null: offered to everyone by the platform. `project` set: it is in our registry, as `path`."""

    scope = Scope("tenant_id", "project_id", shared=True)
    view_permission = "image.view"

    class Visible(models.TextChoices):
        PROJECT = "project", _("the project alone")
        TENANT = "tenant", _("the whole tenant")
        NAMED = "named", _("the tenants that are named")
        EVERYONE = "everyone", _("everybody who signs in")

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT, null=True)
    project = models.ForeignKey("tenants.Project", models.PROTECT, null=True, related_name="repositories")
    path = models.CharField(max_length=200, blank=True)
    visible = models.CharField(max_length=8, choices=Visible, default=Visible.PROJECT)  # only where there is a project
    cluster = models.ForeignKey("backends.Cluster", models.CASCADE, null=True)  # set: lies only on this engine
    name = models.CharField(max_length=300)  # as a reference begins: with the registry, where it is not the usual one
    title = models.CharField(max_length=100, blank=True)
    description = models.CharField(max_length=500, blank=True)
    looked_up_to = models.CharField(max_length=128, blank=True)  # the tag at which the last regular look ended

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["name"], name="repository_of_platform", condition=models.Q(tenant__isnull=True)
            ),
            models.UniqueConstraint(
                fields=["tenant", "name"],
                name="repository_of_tenant",
                condition=models.Q(tenant__isnull=False),
            ),
            models.UniqueConstraint(fields=["path"], name="repository_path", condition=~models.Q(path="")),
        ]
        verbose_name_plural = "repositories"

    def __str__(self) -> str:
        return self.name


class Share(models.Model):
    """A tenant that a repository is open to, where it is open to tenants by name.

    By its name alone: whether there is one of that name is not told to whoever writes it down.
    """

    scope = Scope("repository__tenant_id", "repository__project_id")
    view_permission = "image.view"

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="shares")
    name = models.CharField(max_length=40)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "name"], name="share_once")]

    def __str__(self) -> str:
        return f"{self.repository} to {self.name}"


class PullAccount(Row):
    """By which one environment's hosts fetch images. `place` is the environment's name on its cluster.

    Its secret is kept, encrypted, because every change of a service hands it to the engine again.
    """

    scope = Scope("tenant_id", "project_id")
    view_permission = "platform.none"

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT, related_name="+")
    project = models.ForeignKey("tenants.Project", models.PROTECT, related_name="+")
    place = models.CharField(max_length=21, unique=True)
    stage = models.CharField(max_length=4, blank=True)  # of the environment; empty: nobody told yet
    digest = models.CharField(max_length=128, unique=True)
    secret = SecretField()

    def __str__(self) -> str:
        return f"pull-{self.place}"


class Artifact(Row):
    """One digest and what the image says of itself."""

    scope = Scope("repository__tenant_id", "repository__project_id", shared=True)
    view_permission = "image.view"

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="artifacts")
    digest = models.CharField(max_length=80)
    pinned = models.CharField(max_length=400)
    size_bytes = models.PositiveBigIntegerField(null=True)
    platform = models.CharField(max_length=40, blank=True)
    ports = models.JSONField(default=list)  # ["8080/tcp"]
    health = models.JSONField(null=True)
    user = models.CharField(max_length=100, blank=True)
    labels = models.JSONField(default=dict)
    built_at = models.DateTimeField(null=True)
    layers = models.JSONField(default=list)  # [{"digest", "size"}], of what lies in our registry
    pushed_by = models.CharField(max_length=150, blank=True)  # who brought it first; empty: nobody told us
    configuration = models.JSONField(null=True)  # see images/registry/about.py; None: not read yet
    history = models.JSONField(default=list)  # [{"created_at", "created_by", "comment", "empty"}]

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "digest"], name="artifact_digest")]
        indexes = [models.Index(fields=["repository", "size_bytes"], name="artifact_size")]

    def __str__(self) -> str:
        return f"{self.repository.name}@{self.digest[:19]}"


class Tag(models.Model):
    scope = Scope("artifact__repository__tenant_id", "artifact__repository__project_id", shared=True)
    view_permission = "image.view"

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="tags")
    name = models.CharField(max_length=128)
    artifact = models.ForeignKey(Artifact, models.CASCADE, related_name="tags")
    moved_at = models.DateTimeField(db_default=Now())
    moved_by = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "name"], name="tag_in_repository")]
        indexes = [models.Index(fields=["repository", "-moved_at", "-id"], name="tag_newest")]

    def __str__(self) -> str:
        return f"{self.repository.name}:{self.name}"


class RegistryEvent(Row):
    """What the registry told and no worker has looked at yet. `event` is its own id: told twice is told once."""

    scope = PLATFORM_SCOPE
    view_permission = "platform.none"

    event = models.CharField(max_length=80, unique=True)
    action = models.CharField(max_length=10)
    path = models.CharField(max_length=200)
    tag = models.CharField(max_length=128, blank=True)
    digest = models.CharField(max_length=80)
    subject = models.CharField(max_length=80, blank=True)  # who did it, as our own token named them

    def __str__(self) -> str:
        return f"{self.action} {self.path}"


from images.bases.models import BaseImage as BaseImage  # noqa: E402  Django looks for models here
from images.building.models import Build as Build  # noqa: E402  likewise
from images.building.models import Builder as Builder  # noqa: E402  likewise
from images.building.models import BuildLog as BuildLog  # noqa: E402  likewise
from images.building.models import BuildPolicy as BuildPolicy  # noqa: E402  likewise
from images.hooks.models import Webhook as Webhook  # noqa: E402  Django looks for models here
from images.hooks.models import WebhookDelivery as WebhookDelivery  # noqa: E402  likewise
from images.keeping.models import ImagePart as ImagePart  # noqa: E402  Django looks for models here
from images.keeping.models import PushTurn as PushTurn  # noqa: E402  likewise
from images.keeping.models import RetentionRule as RetentionRule  # noqa: E402  likewise
from images.keeping.models import StoredBlob as StoredBlob  # noqa: E402  likewise
from images.keeping.models import TagRule as TagRule  # noqa: E402  likewise
from images.promotion.models import Approval as Approval  # noqa: E402  Django looks for models here
from images.promotion.models import Decision as Decision  # noqa: E402  likewise
from images.promotion.models import Evidence as Evidence  # noqa: E402  likewise
from images.promotion.models import Promotion as Promotion  # noqa: E402  likewise
from images.promotion.models import StagePolicy as StagePolicy  # noqa: E402  likewise
from images.replication.models import ImageCopy as ImageCopy  # noqa: E402  Django looks for models here
from images.replication.models import RemoteRegistry as RemoteRegistry  # noqa: E402  likewise
from images.replication.models import ReplicationRule as ReplicationRule  # noqa: E402  likewise
from images.replication.models import ReplicationRun as ReplicationRun  # noqa: E402  likewise
from images.repositories.models import ArtifactPart as ArtifactPart  # noqa: E402  Django looks for models here
from images.repositories.models import ArtifactPulls as ArtifactPulls  # noqa: E402  likewise
from images.scanning.models import Advisory as Advisory  # noqa: E402  likewise
from images.scanning.models import AdvisoryFeed as AdvisoryFeed  # noqa: E402  likewise
from images.scanning.models import AffectedPackage as AffectedPackage  # noqa: E402  likewise
from images.scanning.models import Excuse as Excuse  # noqa: E402  likewise
from images.scanning.models import LookedLayer as LookedLayer  # noqa: E402  likewise
from images.scanning.models import Scan as Scan  # noqa: E402  likewise
from images.scanning.models import ScanFinding as ScanFinding  # noqa: E402  likewise
from images.scanning.models import ScanPackage as ScanPackage  # noqa: E402  likewise
from images.uploading.models import Upload as Upload  # noqa: E402  likewise
