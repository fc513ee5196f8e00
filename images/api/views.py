"""Images over HTTP: what a project may deploy."""

from rest_framework.request import Request
from rest_framework.response import Response

from audit.commands import check_before
from core.api.endpoint import View, endpoint
from core.api.inputs import Searchable
from core.api.paging import page, plain
from core.api.schema import page_of
from core.api.searching import matching
from images import listing, services
from images.api.shapes import FoundOutput, RepositoryOutput, ShareInput, ShareOutput, TagOutput
from images.models import Repository
from images.repositories.selectors import visible_to
from operations.api.changes import ChangeView
from tenants.selectors import project as project_of


class Repositories(View):
    @endpoint("list_images", query=Searchable, answers={200: page_of(RepositoryOutput)})
    def get(self, request: Request, tenant: str, project: str) -> Response:
        """The image repositories a project may deploy from."""
        rows = listing.repositories(listing.image_project(self.actor, tenant, project))
        found = rows.filter(matching(self.query, "name", "title"))
        return Response(page(self.slip("name", "id"), found, show=listing.shown_repositories))


class Tags(View):
    @endpoint("list_image_tags", query=Searchable, answers={200: page_of(TagOutput)})
    def get(self, request: Request, tenant: str, project: str, repository: str) -> Response:
        """The tags of a repository and the digests they point at."""
        rows = listing.tags(self.actor, listing.image_project(self.actor, tenant, project), repository)
        return Response(page(self.slip("name"), rows.filter(matching(self.query, "name")), show=listing.shown_tags))


class Visibility(ChangeView):
    @endpoint("show_image_visibility", answers={200: ShareOutput})
    def get(self, request: Request, tenant: str, project: str, repository: str) -> Response:
        """Who may pull from a repository of the project's own, beside the project."""
        return self.one(listing.shown_share(self._row(tenant, project, repository)))

    @endpoint("share_images", body=ShareInput, answers={200: ShareOutput})
    def put(self, request: Request, tenant: str, project: str, repository: str) -> Response:
        """Open a repository to its tenant, to tenants by name or to everybody who signs in; or close it again."""
        check_before(services.share_repository, self.actor, project_of(self.actor, tenant, project))
        row = self._row(tenant, project, repository)
        return self.one(listing.shown_share(services.share_repository(self.actor, row, **self.sent)))

    def _row(self, tenant: str, project: str, repository: str) -> Repository:
        return listing.own_repository(listing.image_project(self.actor, tenant, project), repository)


class Search(View):
    @endpoint("search_images", query=Searchable, answers={200: page_of(FoundOutput)})
    def get(self, request: Request) -> Response:
        """Repositories wherever you may see images, and those that are open to your tenants, by words in their name."""
        rows = visible_to(self.actor, search=self.query.get("search", ""))
        return Response(page(self.slip("name", "id"), plain(rows.order_by(), *listing.FOUND), show=listing.shown_found))
