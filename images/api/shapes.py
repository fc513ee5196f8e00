"""Shapes of images over HTTP."""

from rest_framework import serializers

from images.models import Artifact, Repository, Tag


class RepositoryOutput(serializers.Serializer[Repository]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    shared = serializers.BooleanField(help_text="Offered to every tenant by the platform.")
    created_at = serializers.DateTimeField()


class TagOutput(serializers.Serializer[Tag]):
    name = serializers.CharField()
    reference = serializers.CharField(help_text="What to write as `image`.")
    digest = serializers.CharField()
    size_bytes = serializers.IntegerField(allow_null=True)
    platform = serializers.CharField()
    moved_at = serializers.DateTimeField()


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
    built_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
