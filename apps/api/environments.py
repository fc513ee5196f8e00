"""Environments of a project over HTTP."""

from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.inputs import EnvironmentChange, EnvironmentInput
from apps.api.shapes import EnvironmentOutput
from apps.environments.services import delete_environment, update_environment
from apps.selectors import listing
from apps.services import create_environment
from core.api.endpoint import endpoint
from core.api.inputs import Listing
from core.api.paging import page
from core.api.schema import page_of
from operations.api.changes import ChangeView
from tenants.selectors import project as project_of


class Environments(ChangeView):
    @endpoint("list_environments", query=Listing, answers={200: page_of(EnvironmentOutput)})
    def get(self, request: Request, tenant: str, project: str) -> Response:
        """The stages of a project, in order."""
        rows = listing.environments(self.actor, project_of(self.actor, tenant, project))
        return Response(page(self.slip("position", "id"), rows, show=listing.shown_environments))

    @endpoint("create_environment", body=EnvironmentInput, answers={201: EnvironmentOutput}, repeatable=True)
    def post(self, request: Request, tenant: str, project: str) -> Response:
        """Add a stage at the end of a project."""
        home = project_of(self.actor, tenant, project)
        sent = self.sent | {"cluster": listing.cluster_for(home, self.sent.get("cluster"))}
        return self.made(create_environment(self.actor, home, **sent), listing.shown_environment)


class OneEnvironment(ChangeView):
    @endpoint("show_environment", answers={200: EnvironmentOutput})
    def get(self, request: Request, tenant: str, project: str, environment: str) -> Response:
        """One stage of a project."""
        home = project_of(self.actor, tenant, project)
        return self.one(listing.shown_environment(listing.environment(self.actor, home, environment)))

    @endpoint("update_environment", body=EnvironmentChange, answers={200: EnvironmentOutput}, versioned=True)
    def patch(self, request: Request, tenant: str, project: str, environment: str) -> Response:
        """Protect a stage or not, or bind it to another cluster while nothing is deployed there."""
        home = project_of(self.actor, tenant, project)
        row = listing.environment(self.actor, home, environment)
        if name := self.sent.get("cluster"):
            self.sent["cluster"] = listing.cluster_for(home, name)
        changed = update_environment(self.actor, row, version=self.expected_version, **self.sent)
        return self.one(listing.shown_environment(changed))

    @endpoint("delete_environment", answers={204: None}, versioned=True)
    def delete(self, request: Request, tenant: str, project: str, environment: str) -> Response:
        """Remove a stage to which nothing was ever deployed."""
        row = listing.environment(self.actor, project_of(self.actor, tenant, project), environment)
        delete_environment(self.actor, row, version=self.expected_version)
        return Response(status=204)
