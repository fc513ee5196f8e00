"""Advisories that were imported, scans of artifacts, and findings that somebody answers for."""

from django.db import models
from django.db.models.functions import Now

from core.access import PLATFORM_SCOPE, Scope
from core.rows import Row

OF_ARTIFACT = Scope("artifact__repository__tenant_id", "artifact__repository__project_id", shared=True)
OF_SCAN = Scope("scan__artifact__repository__tenant_id", "scan__artifact__repository__project_id", shared=True)


class AdvisoryFeed(Row):
    """One ecosystem of which advisories were imported, and how old they are."""

    scope = PLATFORM_SCOPE
    view_permission = "cluster.view"

    ecosystem = models.CharField(max_length=100, unique=True)
    imported_at = models.DateTimeField(db_default=Now())
    newest = models.DateTimeField(null=True)  # when the newest of its advisories was last changed
    advisories = models.PositiveIntegerField(default=0)
    source = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return self.ecosystem


class Advisory(models.Model):
    """One vulnerability, as one database describes it."""

    scope = PLATFORM_SCOPE
    view_permission = "cluster.view"

    osv_id = models.CharField(max_length=100, unique=True)
    modified = models.DateTimeField()
    published = models.DateTimeField(null=True)
    withdrawn = models.BooleanField(default=False)
    summary = models.CharField(max_length=500, blank=True)
    severity = models.CharField(max_length=12)
    score = models.FloatField(null=True)
    aliases = models.JSONField(default=list)

    class Meta:
        verbose_name_plural = "advisories"

    def __str__(self) -> str:
        return self.osv_id


class AffectedPackage(models.Model):
    """A package that an advisory is about, and which of its versions."""

    scope = PLATFORM_SCOPE
    view_permission = "cluster.view"

    advisory = models.ForeignKey(Advisory, models.CASCADE, related_name="affected")
    ecosystem = models.CharField(max_length=100)
    name = models.CharField(max_length=300)
    ranges = models.JSONField(default=list)
    versions = models.JSONField(default=list)
    severity = models.CharField(max_length=12, blank=True)

    class Meta:
        indexes = [models.Index(fields=["ecosystem", "name"], name="affected_package")]

    def __str__(self) -> str:
        return f"{self.ecosystem} {self.name}"


class Scan(Row):
    """One look at an artifact. Never changed: a newer look is a newer row."""

    scope = OF_ARTIFACT
    view_permission = "image.view"

    artifact = models.ForeignKey("images.Artifact", models.CASCADE, related_name="scans")
    rating = models.CharField(max_length=8)
    at_best = models.CharField(max_length=1)
    tool = models.CharField(max_length=40)
    counts = models.JSONField(default=dict)  # severity: how many
    system = models.JSONField(default=dict)  # what the image says in its os-release
    digests = models.JSONField(default=list)
    notes = models.JSONField(default=list)  # what could not be read
    data_as_of = models.DateTimeField(null=True)  # the oldest of the data it was compared with
    doubts = models.JSONField(default=list)
    secrets = models.JSONField(default=list)
    special_files = models.JSONField(default=list)
    layers = models.JSONField(default=list)
    parts = models.JSONField(default=list)  # of an image for several platforms: [{"digest", "platform"}], and no more

    class Meta:
        indexes = [models.Index(fields=["artifact", "-created_at"], name="scan_of_artifact")]

    def __str__(self) -> str:
        return f"{self.artifact_id}: {self.rating}"


class ScanPackage(models.Model):
    """A package that a scan found; kept, so that new advisories can be compared without reading the image again."""

    scope = OF_SCAN
    view_permission = "image.view"

    scan = models.ForeignKey(Scan, models.CASCADE, related_name="packages")
    kind = models.CharField(max_length=12)
    name = models.CharField(max_length=300)
    version = models.CharField(max_length=300, blank=True)
    source = models.CharField(max_length=300, blank=True)
    source_version = models.CharField(max_length=300, blank=True)
    licence = models.CharField(max_length=300, blank=True)
    arch = models.CharField(max_length=40, blank=True)
    path = models.CharField(max_length=300, blank=True)
    standing = models.CharField(max_length=10, blank=True)
    layer = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["kind", "name"], name="scanned_package")]

    def __str__(self) -> str:
        return f"{self.kind} {self.name} {self.version}"


class ScanFinding(models.Model):
    """One vulnerability of one package in one scan."""

    scope = OF_SCAN
    view_permission = "image.view"

    scan = models.ForeignKey(Scan, models.CASCADE, related_name="findings")
    vulnerability = models.CharField(max_length=100)
    ids = models.JSONField(default=list)
    package = models.CharField(max_length=300)
    version = models.CharField(max_length=300, blank=True)
    severity = models.CharField(max_length=12)
    score = models.FloatField(null=True)
    fixed = models.CharField(max_length=300, blank=True)
    summary = models.CharField(max_length=500, blank=True)
    path = models.CharField(max_length=300, blank=True)
    layer = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["vulnerability"], name="found_vulnerability")]

    def __str__(self) -> str:
        return f"{self.vulnerability} {self.package}"


class Excuse(Row):
    """Somebody answers for a finding of a repository's images until a day. It ends by itself."""

    scope = Scope("tenant_id", None, shared=True)
    view_permission = "image.view"

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT, null=True)
    repository = models.ForeignKey("images.Repository", models.CASCADE, related_name="excuses")
    vulnerability = models.CharField(max_length=100)
    package = models.CharField(max_length=300, blank=True)  # empty: whichever has it
    reason = models.CharField(max_length=500)
    until = models.DateField()
    given_by = models.CharField(max_length=200)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["repository", "vulnerability"], name="excuse_of_finding")]

    def __str__(self) -> str:
        return f"{self.vulnerability} until {self.until}"


class LookedLayer(models.Model):
    """What was found in a layer and in those below it, so that nobody reads them again. Forgotten when unused.

    `chain` names the layers from the lowest on by the digests of what lies in the registry and of what it unpacks to.
    """

    scope = PLATFORM_SCOPE
    view_permission = "platform.none"

    chain = models.CharField(max_length=64, unique=True)
    state = models.BinaryField()
    size_bytes = models.PositiveBigIntegerField()
    used_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["used_at"], name="looked_layer_used")]

    def __str__(self) -> str:
        return self.chain[:19]
