"""Shapes of clusters over HTTP."""

from rest_framework import serializers

from backends.models import Cluster, Host
from core.api.inputs import Input
from operations.api.shapes import Told


class ClusterChange(Input):
    title = serializers.CharField(max_length=100, required=False, allow_blank=True)
    address = serializers.CharField(
        max_length=300, required=False, allow_blank=True, help_text="unix:///..., tcp:// or https://host:port"
    )
    reachable_at = serializers.CharField(
        max_length=100, required=False, allow_blank=True, help_text="Where published ports answer, if not at the hosts."
    )
    client_key = serializers.CharField(
        max_length=20_000, required=False, write_only=True, help_text="PEM; never shown again."
    )
    client_certificate = serializers.CharField(max_length=20_000, required=False, allow_blank=True, help_text="PEM")
    authority = serializers.CharField(max_length=20_000, required=False, allow_blank=True, help_text="PEM")


class ClusterInput(ClusterChange):
    name = serializers.CharField(max_length=40, trim_whitespace=False)
    kind = serializers.ChoiceField(choices=[kind for kind in Cluster.Kind.values if kind != "fake"])


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
    away_since = serializers.DateTimeField(allow_null=True)
    seen_at = serializers.DateTimeField(allow_null=True)
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
