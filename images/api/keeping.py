"""Rules for the images of a project over HTTP, the preview of what goes, and tidying up the registry."""

from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.commands import check_before
from core import access
from core.api.endpoint import View, endpoint
from core.api.inputs import Change, Input, Listing, WholeNumber
from core.api.paging import page, plain
from core.api.schema import page_of
from images.keeping import selectors, services
from images.keeping.models import RetentionRule, TagRule
from images.keeping.retaining import Line, plan
from images.listing import image_project
from operations.api.changes import ChangeView
from operations.api.shapes import STARTED, OperationOutput
from operations.selectors import COLUMNS, shown_all
from tenants.selectors import project as project_of

MOST_LINES = 500
REPOSITORIES = "Names within the project; `*` stands for any characters, `?` for one."


class TagRuleOutput(serializers.Serializer[TagRule]):
    id = serializers.UUIDField()
    repositories = serializers.CharField(help_text=REPOSITORIES)
    tags = serializers.CharField()
    made_by = serializers.CharField()
    created_at = serializers.DateTimeField()


class TagRuleInput(Input):
    repositories = serializers.CharField(max_length=200, help_text=REPOSITORIES)
    tags = serializers.CharField(max_length=128, help_text="Tags that never move, such as `v*`.")


class RetentionOutput(serializers.Serializer[RetentionRule]):
    id = serializers.UUIDField()
    repositories = serializers.CharField(help_text=REPOSITORIES)
    newest = serializers.IntegerField(allow_null=True)
    days = serializers.IntegerField(allow_null=True)
    pulled_days = serializers.IntegerField(allow_null=True)
    tags = serializers.CharField()
    deployed_days = serializers.IntegerField()
    made_by = serializers.CharField()
    created_at = serializers.DateTimeField()


class RetentionInput(Input):
    repositories = serializers.CharField(max_length=200, help_text=REPOSITORIES)
    newest = WholeNumber(required=False, allow_null=True, help_text="So many with tags stay in each repository.")
    days = WholeNumber(required=False, allow_null=True, help_text="What was pushed within so many days stays.")
    pulled_days = WholeNumber(
        required=False, allow_null=True, help_text="What was pulled within so many days stays; at most 399."
    )
    tags = serializers.CharField(
        max_length=128, required=False, allow_blank=True, help_text="Images with such a tag stay."
    )
    deployed_days = WholeNumber(
        required=False, help_text="What was deployed within so many days stays, to go back to; 90 if left out."
    )


class LineOutput(serializers.Serializer[Line]):
    repository = serializers.CharField()
    digest = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())
    size_bytes = serializers.IntegerField(allow_null=True)
    pushed_at = serializers.DateTimeField()
    goes = serializers.BooleanField()
    reasons = serializers.ListField(child=serializers.CharField(), help_text="Why it stays; empty where it goes.")


class PreviewOutput(serializers.Serializer[None]):
    goes = serializers.IntegerField()
    stays = serializers.IntegerField()
    results = LineOutput(many=True, help_text="What goes first; at most 500.")


class TagRules(ChangeView):
    @endpoint("list_tag_rules", query=Listing, answers={200: page_of(TagRuleOutput)})
    def get(self, request: Request, tenant: str, project: str) -> Response:
        """Which tags of a project never move."""
        home = image_project(self.actor, tenant, project)
        rows = plain(selectors.tag_rules(self.actor, home), *selectors.TAG_RULE)
        return Response(page(self.slip("id"), rows))

    @endpoint("protect_tags", body=TagRuleInput, answers={201: TagRuleOutput}, repeatable=True)
    def post(self, request: Request, tenant: str, project: str) -> Response:
        """Have tags never move: a push that would move one is refused."""
        home = project_of(self.actor, tenant, project)
        return self.made(services.protect_tags(self.actor, home, **self.sent), selectors.shown_tag_rule, key="id")


class OneTagRule(ChangeView):
    @endpoint("free_tags", answers={204: None})
    def delete(self, request: Request, tenant: str, project: str, rule_id: UUID) -> Response:
        """Take a rule away: its tags may move again."""
        home = project_of(self.actor, tenant, project)
        check_before(services.free_tags, self.actor, home)
        services.free_tags(self.actor, selectors.tag_rule(self.actor, home, rule_id))
        return Response(status=204)


class Retention(ChangeView):
    @endpoint("list_retention_rules", query=Listing, answers={200: page_of(RetentionOutput)})
    def get(self, request: Request, tenant: str, project: str) -> Response:
        """By which rules images stay; where there is none, all stay."""
        home = image_project(self.actor, tenant, project)
        rows = plain(selectors.retention(self.actor, home), *selectors.RETENTION)
        return Response(page(self.slip("id"), rows))

    @endpoint("retain_images", body=RetentionInput, answers={201: RetentionOutput}, repeatable=True)
    def post(self, request: Request, tenant: str, project: str) -> Response:
        """Say what stays in some repositories. All else goes there, day by day."""
        home = project_of(self.actor, tenant, project)
        return self.made(services.retain(self.actor, home, **self.sent), selectors.shown_retention, key="id")


class OneRetention(ChangeView):
    @endpoint("retain_all_images", answers={204: None})
    def delete(self, request: Request, tenant: str, project: str, rule_id: UUID) -> Response:
        """Take a rule away: what it alone was about stays."""
        home = project_of(self.actor, tenant, project)
        check_before(services.retain_all, self.actor, home)
        services.retain_all(self.actor, selectors.retention_rule(self.actor, home, rule_id))
        return Response(status=204)


class Preview(View):
    @endpoint("preview_retention", answers={200: PreviewOutput})
    def get(self, request: Request, tenant: str, project: str) -> Response:
        """Exactly what would go now, and why everything else stays."""
        lines = plan(image_project(self.actor, tenant, project))
        return self.one({**selectors.counted(lines), "results": selectors.shown_lines(lines[:MOST_LINES])})


class Clean(ChangeView):
    @endpoint("remove_images_by_rules", query=Change, answers=STARTED, repeatable=True)
    def post(self, request: Request, tenant: str, project: str) -> Response:
        """Delete now what no rule keeps. The operation tells how far it is."""
        home = project_of(self.actor, tenant, project)
        return self.operate(lambda: services.clean(self.actor, home))


class Collections(ChangeView):
    @endpoint("list_registry_collections", query=Listing, answers={200: page_of(OperationOutput)})
    def get(self, request: Request) -> Response:
        """When the registry was tidied up, newest first."""
        access.check(self.actor, "cluster.view")
        rows = plain(selectors.collections(self.actor), *COLUMNS)
        return Response(page(self.slip("-id"), rows, show=shown_all))

    @endpoint("collect_registry", query=Change, answers=STARTED, repeatable=True)
    def post(self, request: Request) -> Response:
        """Take out of the registry what no image names any more. Pushes are refused meanwhile; pulling goes on."""
        return self.operate(lambda: services.collect(self.actor, None))
