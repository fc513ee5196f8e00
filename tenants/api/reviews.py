"""Access reviews over HTTP."""

import uuid
from functools import partial
from typing import Any

from django.http import HttpResponse
from django.utils.http import content_disposition_header
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.access import check
from core.api.endpoint import FILE, FileView, View, endpoint
from core.api.inputs import Input, Listing, Query
from core.api.paging import page
from core.api.schema import page_of
from core.errors import PortalError
from operations.api.changes import ChangeView
from tenants import selectors as places
from tenants.models import Review, ReviewLine
from tenants.reviews import sealing, selectors, services
from tenants.reviews.results import files_of
from tenants.reviews.several import answer_all

MOST_AT_ONCE = 200
FILES = {(200, "text/csv"): FILE, (200, "application/x-ndjson"): FILE}


class ReviewLinesOutput(serializers.Serializer[None]):
    """How many roles came out how, of those you may see."""

    whole = serializers.IntegerField()
    open = serializers.IntegerField()
    kept = serializers.IntegerField()
    ended = serializers.IntegerField(help_text="By an answer, by silence, or by itself meanwhile.")
    left = serializers.IntegerField(help_text="Not ended: the last owner's, or kept by the identity service.")


class ReviewOutput(serializers.Serializer[None]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    project = serializers.CharField(allow_null=True, help_text="None: the whole tenant and its projects.")
    roles = serializers.ListField(child=serializers.CharField(), help_text="Only these; empty: every role.")
    started_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(help_text="What nobody confirmed until then ends.")
    state = serializers.ChoiceField(Review.State.values)
    sealed_at = serializers.DateTimeField(allow_null=True)
    sealed_by = serializers.CharField(allow_blank=True)
    digest = serializers.CharField(allow_blank=True, help_text="SHA-256 of the result as JSON Lines, once sealed.")
    csv_digest = serializers.CharField(allow_blank=True, help_text="SHA-256 of the result as CSV, once sealed.")
    lines = ReviewLinesOutput()


class ReviewInput(Input):
    name = serializers.CharField(max_length=100)
    ends_at = serializers.DateTimeField(help_text="Within 92 days.")
    project = serializers.CharField(max_length=40, required=False, help_text="Only this project of the tenant.")
    roles = serializers.ListField(
        child=serializers.CharField(max_length=60), max_length=50, required=False, help_text="Only these roles."
    )


class ReviewLineOutput(serializers.Serializer[None]):
    """A grant as it was when the review began, and what was said of it."""

    id = serializers.UUIDField()
    number = serializers.IntegerField()
    person = serializers.CharField()
    role = serializers.CharField()
    place = serializers.CharField()
    since = serializers.DateTimeField()
    until = serializers.DateTimeField(allow_null=True)
    granted_by = serializers.CharField(allow_blank=True)
    reason = serializers.CharField(allow_blank=True)
    origin = serializers.CharField()
    last_used_at = serializers.DateTimeField(allow_null=True, help_text="The last command under it; None: never.")
    seen_at = serializers.DateTimeField(allow_null=True, help_text="When the person was last here at all.")
    state = serializers.ChoiceField(ReviewLine.State.values)
    decided_by = serializers.CharField(allow_blank=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    decision_reason = serializers.CharField(allow_blank=True)
    grant_id = serializers.UUIDField()


class LinesQuery(Listing):
    show = serializers.ChoiceField(
        selectors.SHOWN, required=False, help_text="open, mine (those you may answer now), kept, ended, left."
    )
    search = serializers.CharField(max_length=100, required=False, help_text="Found in the person or the place.")
    role = serializers.CharField(max_length=60, required=False)


class AnswersInput(Input):
    lines = serializers.ListField(
        child=serializers.UUIDField(), min_length=1, max_length=MOST_AT_ONCE, help_text="Ids of lines."
    )
    answer = serializers.ChoiceField(["keep", "end"])
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, help_text="Needed to end.")


class RefusedLine(serializers.Serializer[None]):
    line = serializers.UUIDField()
    person = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class AnswersOutput(serializers.Serializer[None]):
    """What was done; each line is answered by itself, so some may be refused."""

    done = serializers.ListField(child=serializers.UUIDField())
    refused = RefusedLine(many=True)


class CallOffInput(Input):
    reason = serializers.CharField(max_length=500)


class ResultQuery(Query):
    format = serializers.ChoiceField(["jsonl", "csv"], default="jsonl")


class ReviewVerdictOutput(serializers.Serializer[None]):
    holds = serializers.BooleanField(help_text="Whether the result is what was sealed.")
    digest = serializers.CharField(help_text="SHA-256 of the result as JSON Lines as it is now.")
    seq = serializers.IntegerField(allow_null=True, help_text="The entry of the tenant's chain that seals it.")
    fault = serializers.CharField(allow_blank=True, help_text="changed, unsealed")


class Reviews(ChangeView):
    @endpoint("list_reviews", query=Listing, answers={200: page_of(ReviewOutput)})
    def get(self, request: Request, tenant: str) -> Response:
        """Reviews of the tenant with roles you may see, newest first."""
        rows = selectors.plain_reviews(self.actor, places.tenant(self.actor, tenant))
        return Response(page(self.slip("-id"), rows, show=partial(selectors.shown_reviews, self.actor)))

    @endpoint("start_review", body=ReviewInput, answers={201: ReviewOutput}, repeatable=True)
    def post(self, request: Request, tenant: str) -> Response:
        """Ask whether the roles that run still should; what nobody confirms ends with the review."""
        home = places.tenant(self.actor, tenant)
        target = places.grantable(self.actor, home, self.sent.pop("project", None))
        made = services.start(self.actor, target, **self.sent)
        return self.made(made, partial(selectors.shown_review, self.actor), key="id")


class OfReview(ChangeView):
    def row(self, tenant: str, review: uuid.UUID) -> Review:
        return selectors.review(self.actor, places.tenant(self.actor, tenant), review)

    def shown(self, row: Review) -> Response:
        return self.one(selectors.shown_review(self.actor, row))


class OneReview(OfReview):
    @endpoint("show_review", answers={200: ReviewOutput})
    def get(self, request: Request, tenant: str, review: uuid.UUID) -> Response:
        """One review and how far it is."""
        return self.shown(self.row(tenant, review))


class Lines(OfReview):
    @endpoint("list_review_lines", query=LinesQuery, answers={200: page_of(ReviewLineOutput)})
    def get(self, request: Request, tenant: str, review: uuid.UUID) -> Response:
        """Its roles with their last use and what was said of them."""
        asked = {name: self.query.get(name, "") for name in ("show", "search", "role")}
        rows = selectors.narrowed(self.actor, selectors.lines(self.actor, self.row(tenant, review)), **asked)
        return Response(page(self.slip("number"), selectors.plain_lines(rows)))


class Answers(OfReview):
    @endpoint("answer_review", body=AnswersInput, answers={200: AnswersOutput})
    def post(self, request: Request, tenant: str, review: uuid.UUID) -> Response:
        """Keep or end roles, each by itself. Nobody answers for their own."""
        lines = selectors.lines_named(self.actor, self.row(tenant, review), self.sent["lines"])
        keep, reason = self.sent["answer"] == "keep", self.sent.get("reason", "")
        found = answer_all(self.actor, lines, keep=keep, reason=reason)
        refused = [_refused(line, error) for line, error in found.refused]
        return Response({"done": [line.pk for line in found.done], "refused": refused})


def _refused(line: ReviewLine, error: PortalError) -> dict[str, Any]:
    first = error.errors[0] if error.errors else None
    code, message = (first.code, first.message) if first else (error.code, error.message)
    return {"line": line.pk, "person": line.person, "code": code, "message": str(message)}


class Close(OfReview):
    @endpoint("close_review", answers={200: ReviewOutput})
    def post(self, request: Request, tenant: str, review: uuid.UUID) -> Response:
        """Seal the result before its day, once every role is answered."""
        return self.shown(services.close(self.actor, self.row(tenant, review)))


class CallOff(OfReview):
    @endpoint("call_off_review", body=CallOffInput, answers={200: ReviewOutput})
    def post(self, request: Request, tenant: str, review: uuid.UUID) -> Response:
        """End a review without ending what nobody answered."""
        return self.shown(services.call_off(self.actor, self.row(tenant, review), **self.sent))


class Result(FileView):
    @endpoint("download_review", query=ResultQuery, answers=FILES)
    def get(self, request: Request, tenant: str, review: uuid.UUID) -> HttpResponse:
        """The result as a file; of a sealed review its SHA-256 is `digest` (or `csv_digest`)."""
        row = selectors.review(self.actor, places.tenant(self.actor, tenant), review)
        check(self.actor, "member.view", row)
        data, type_, name = files_of(row, self.query["format"])
        headers = {"Content-Disposition": content_disposition_header(True, name), "X-Content-Type-Options": "nosniff"}
        return HttpResponse(data, content_type=type_, headers=headers)


class Verify(View):
    @endpoint("verify_review", answers={200: ReviewVerdictOutput})
    def get(self, request: Request, tenant: str, review: uuid.UUID) -> Response:
        """Whether the result is what was sealed in the tenant's audit."""
        row = selectors.review(self.actor, places.tenant(self.actor, tenant), review)
        check(self.actor, "member.view", row)
        found = sealing.verify(row)
        return self.one({"holds": found.holds, "digest": found.digest, "seq": found.seq, "fault": found.fault})
