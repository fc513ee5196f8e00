"""Images on their way through the stages of a project, over HTTP."""

import uuid
from collections.abc import Callable
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import promotion_shapes as shapes
from apps.selectors import promoting
from audit.commands import check_before
from core.api.endpoint import endpoint
from core.errors import NotFound
from images.promotion import passport, selectors, services
from images.promotion.models import Approval, Promotion, Stage
from operations.api.changes import ChangeView
from tenants.models import Project
from tenants.selectors import project as project_of

MOST = 200


class OfImages(ChangeView):
    """Of one project whose images the asker may see."""

    def home(self, tenant: str, project: str) -> Project:
        return promoting.image_project(self.actor, tenant, project)

    def changed(self, run: Callable[..., Any], tenant: str, project: str) -> Project:
        """For who may do this there; a denial is on record."""
        home = project_of(self.actor, tenant, project)
        check_before(run, self.actor, home)
        return home

    def one_of(self, tenant: str, project: str, promotion: uuid.UUID) -> Promotion:
        return selectors.promotion(self.home(tenant, project), promotion)

    def told(self, row: Promotion) -> Response:
        again = selectors.promotion(row.project, row.pk)
        shown = passport.shown_promotion(again) | {"difference": promoting.compared(row.project, again)}
        return self.one(shown)


class Stages(OfImages):
    @endpoint("list_stages", answers={200: shapes.StagesOutput})
    def get(self, request: Request, tenant: str, project: str) -> Response:
        """What each stage of a project asks of an image before it may run there."""
        return self.one({"results": promoting.stages(self.home(tenant, project))})


class StageRule(OfImages):
    @endpoint("set_stage_policy", body=shapes.PolicyInput, answers={200: shapes.StageOutput}, versioned=True)
    def put(self, request: Request, tenant: str, project: str, stage: str) -> Response:
        """Have a stage take approved images only, or change what it asks."""
        home = self._home(services.set_policy, tenant, project, stage)
        services.set_policy(self.actor, home, stage=stage, version=self.expected_version, **self.sent)
        return self.one(next(one for one in promoting.stages(home) if one["stage"] == stage))

    @endpoint("end_stage_policy", answers={204: None})
    def delete(self, request: Request, tenant: str, project: str, stage: str) -> Response:
        """Have a stage take every image again."""
        services.end_policy(self.actor, self._home(services.end_policy, tenant, project, stage), stage=stage)
        return Response(status=204)

    def _home(self, run: Callable[..., Any], tenant: str, project: str, stage: str) -> Project:
        home = self.changed(run, tenant, project)
        if stage not in Stage.values:
            raise NotFound()
        return home


class Promotions(OfImages):
    @endpoint("list_promotions", query=shapes.PromotionsQuery, answers={200: shapes.PromotionsOutput})
    def get(self, request: Request, tenant: str, project: str) -> Response:
        """The newest 200 requests that an image may run in a stage, with their answers."""
        rows = selectors.promotions(self.home(tenant, project))
        if state := self.query.get("state"):
            rows = rows.filter(state=state)
        return self.one({"results": [passport.shown_promotion(row) for row in rows[:MOST]]})

    @endpoint("ask_promotion", body=shapes.PromotionInput, answers={201: shapes.PromotionOutput}, repeatable=True)
    def post(self, request: Request, tenant: str, project: str) -> Response:
        """Ask that an image may run in a stage. Others are told, and decide."""
        home = self.changed(services.ask, tenant, project)
        sent = self.sent
        artifact = promoting.artifact_of(home, sent["digest"], repository=sent["repository"])
        made = services.ask(self.actor, home, stage=sent["stage"], artifact=artifact, reason=sent["reason"])
        return self.made(made, passport.shown_promotion, key="id")


class OnePromotion(OfImages):
    @endpoint("show_promotion", answers={200: shapes.OnePromotionOutput})
    def get(self, request: Request, tenant: str, project: str, promotion: uuid.UUID) -> Response:
        """One request, with what differs from what runs in the stage."""
        return self.told(self.one_of(tenant, project, promotion))


class Approve(OfImages):
    @endpoint("approve_promotion", body=shapes.AnswerInput, answers={200: shapes.OnePromotionOutput})
    def post(self, request: Request, tenant: str, project: str, promotion: uuid.UUID) -> Response:
        """Say that an image which another asked for, and another brought, may run there."""
        home = self.changed(services.approve, tenant, project)
        return self.told(services.approve(self.actor, selectors.promotion(home, promotion), **self.sent))


class Refuse(OfImages):
    @endpoint("refuse_promotion", body=shapes.AnswerInput, answers={200: shapes.OnePromotionOutput})
    def post(self, request: Request, tenant: str, project: str, promotion: uuid.UUID) -> Response:
        """Say that it may not."""
        home = self.changed(services.refuse, tenant, project)
        return self.told(services.refuse(self.actor, selectors.promotion(home, promotion), **self.sent))


class Withdraw(OfImages):
    @endpoint("withdraw_promotion", answers={200: shapes.OnePromotionOutput})
    def post(self, request: Request, tenant: str, project: str, promotion: uuid.UUID) -> Response:
        """Take back what you asked for yourself."""
        home = self.changed(services.withdraw, tenant, project)
        return self.told(services.withdraw(self.actor, selectors.promotion(home, promotion)))


class Approvals(OfImages):
    @endpoint("list_approvals", answers={200: shapes.ApprovalsOutput})
    def get(self, request: Request, tenant: str, project: str) -> Response:
        """What is approved for which stage, what is suspended and why, and where it runs."""
        home = self.home(tenant, project)
        return self.one({"results": shown_approvals(home, list(selectors.approvals(home)[:MOST]))})


class Suspend(OfImages):
    @endpoint("suspend_approval", body=shapes.SuspensionInput, answers={200: shapes.ApprovalOutput})
    def post(self, request: Request, tenant: str, project: str, approval: uuid.UUID) -> Response:
        """Withdraw an approval: what runs keeps running, and nothing starts by it any more."""
        home = self.changed(services.suspend, tenant, project)
        row = services.suspend(self.actor, selectors.approval(home, approval), **self.sent)
        return self.one(shown_approvals(home, [row])[0])


class Passport(OfImages):
    @endpoint("show_passport", answers={200: shapes.PassportOutput})
    def get(self, request: Request, tenant: str, project: str, digest: str) -> Response:
        """All that is known of one image: builder, source, scans as seen, evidence, requests and answers."""
        return self.one(promoting.passport_of(self.home(tenant, project), digest))


class PassportEvidence(OfImages):
    @endpoint("attach_evidence", body=shapes.EvidenceInput, answers={201: shapes.EvidenceOutput}, repeatable=True)
    def post(self, request: Request, tenant: str, project: str, digest: str) -> Response:
        """Add what came of trying an image. It is never changed."""
        home = self.changed(services.attach, tenant, project)
        artifact = promoting.artifact_of(home, digest)
        made = services.attach(self.actor, home, digest=artifact.digest, **self.sent)
        return self.made(made, passport.shown_evidence, key="id")


def shown_approvals(home: Project, rows: list[Approval]) -> list[dict[str, Any]]:
    found = promoting.runs(home, digests={row.digest for row in rows})
    return [
        passport.shown_approval(row)
        | {"runs": [run.as_json() for run in found if (run.digest, run.stage) == (row.digest, row.stage)]}
        for row in rows
    ]
