"""Deployments over HTTP: from a specification, a release or an image to what runs."""

from typing import Any, cast

from rest_framework.request import Request
from rest_framework.response import Response

from apps import services
from apps.api.inputs import DeploymentInput, DeploymentQuery
from apps.api.shapes import DeploymentOutput
from apps.models import AppEnvironment
from apps.needs import needs_deploy
from apps.preflight import preflight
from apps.selectors import listing
from apps.specification import Specification, stored, with_image
from core.access import check_any
from core.api.endpoint import View, endpoint
from core.api.inputs import Change
from core.api.paging import page
from core.api.schema import page_of
from operations.api.changes import ChangeView
from operations.api.shapes import STARTED
from operations.services import cancel


class Deployments(ChangeView):
    @endpoint("list_deployments", query=DeploymentQuery, answers={200: page_of(DeploymentOutput)})
    def get(self, request: Request, tenant: str, project: str, app: str) -> Response:
        """Everything that was done to what runs of an app, newest first."""
        names = {"environment": "environment__name", "kind": "kind"}
        filters = {column: self.query[name] for name, column in names.items() if name in self.query}
        rows = listing.deployments(listing.app(self.actor, tenant, project, app)).filter(**filters)
        return Response(page(self.slip("-number"), rows, show=listing.shown_deployments))

    @endpoint("deploy", query=Change, body=DeploymentInput, answers=STARTED, versioned=True, repeatable=True)
    def post(self, request: Request, tenant: str, project: str, app: str) -> Response:
        """Deploy to an environment: a specification, an earlier release, or what runs there with another image."""
        found = listing.app(self.actor, tenant, project, app)
        place = listing.place_in(found, self.sent.pop("environment"))
        sent = self.sent | {"release": listing.release_in(found, self.sent.get("release"))}
        sent["version"] = self.expected_version
        if self.query["dry_run"]:
            return self._rehearsed(place, sent)
        return self.accepted(services.deploy(self.actor, place, **sent))

    def _rehearsed(self, place: AppEnvironment, sent: dict[str, Any]) -> Response:
        """What preflight finds. Only where nothing of it stands in the way is the rest tried too."""
        check_any(self.actor, needs_deploy(place), place)
        spec = intended(place, sent)
        findings = preflight(self.actor, place, spec) if spec else []
        shown = [finding.as_json() for finding in findings]
        if any(finding.level == "bad" for finding in findings):
            return Response({"dry_run": True, "ready": False, "findings": shown})
        return self.rehearsed(lambda: services.deploy(self.actor, place, **sent), shown)


def intended(place: AppEnvironment, sent: dict[str, Any]) -> Specification | None:
    """What would be deployed; None where only the service can say what is missing."""
    release = sent["release"] or (place.release if "image" in sent else None)
    if release is None:
        return cast("Specification | None", sent.get("spec"))
    spec = stored(release.specification)
    if "image" not in sent:
        return spec
    name = sent.get("service") or next(iter(spec.services))
    unclear = name not in spec.services or ("service" not in sent and len(spec.services) > 1)
    return None if unclear else with_image(spec, name, sent["image"])


class OneDeployment(View):
    @endpoint("show_deployment", answers={200: DeploymentOutput})
    def get(self, request: Request, tenant: str, project: str, app: str, number: int) -> Response:
        """One deployment and its result."""
        found = listing.app(self.actor, tenant, project, app)
        return self.one(listing.shown_deployment(found, listing.deployment(found, number)))


class CancelDeployment(ChangeView):
    @endpoint("cancel_deployment", query=Change, answers=STARTED, repeatable=True)
    def post(self, request: Request, tenant: str, project: str, app: str, number: int) -> Response:
        """Ask a running deployment to stop and to go back to what ran before."""
        row = listing.deployment(listing.app(self.actor, tenant, project, app), number)
        return self.operate(lambda: cancel(self.actor, row.operation))
