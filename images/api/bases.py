"""Images to build upon, over HTTP."""

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.endpoint import View, endpoint
from core.api.inputs import Input
from core.errors import NotFound
from images import listing
from images.bases import selectors, services
from images.models import Repository


class VersionOutput(serializers.Serializer[None]):
    tag = serializers.CharField()
    reference = serializers.CharField(help_text="What to write after FROM.")
    digest = serializers.CharField()
    size_bytes = serializers.IntegerField(allow_null=True)
    platform = serializers.CharField(allow_blank=True)
    built_at = serializers.DateTimeField(allow_null=True)
    moved_at = serializers.DateTimeField()


class BaseOutput(serializers.Serializer[None]):
    repository = serializers.CharField()
    title = serializers.CharField(allow_blank=True)
    advice = serializers.CharField(allow_blank=True)
    published_at = serializers.DateTimeField()
    versions = VersionOutput(many=True, help_text="The five newest.")


class BasesOutput(serializers.Serializer[None]):
    results = BaseOutput(many=True)


class BaseInput(Input):
    advice = serializers.CharField(
        max_length=500, required=False, allow_blank=True, help_text="What it is for, and whom to ask."
    )


class ProjectBases(View):
    @endpoint("list_base_images", answers={200: BasesOutput})
    def get(self, request: Request, tenant: str, project: str) -> Response:
        """The images that the operator recommends to build upon, with their newest versions."""
        home = listing.image_project(self.actor, tenant, project)
        return Response({"results": [selectors.shown(row) for row in selectors.for_project(home)]})


class Bases(View):
    @endpoint("list_all_base_images", answers={200: BasesOutput})
    def get(self, request: Request) -> Response:
        """All of them, for operators."""
        return Response({"results": [selectors.shown(row) for row in selectors.for_operator(self.actor)]})


class OneBase(View):
    @endpoint("publish_base_image", body=BaseInput, answers={204: None})
    def put(self, request: Request, repository: str) -> Response:
        """Recommend a repository that everybody may pull, or change what is said of it."""
        services.publish_base(self.actor, self._row(repository), **self.sent)
        return Response(status=204)

    @endpoint("withdraw_base_image", answers={204: None})
    def delete(self, request: Request, repository: str) -> Response:
        """Recommend it no more; it stays where it is."""
        services.withdraw_base(self.actor, self._row(repository))
        return Response(status=204)

    def _row(self, name: str) -> Repository:
        if not listing.FORM.match(name):
            raise NotFound()
        return selectors.repository_named(self.actor, name)
