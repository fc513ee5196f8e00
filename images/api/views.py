"""Images over HTTP: what a project may deploy."""

from rest_framework.request import Request
from rest_framework.response import Response

from core.api.endpoint import View, endpoint
from core.api.inputs import Searchable
from core.api.paging import page
from core.api.schema import page_of
from core.api.searching import matching
from images import listing
from images.api.shapes import ArtifactOutput, RepositoryOutput, TagOutput


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
        rows = listing.tags(listing.image_project(self.actor, tenant, project), repository)
        return Response(page(self.slip("name"), rows.filter(matching(self.query, "name")), show=listing.shown_tags))


class OneArtifact(View):
    @endpoint("show_image_artifact", answers={200: ArtifactOutput})
    def get(self, request: Request, tenant: str, project: str, repository: str, digest: str) -> Response:
        """One image by its digest, and what it says of itself."""
        home = listing.image_project(self.actor, tenant, project)
        return self.one(listing.shown_artifact(listing.artifact(home, repository=repository, digest=digest)))
