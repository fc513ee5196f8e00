"""Shapes of what runs of an image, over HTTP."""

from rest_framework import serializers

from images.models import Artifact


class UseOutput(serializers.Serializer[None]):
    tenant = serializers.CharField()
    project = serializers.CharField()
    app = serializers.CharField()
    environment = serializers.CharField()
    service = serializers.CharField()
    release_number = serializers.IntegerField()
    stopped = serializers.BooleanField()
    leaving = serializers.BooleanField(help_text="It is being replaced at this moment.")


class WayBackOutput(serializers.Serializer[None]):
    app = serializers.CharField()
    release_number = serializers.IntegerField()


class ImageUsesOutput(serializers.Serializer[Artifact]):
    """Where an image runs, and what deleting it would break."""

    runs = UseOutput(many=True)
    runs_elsewhere = serializers.BooleanField(help_text="It runs where you may not look, too.")
    deletable = serializers.BooleanField(help_text="False while it runs somewhere.")
    tags = serializers.ListField(child=serializers.CharField())
    lists = serializers.ListField(
        child=serializers.CharField(), help_text="Digests of lists for several platforms of which it is one image."
    )
    ways_back = WayBackOutput(many=True, help_text="Releases that could not be gone back to without it.")
