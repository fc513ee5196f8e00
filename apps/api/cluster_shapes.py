"""Shapes of clusters over HTTP."""

from rest_framework import serializers

from backends.models import Cluster, Host
from operations.api.shapes import RehearsalOutput, Told


class ClusterOutput(serializers.Serializer[Cluster]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    title = serializers.CharField()
    kind = serializers.CharField()
    address = serializers.CharField()
    reachable_at = serializers.CharField()
    note = serializers.CharField()
    state = serializers.CharField(help_text=", ".join(Cluster.State.values))
    reason = Told(allow_null=True)
    engine_version = serializers.CharField()
    volumes_grow = serializers.BooleanField(
        allow_null=True,
        help_text="Whether its storage makes volumes larger that are there; null where volumes have no size of their "
        "own, and where nobody knows.",
    )
    away_since = serializers.DateTimeField(allow_null=True)
    seen_at = serializers.DateTimeField(allow_null=True)
    capabilities = serializers.DictField(
        child=serializers.BooleanField(), help_text="What it can; see “What is different between clusters”."
    )
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class HostOutput(serializers.Serializer[Host]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    ready = serializers.BooleanField()
    schedulable = serializers.BooleanField()
    manager = serializers.BooleanField()
    address = serializers.CharField()
    engine_version = serializers.CharField()
    platform = serializers.CharField()
    cpu_cores = serializers.FloatField()
    cpu_reserved_cores = serializers.FloatField()
    memory_bytes = serializers.IntegerField()
    memory_reserved_bytes = serializers.IntegerField()
    labels = serializers.DictField()
    said = serializers.CharField()
    seen_at = serializers.DateTimeField()


class HealthOutput(serializers.Serializer[Cluster]):
    state = serializers.CharField()
    reason = Told(allow_null=True)
    engine_version = serializers.CharField()
    hosts = serializers.IntegerField()
    hosts_ready = serializers.IntegerField()
    failures = serializers.IntegerField()
    away_since = serializers.DateTimeField(allow_null=True)
    seen_at = serializers.DateTimeField(allow_null=True)


class ClusterRehearsal(RehearsalOutput):
    """What a check found: whether it would be taken, and what it lacks."""

    engine_version = serializers.CharField()
    hosts = serializers.IntegerField()
    hosts_ready = serializers.IntegerField()


class OfferOutput(serializers.Serializer[None]):
    everyone = serializers.BooleanField()
    tenants = serializers.ListField(child=serializers.CharField())
    version = serializers.IntegerField(help_text="Of the cluster.")


class RightsOutput(serializers.Serializer[None]):
    """A document for whoever administers a cluster to apply there."""

    apiVersion = serializers.CharField()  # noqa: N815  as it is called there
    kind = serializers.CharField()
    items = serializers.ListField(child=serializers.DictField())
