"""Shapes of images over HTTP."""

from rest_framework import serializers

from core.api.inputs import Input
from images.models import Artifact, Repository, Tag


class RepositoryOutput(serializers.Serializer[Repository]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    shared = serializers.BooleanField(help_text="Offered to every tenant by the platform.")
    visible = serializers.ChoiceField(Repository.Visible.choices, help_text="Who else may pull what was pushed to it.")
    tags = serializers.IntegerField()
    size_bytes = serializers.IntegerField(help_text="Of its images together; layers they share count with each.")
    pushed_at = serializers.DateTimeField(allow_null=True)
    pushed_by = serializers.CharField(help_text="Who pushed last; empty where nobody told.")
    created_at = serializers.DateTimeField()


class FoundOutput(serializers.Serializer[Repository]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    title = serializers.CharField()
    tenant = serializers.CharField()
    project = serializers.CharField()
    created_at = serializers.DateTimeField()


class ShareInput(Input):
    visible = serializers.ChoiceField(Repository.Visible.choices)
    tenants = serializers.ListField(
        child=serializers.CharField(max_length=40), max_length=50, required=False, help_text="By name, where `named`."
    )


class ShareOutput(serializers.Serializer[Repository]):
    name = serializers.CharField()
    visible = serializers.ChoiceField(Repository.Visible.choices)
    tenants = serializers.ListField(child=serializers.CharField())


class LayerOutput(serializers.Serializer[Artifact]):
    digest = serializers.CharField()
    size = serializers.IntegerField()


class PartOutput(serializers.Serializer[Artifact]):
    digest = serializers.CharField()
    platform = serializers.CharField()
    size_bytes = serializers.IntegerField(allow_null=True)


class StepOutput(serializers.Serializer[Artifact]):
    created_at = serializers.CharField()
    created_by = serializers.CharField()
    comment = serializers.CharField()
    empty = serializers.BooleanField(help_text="It made no layer.")


class ConfigurationOutput(serializers.Serializer[Artifact]):
    environment = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))
    entrypoint = serializers.ListField(child=serializers.CharField())
    command = serializers.ListField(child=serializers.CharField())
    working_dir = serializers.CharField()
    volumes = serializers.ListField(child=serializers.CharField())
    stop_signal = serializers.CharField()


class TagOutput(serializers.Serializer[Tag]):
    name = serializers.CharField()
    reference = serializers.CharField(help_text="What to write as `image`.")
    digest = serializers.CharField()
    size_bytes = serializers.IntegerField(allow_null=True)
    platform = serializers.CharField()
    rating = serializers.CharField(help_text="Of the newest scan; empty where there was none.")
    moved_at = serializers.DateTimeField()
    moved_by = serializers.CharField(help_text="Who pushed it; empty where nobody told.")


class ArtifactOutput(serializers.Serializer[Artifact]):
    id = serializers.UUIDField()
    repository = serializers.CharField()
    digest = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())
    size_bytes = serializers.IntegerField(allow_null=True)
    platform = serializers.CharField()
    ports = serializers.ListField(child=serializers.CharField())
    health = serializers.JSONField()
    user = serializers.CharField(allow_blank=True)
    labels = serializers.DictField()
    layers = LayerOutput(many=True)
    configuration = ConfigurationOutput(allow_null=True, help_text="Null: not read yet. Empty: a list of images.")
    history = StepOutput(many=True)
    platforms = PartOutput(many=True, help_text="Where it is a list of images for several platforms.")
    pulls = serializers.IntegerField(help_text="As often as the registry told of it; never exact.")
    pulls_lately = serializers.IntegerField(help_text="In the last 30 days.")
    rating = serializers.CharField(help_text="Of the newest scan; empty where there was none.")
    pushed_by = serializers.CharField(help_text="Who pushed it first; empty where nobody told.")
    built_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
