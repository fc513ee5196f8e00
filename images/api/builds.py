"""Builds over HTTP: asked for, looked at, their log read from any place on, cancelled; and what they may reach."""

import uuid
from typing import Any

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.commands import check_before
from backends.selectors import cluster as cluster_of
from core.access import check
from core.api.endpoint import TEXT, FileView, View, endpoint
from core.api.inputs import Input, Listing, Query
from core.api.paging import page, plain
from core.api.schema import page_of
from core.secrets import Secret
from images.building import logs, selectors, services
from images.building.models import Build
from operations.api.changes import ChangeView
from operations.api.shapes import Told
from tenants.selectors import project as project_of


class BuildInput(Input):
    repository = serializers.CharField(max_length=150, help_text="Below the project.")
    tags = serializers.ListField(
        child=serializers.CharField(max_length=128), max_length=10, required=False, help_text="Without them `latest`."
    )
    upload = serializers.UUIDField(required=False, help_text="An upload of the purpose `sources` that is here.")
    address = serializers.CharField(max_length=500, required=False, help_text="Of a git repository, by https.")
    revision = serializers.CharField(
        max_length=200, required=False, allow_blank=True, help_text="A branch, tag or commit there."
    )
    user = serializers.CharField(max_length=100, required=False, allow_blank=True)
    secret = serializers.CharField(
        max_length=1000, required=False, allow_blank=True, write_only=True, trim_whitespace=False,
        help_text="Password or token for the address; kept encrypted until the build has ended.",
    )  # fmt: skip
    recipe = serializers.CharField(max_length=300, required=False, help_text="Where the Dockerfile lies.")
    arguments = serializers.DictField(
        child=serializers.CharField(max_length=2000, allow_blank=True, trim_whitespace=False), required=False,
        help_text="Build arguments; no place for secrets.",
    )  # fmt: skip
    network = serializers.BooleanField(required=False, help_text="May it reach others, where the project allows it.")


class BuildQuery(Listing):
    state = serializers.ChoiceField(Build.State.choices, required=False)


class LogQuery(Query):
    since = serializers.IntegerField(min_value=0, max_value=2**31 - 1, default=0, help_text="Characters to leave out.")


class BuildOutput(serializers.Serializer[Build]):
    id = serializers.UUIDField()
    state = serializers.ChoiceField(Build.State.choices)
    file_name = serializers.CharField(allow_blank=True)
    address = serializers.CharField(allow_blank=True)
    revision = serializers.CharField(allow_blank=True)
    commit = serializers.CharField(allow_blank=True)
    recipe = serializers.CharField()
    repository = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())
    arguments = serializers.DictField(child=serializers.CharField())
    network = serializers.BooleanField()
    operation_id = serializers.UUIDField(allow_null=True)
    owner_name = serializers.CharField()
    failure = Told(allow_null=True)
    digest = serializers.CharField(allow_blank=True, help_text="Of the image, once it lies in the registry.")
    reference = serializers.CharField(allow_blank=True, help_text="The repository it lies in then.")
    log_bytes = serializers.IntegerField(help_text="Characters of its log that are kept so far.")
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


class BuildRights(serializers.Serializer[None]):
    network = serializers.BooleanField(help_text="Whether the tenant lets builds of this project reach the network.")


class BuildRightsInput(Input):
    network = serializers.BooleanField()


class BuilderInput(Input):
    network = serializers.BooleanField(required=False, help_text="Tenants may let builds reach the network there.")


class BuilderOutput(serializers.Serializer[None]):
    cluster = serializers.CharField()
    able = serializers.BooleanField(help_text="Whether this kind of cluster can build images at all.")
    allowed = serializers.BooleanField()
    network = serializers.BooleanField()


class BuildersOutput(serializers.Serializer[None]):
    results = BuilderOutput(many=True)


class Builds(ChangeView):
    @endpoint("list_builds", query=BuildQuery, answers={200: page_of(BuildOutput)})
    def get(self, request: Request, tenant: str, project: str) -> Response:
        """Images that are built in a project, and those that were."""
        rows = selectors.builds(self.actor, project_of(self.actor, tenant, project))
        wanted = {"state": self.query["state"]} if self.query.get("state") else {}
        found = plain(rows.filter(**wanted), *selectors.COLUMNS)
        return Response(page(self.slip("-created_at", "-id"), found, show=selectors.shown_all))

    @endpoint("build_image", body=BuildInput, answers={201: BuildOutput}, repeatable=True)
    def post(self, request: Request, tenant: str, project: str) -> Response:
        """Build an image from sources that were uploaded, or from a git address, and put it into the registry."""
        home = project_of(self.actor, tenant, project)
        check_before(services.build_image, self.actor, home)
        sent = dict(self.sent)
        sent["secret"] = Secret(sent["secret"]) if sent.get("secret") else None
        made = services.build_image(self.actor, home, **sent)
        return self.made(made, selectors.shown_one, key="id")


class OneBuild(View):
    @endpoint("show_build", answers={200: BuildOutput})
    def get(self, request: Request, tenant: str, project: str, build: uuid.UUID) -> Response:
        """How far a build is, and what became of it."""
        row = selectors.build(self.actor, project_of(self.actor, tenant, project), build)
        return self.one(selectors.shown_one(row))

    @endpoint("cancel_build", answers={204: None})
    def delete(self, request: Request, tenant: str, project: str, build: uuid.UUID) -> Response:
        """Ask it to stop; what runs of it is ended."""
        row = selectors.build(self.actor, project_of(self.actor, tenant, project), build)
        services.cancel_build(self.actor, row)
        return Response(status=204)


class OneBuildLog(FileView):
    @endpoint("read_build_log", query=LogQuery, answers={(200, "text/plain"): TEXT})
    def get(self, request: Request, tenant: str, project: str, build: uuid.UUID) -> Any:
        """What the builder said so far, as plain text; `since` goes on where one stopped."""
        row = selectors.build(self.actor, project_of(self.actor, tenant, project), build)
        text = logs.text_of(row, since=self.query["since"])
        return HttpResponse(text, content_type="text/plain; charset=utf-8")


class Rights(View):
    @endpoint("show_build_rights", answers={200: BuildRights})
    def get(self, request: Request, tenant: str, project: str) -> Response:
        """What builds of a project may do beyond what all may."""
        home = project_of(self.actor, tenant, project)
        check(self.actor, "image.view", home)
        return self.one({"network": selectors.allows_network(home)})

    @endpoint("set_build_rights", body=BuildRightsInput, answers={200: BuildRights})
    def put(self, request: Request, tenant: str, project: str) -> Response:
        """Let builds of this project reach the network, or no longer, where operators let any do so."""
        home = project_of(self.actor, tenant, project)
        row = services.set_network(self.actor, home, network=self.sent["network"])
        return self.one({"network": row.network})


class Places(View):
    @endpoint("list_builders", answers={200: BuildersOutput})
    def get(self, request: Request) -> Response:
        """Which clusters can build images, and where it is allowed."""
        return Response({"results": [_place(one) for one in selectors.places(self.actor)]})


class OnePlace(View):
    @endpoint("allow_builds", body=BuilderInput, answers={204: None})
    def put(self, request: Request, cluster: str) -> Response:
        """Let projects build images on a cluster."""
        row = cluster_of(self.actor, cluster)
        services.allow_builds(self.actor, row, network=self.sent.get("network", False))
        return Response(status=204)

    @endpoint("withdraw_builder", answers={204: None})
    def delete(self, request: Request, cluster: str) -> Response:
        """No build begins there any more."""
        services.withdraw_builder(self.actor, cluster_of(self.actor, cluster))
        return Response(status=204)


def _place(one: dict[str, Any]) -> dict[str, Any]:
    row = one["row"]
    told = {"cluster": one["cluster"].name, "able": one["can"], "allowed": row is not None}
    return told | {"network": bool(row and row.network)}
