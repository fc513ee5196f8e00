"""Clusters and their hosts. Observed rows are written by the observer only and say when they were seen."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.access import PLATFORM_SCOPE
from core.names import label_validators
from core.rows import DeclaredRow, Row
from core.secrets import SecretField


class Cluster(DeclaredRow):
    """Where instances run. `address` is how the engine is reached; credentials are stored encrypted."""

    scope = PLATFORM_SCOPE
    view_permission = "cluster.view"

    class Kind(models.TextChoices):
        SWARM = "swarm", _("Docker Swarm")
        KUBERNETES = "kubernetes", _("Kubernetes")
        FAKE = "fake", _("in memory, for tests")

    class State(models.TextChoices):
        UNKNOWN = "unknown", _("not seen yet")
        READY = "ready", _("ready")
        AWAY = "away", _("not reachable")

    name = models.CharField(max_length=40, unique=True, validators=label_validators)
    title = models.CharField(max_length=100, blank=True)
    kind = models.CharField(max_length=12, choices=Kind)
    address = models.CharField(max_length=300, blank=True)
    reachable_at = models.CharField(max_length=100, blank=True)  # where published ports answer, if not at the hosts
    client_key = SecretField(null=True)
    client_certificate = models.TextField(blank=True)
    authority = models.TextField(blank=True)
    note = models.CharField(max_length=500, blank=True)  # why there is no engine, and how to get one
    state = models.CharField(max_length=8, choices=State, default=State.UNKNOWN)
    reason = models.JSONField(null=True)  # {code, params} while away
    engine_version = models.CharField(max_length=40, blank=True)
    volumes_grow = models.BooleanField(null=True)  # whether its storage makes volumes larger; None: nobody knows
    failures = models.PositiveIntegerField(default=0)
    away_since = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    looked_at = models.DateTimeField(null=True)  # the last try, whatever came of it

    def __str__(self) -> str:
        return self.name


class Host(Row):
    scope = PLATFORM_SCOPE
    view_permission = "cluster.view"

    cluster = models.ForeignKey(Cluster, models.CASCADE, related_name="hosts")
    engine_id = models.CharField(max_length=100)
    name = models.CharField(max_length=200)
    ready = models.BooleanField(default=False)
    schedulable = models.BooleanField(default=True)
    manager = models.BooleanField(default=False)
    address = models.CharField(max_length=100, blank=True)
    engine_version = models.CharField(max_length=40, blank=True)
    platform = models.CharField(max_length=40, blank=True)
    cpu_millicores = models.PositiveIntegerField(default=0)
    memory_bytes = models.PositiveBigIntegerField(default=0)
    cpu_reserved = models.PositiveIntegerField(default=0)
    memory_reserved = models.PositiveBigIntegerField(default=0)
    labels = models.JSONField(default=dict)
    said = models.CharField(max_length=300, blank=True)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cluster", "engine_id"], name="host_once")]

    def __str__(self) -> str:
        return self.name
