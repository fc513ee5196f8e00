"""Apps and their releases over HTTP."""

from rest_framework.request import Request
from rest_framework.response import Response

from apps import services
from apps.api.inputs import AppChange, AppInput, AppQuery, DiffQuery
from apps.api.shapes import AppOutput, AppStateOutput, DiffOutput, ReleaseOutput, ReleaseRow
from apps.models import App
from apps.selectors import listing
from core.access import check
from core.api.endpoint import View, endpoint
from core.api.inputs import Change, Listing
from core.api.paging import page
from core.api.schema import page_of
from core.api.searching import matching
from operations.api.changes import ChangeView
from operations.api.shapes import STARTED
from tenants.selectors import project as project_of

ORDER = {"name": ("name", "id"), "-name": ("-name", "-id"), "created_at": ("id",), "-created_at": ("-id",)}


class Apps(ChangeView):
    @endpoint("list_apps", query=AppQuery, answers={200: page_of(AppOutput)})
    def get(self, request: Request, tenant: str, project: str) -> Response:
        """The apps of a project, and what runs of them in each environment."""
        home = project_of(self.actor, tenant, project)
        check(self.actor, "app.view", home)
        rows = listing.apps(self.actor, home).filter(matching(self.query, "name", "title"))
        return Response(page(self.slip(*ORDER[self.query["ordering"]]), rows, show=listing.shown_apps))

    @endpoint("create_app", query=Change, body=AppInput, answers={201: AppStateOutput, **STARTED}, repeatable=True)
    def post(self, request: Request, tenant: str, project: str) -> Response:
        """Make an app: 201; with `environment` and `spec` also deploy it there: 202 with the operation."""
        home = project_of(self.actor, tenant, project)
        sent = self.sent | {"environment": listing.environment_in(home, self.sent.get("environment"))}
        if self.query["dry_run"]:
            return self.rehearsed(lambda: services.create_app(self.actor, home, **sent))
        made = services.create_app(self.actor, home, **sent)
        operation = getattr(made, "first_operation", None)
        return self.accepted(operation) if operation else self.made(made, self._shown)

    def _shown(self, row: App) -> dict[str, object]:
        return listing.shown_app(self.actor, row)


class OneApp(ChangeView):
    @endpoint("show_app", answers={200: AppStateOutput})
    def get(self, request: Request, tenant: str, project: str, app: str) -> Response:
        """One app with its state in every environment."""
        return self.one(listing.shown_app(self.actor, listing.app(self.actor, tenant, project, app)))

    @endpoint("update_app", body=AppChange, answers={200: AppStateOutput}, versioned=True)
    def patch(self, request: Request, tenant: str, project: str, app: str) -> Response:
        """Change the title of an app."""
        row = listing.app(self.actor, tenant, project, app)
        changed = services.update_app(self.actor, row, version=self.expected_version, **self.sent)
        return self.one(listing.shown_app(self.actor, changed))

    @endpoint("delete_app", answers={204: None}, versioned=True)
    def delete(self, request: Request, tenant: str, project: str, app: str) -> Response:
        """Delete an app that is deployed nowhere. Its history stays, its name becomes free."""
        row = listing.app(self.actor, tenant, project, app)
        self.check_unchanged(row)
        services.delete_app(self.actor, row)
        return Response(status=204)


class Releases(View):
    @endpoint("list_releases", query=Listing, answers={200: page_of(ReleaseRow)})
    def get(self, request: Request, tenant: str, project: str, app: str) -> Response:
        """The releases of an app, newest first."""
        rows = listing.releases(listing.app(self.actor, tenant, project, app))
        return Response(page(self.slip("-number"), rows))


class OneRelease(View):
    @endpoint("show_release", answers={200: ReleaseOutput})
    def get(self, request: Request, tenant: str, project: str, app: str, number: int) -> Response:
        """One release: its specification and what its images were pinned to."""
        found = listing.app(self.actor, tenant, project, app)
        return self.one(listing.shown_release(listing.release(found, number)))


class ReleaseDiff(View):
    @endpoint("diff_releases", query=DiffQuery, answers={200: DiffOutput}, problems=(422,))
    def get(self, request: Request, tenant: str, project: str, app: str, number: int) -> Response:
        """What changed from another release to this one."""
        found = listing.app(self.actor, tenant, project, app)
        return self.one(listing.shown_differences(found, number, self.query["with"]))
