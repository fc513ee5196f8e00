"""Projects over HTTP: made with their environments, changed, suspended, archived, deleted and brought back."""

from collections.abc import Callable
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.inputs import EnvironmentInput
from apps.lifecycle import services as lifecycle
from apps.projects import MOST_STAGES, Stage, make_project
from apps.selectors import listing
from audit.commands import check_before
from backends.models import Cluster
from core.api.endpoint import endpoint
from core.api.inputs import Change, Input, Searchable
from core.api.paging import page
from core.api.schema import page_of
from core.api.searching import matching
from operations.api.changes import ChangeView
from operations.api.shapes import STARTED
from operations.models import Operation
from tenants import selectors
from tenants.api.shapes import ProjectInput, ProjectOutput, TitleInput
from tenants.models import Project, Tenant
from tenants.services import create_project, update_project


class NewProjectInput(ProjectInput):
    environments = EnvironmentInput(  # type: ignore[call-arg]  # of the list that `many` makes
        many=True, required=False, max_length=MOST_STAGES, help_text="In their order; left out: none yet."
    )


class ProjectListing(Searchable):
    state = serializers.ChoiceField(
        choices=Project.State.values, required=False, help_text="`deleted`: those that can still be restored."
    )


class ReasonInput(Input):
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, help_text="Members read it.")


class DeletionInput(ReasonInput):
    typed_name = serializers.CharField(
        max_length=81, required=False, default="", help_text="`tenant/project`, so that nobody deletes the wrong one."
    )


class Projects(ChangeView):
    @endpoint("list_projects", query=ProjectListing, answers={200: page_of(ProjectOutput)})
    def get(self, request: Request, tenant: str) -> Response:
        """The projects of a tenant that you may see, by name."""
        rows = selectors.projects(self.actor, selectors.tenant(self.actor, tenant), self.query.get("state", ""))
        return Response(page(self.slip("name", "id"), rows.filter(matching(self.query, "name", "title"))))

    @endpoint("create_project", body=NewProjectInput, answers={201: ProjectOutput}, repeatable=True)
    def post(self, request: Request, tenant: str) -> Response:
        """Make a project, with `environments` at once."""
        home = selectors.tenant(self.actor, tenant)
        check_before(create_project, self.actor, home)  # before names of clusters are looked up
        sent = self.sent | {"stages": _stages(home, self.sent.pop("environments", []))}
        sent.pop("environments", None)
        return self.made(make_project(self.actor, home, **sent), selectors.shown_project)


def _stages(tenant: Tenant, sent: list[dict[str, Any]]) -> list[Stage]:
    def cluster(place: int, name: str | None) -> Cluster:
        return listing.cluster_for(tenant, name, f"environments[{place}].cluster")

    return [Stage(**one | {"cluster": cluster(place, one.get("cluster"))}) for place, one in enumerate(sent)]


class OneProject(ChangeView):
    @endpoint("show_project", answers={200: ProjectOutput})
    def get(self, request: Request, tenant: str, project: str) -> Response:
        """One project."""
        return self.one(selectors.shown_project(selectors.project(self.actor, tenant, project)))

    @endpoint("update_project", body=TitleInput, answers={200: ProjectOutput}, versioned=True)
    def patch(self, request: Request, tenant: str, project: str) -> Response:
        """Change the title of a project."""
        row = selectors.project(self.actor, tenant, project)
        changed = update_project(self.actor, row, version=self.expected_version, **self.sent)
        return self.one(selectors.shown_project(changed))

    @endpoint("delete_project", query=Change, body=DeletionInput, answers=STARTED, versioned=True)
    def delete(self, request: Request, tenant: str, project: str) -> Response:
        """Take a project off the engines and out of sight; for 30 days it can be restored."""
        row = selectors.project(self.actor, tenant, project)
        return self.operate(lambda: lifecycle.delete(self.actor, row, version=self.expected_version, **self.sent))


class Turning(ChangeView):
    """Base of the changes of a whole project."""

    def turn(self, act: Callable[..., Operation], tenant: str, project: str, *, deleted: bool = False) -> Response:
        row = selectors.project(self.actor, tenant, project, deleted=deleted)
        return self.operate(lambda: act(self.actor, row, version=self.expected_version, **self.sent))


def turning(name: str) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    return endpoint(name, query=Change, body=ReasonInput, answers=STARTED, versioned=True, repeatable=True)


class Suspend(Turning):
    @turning("suspend_project")
    def post(self, request: Request, tenant: str, project: str) -> Response:
        """Stop all that runs in a project. Nothing is lost; nothing can be changed until it is resumed."""
        return self.turn(lifecycle.suspend, tenant, project)


class Resume(Turning):
    @turning("resume_project")
    def post(self, request: Request, tenant: str, project: str) -> Response:
        """Run again what ran when the project was suspended."""
        return self.turn(lifecycle.resume, tenant, project)


class Archive(Turning):
    @turning("archive_project")
    def post(self, request: Request, tenant: str, project: str) -> Response:
        """Free the engines and leave the project to be read only."""
        return self.turn(lifecycle.archive, tenant, project)


class Restore(Turning):
    @turning("restore_project")
    def post(self, request: Request, tenant: str, project: str) -> Response:
        """Bring an archived or a deleted project back to what it was before."""
        return self.turn(lifecycle.restore, tenant, project, deleted=True)
