"""Shapes of what is declared and what runs, over HTTP."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.models import App, AppEnvironment, Deployment, Environment, ObservedInstance, Release
from operations.api.shapes import Told


class EnvironmentOutput(serializers.Serializer[Environment]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    stage = serializers.CharField(help_text="dev, test or prod")
    position = serializers.IntegerField()
    protected = serializers.BooleanField(help_text="Needs the permission app.release to change anything.")
    cluster = serializers.CharField()
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class AppPlace(serializers.Serializer[AppEnvironment]):
    name = serializers.CharField()
    release_number = serializers.IntegerField(allow_null=True)
    stopped = serializers.BooleanField()
    wanted = serializers.IntegerField(allow_null=True)
    running = serializers.IntegerField(allow_null=True)


class StateOutput(serializers.Serializer[None]):
    """`status` is a stable key; the others are words in the reader's language."""

    status = serializers.CharField()
    word = serializers.CharField()
    sentence = serializers.CharField()
    hint = serializers.CharField()
    trouble = serializers.CharField(help_text="What failed of late although the app itself may be well.")
    stale_since = serializers.DateTimeField(allow_null=True, help_text="Set: nobody saw the cluster since then.")


class AppPlaceState(AppPlace):
    state = StateOutput()


class AppOutput(serializers.Serializer[App]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    title = serializers.CharField()
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    environments = AppPlace(many=True)


class AppStateOutput(AppOutput):
    environments = AppPlaceState(many=True)


class ServiceOutput(serializers.Serializer[None]):
    name = serializers.CharField()
    image = serializers.CharField()
    digest = serializers.CharField(help_text="Empty until it is known.")
    wanted = serializers.IntegerField()
    running = serializers.IntegerField()
    cpu_limit_cores = serializers.FloatField(allow_null=True)
    memory_limit_bytes = serializers.IntegerField(allow_null=True)
    message = serializers.CharField(help_text="What is wrong with it; empty if nothing is.")
    hint = serializers.CharField()


class PlaceOutput(serializers.Serializer[AppEnvironment]):
    """One app in one environment: what is declared, and what was last seen."""

    id = serializers.UUIDField()
    app = serializers.CharField()
    environment = serializers.CharField()
    stage = serializers.CharField()
    protected = serializers.BooleanField()
    release_number = serializers.IntegerField(allow_null=True)
    generation = serializers.IntegerField(help_text="Grows with each accepted change.")
    version = serializers.IntegerField()
    stopped = serializers.BooleanField()
    wanted = serializers.IntegerField()
    running = serializers.IntegerField()
    state = StateOutput()
    operation_id = serializers.UUIDField(allow_null=True, help_text="The operation at work here, if any.")
    services = ServiceOutput(many=True)
    seen_at = serializers.DateTimeField(allow_null=True)


class AddressOutput(serializers.Serializer[None]):
    port = serializers.IntegerField()
    address = serializers.CharField(help_text="host:port where it answers from outside.")


class InstanceOutput(serializers.Serializer[ObservedInstance]):
    id = serializers.UUIDField()
    service = serializers.CharField()
    number = serializers.IntegerField(help_text="Its place in the service, kept by its replacement.")
    state = serializers.CharField()
    wanted = serializers.BooleanField(help_text="False: it is to end, or has ended.")
    host = serializers.CharField(allow_null=True)
    started_at = serializers.DateTimeField(allow_null=True)
    exit_code = serializers.IntegerField(allow_null=True)
    restarts = serializers.IntegerField()
    addresses = AddressOutput(many=True)
    reason = Told(allow_null=True)
    seen_at = serializers.DateTimeField()


class ReleaseRow(serializers.Serializer[Release]):
    id = serializers.UUIDField()
    number = serializers.IntegerField()
    note = serializers.CharField()
    spec_hash = serializers.CharField()
    created_by = serializers.UUIDField(allow_null=True)
    created_by_name = serializers.CharField()
    created_at = serializers.DateTimeField()


class PinnedImage(serializers.Serializer[None]):
    service = serializers.CharField()
    reference = serializers.CharField()
    digest = serializers.CharField()


class ReleaseOutput(ReleaseRow):
    specification = serializers.DictField()
    images = PinnedImage(many=True)


@extend_schema_field({})
class AnyJson(serializers.JSONField):
    """Any JSON value, null included."""


class DifferenceOutput(serializers.Serializer[None]):
    path = serializers.CharField()
    before = AnyJson()
    after = AnyJson()


class DiffOutput(serializers.Serializer[Release]):
    """What differs, by path; `before` is the release named by `with`."""

    release = serializers.IntegerField()
    differences = DifferenceOutput(many=True)

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "with": serializers.IntegerField()}


class DeploymentOutput(serializers.Serializer[Deployment]):
    id = serializers.UUIDField()
    number = serializers.IntegerField()
    kind = serializers.CharField(help_text=", ".join(Deployment.Kind.values))
    environment = serializers.CharField()
    release_number = serializers.IntegerField(allow_null=True)
    replaced_number = serializers.IntegerField(allow_null=True)
    generation = serializers.IntegerField()
    operation_id = serializers.UUIDField()
    operation_state = serializers.CharField()
    result = serializers.CharField(help_text="Empty while it goes on.")
    failure = Told(allow_null=True)
    created_by_name = serializers.CharField()
    created_at = serializers.DateTimeField()


class EventOutput(serializers.Serializer[None]):
    """Something that happened in an app's environment."""

    id = serializers.CharField()
    happened_at = serializers.DateTimeField(help_text="The last time, where it happened again and again.")
    first_at = serializers.DateTimeField()
    count = serializers.IntegerField(help_text="How often it happened from the first time to the last.")
    kind = serializers.CharField(help_text="operation or instance")
    level = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()
    hint = serializers.CharField()
    service = serializers.CharField(help_text="Empty where it is about the whole app.")
    instance_number = serializers.IntegerField(allow_null=True)
    exit_code = serializers.IntegerField(allow_null=True, help_text="How the instance ended, where it did.")
    operation_id = serializers.UUIDField(allow_null=True)
